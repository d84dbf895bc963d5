"""Baselines of sets: how frequent tokens are, and whether they stay."""
