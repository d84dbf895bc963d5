"""Forecasting: what a network sees of a series, and what it says of the rows to come."""
