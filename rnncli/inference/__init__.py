"""Forecasts from weights and a panel, in NumPy alone."""
