"""Recurrent networks for time series: train, predict, evaluate, inspect gradients.

The names below are found on first use, so that importing the package costs nothing.
"""

import sys

if sys.argv[:1] == ["-m"] and not sys.flags.safe_path:  # `python -m rnncli`: the folder it runs in holds data, not code
    del sys.path[0]

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnncli.errors import (
        GateFailed,
        InputRefused,
        InputStale,
        MissingDependency,
        ModelRefused,
        OutputExists,
        OutputLocked,
        RankLost,
        RnncliError,
        SeriesRefused,
        StorageFailed,
        TimedOut,
        TrainingDiverged,
        UsageError,
    )
    from rnncli.workflows.check import check
    from rnncli.workflows.compare import compare
    from rnncli.workflows.diff import diff
    from rnncli.workflows.evaluate import evaluate
    from rnncli.workflows.explain import explain
    from rnncli.workflows.export import export
    from rnncli.workflows.info import info
    from rnncli.workflows.inspect_gradients import inspect_gradients
    from rnncli.workflows.list_cells import list_cells
    from rnncli.workflows.plot import plot
    from rnncli.workflows.predict import predict
    from rnncli.workflows.report import report
    from rnncli.workflows.train import train
    from rnncli.workflows.tune import tune

__version__ = "0.1.0"

__all__ = [
    "GateFailed",
    "InputRefused",
    "InputStale",
    "MissingDependency",
    "ModelRefused",
    "OutputExists",
    "OutputLocked",
    "RankLost",
    "RnncliError",
    "SeriesRefused",
    "StorageFailed",
    "TimedOut",
    "TrainingDiverged",
    "UsageError",
    "__version__",
    "check",
    "compare",
    "diff",
    "evaluate",
    "explain",
    "export",
    "info",
    "inspect_gradients",
    "list_cells",
    "plot",
    "predict",
    "report",
    "train",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = f"{__name__}.errors" if name[0].isupper() else f"{__name__}.workflows.{name}"
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
