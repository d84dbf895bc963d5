"""The command line: options parsed, one workflow called, one result printed."""
