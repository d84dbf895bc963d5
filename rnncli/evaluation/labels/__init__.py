"""Scores of labels: of sequences or of their steps, classes or numbers, beside baselines."""
