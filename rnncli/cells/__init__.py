"""Recurrent cells as formulas, one a file."""
