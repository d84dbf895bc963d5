"""Labels of sequences, or of each of their steps."""
