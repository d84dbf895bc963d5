"""The tasks that a network can be taught, one folder each."""
