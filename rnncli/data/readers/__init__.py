"""One file a format: a path to an Arrow table."""
