"""Measures of forecasts as pure NumPy functions in float64; NaN actuals are left out, undefined values are NaN."""
