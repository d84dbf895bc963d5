"""Backtests: where series are cut, how forecasts made there score, and the report that says so."""
