"""Baselines that say what comes next in a text: n-grams, counted and smoothed."""
