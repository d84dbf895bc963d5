"""Forecasts that any network has to beat: exact array functions in float64."""
