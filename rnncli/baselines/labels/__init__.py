"""Baselines that label sequences, or each of their steps, from labelled examples: pure NumPy in float64."""
