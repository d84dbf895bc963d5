"""Sequences that a network consumes row by row, in any number of runs: what is carried of each, in NumPy alone."""
