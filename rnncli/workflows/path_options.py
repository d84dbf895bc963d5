"""The options that name paths, as they are typed: which are read, and which are written."""

from __future__ import annotations

READ = {
    "data": "DATA",
    "future_data": "--future-data",
    "trained_on": "--trained-on",
    "forecasts": "--forecasts",
    "models": "--models",
    "tables": "OLD NEW",
    "forecast": "--forecast",
    "model": "--model",
    "warm_start": "--warm-start",
    "config": "--config",
}
WRITTEN = {
    "tensorboard": "--tensorboard",
    "output": "--output",
    "state": "--state",
    "fix": "--fix",
    "plot": "--plot",
    "keep_forecasts": "--keep-forecasts",
    "log_file": "--log-file",
    "cache": "--cache",
}
