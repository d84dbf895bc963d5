"""Forecasts, scores and checks of tables that Spark holds: series are dealt out whole, Arrow in and Arrow out.

pyspark is imported when one of these is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnncli.spark.checks import check
    from rnncli.spark.forecasts import predict
    from rnncli.spark.scores import evaluate

__all__ = ["check", "evaluate", "predict"]
_HOMES = {"check": "checks", "evaluate": "scores", "predict": "forecasts"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
