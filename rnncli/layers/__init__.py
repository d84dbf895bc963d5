"""Layers as formulas over NumPy or torch."""
