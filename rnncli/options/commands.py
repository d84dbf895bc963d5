"""The commands that options belong to, as they are typed."""

from __future__ import annotations

TRAIN, PREDICT, EVALUATE, INSPECT = "train", "predict", "evaluate", "inspect-gradients"
CHECK, INFO, CELLS, EXPLAIN = "check", "info", "cells", "explain"
PLOT, REPORT = "plot", "report"
READING = (  # commands that read data
    TRAIN,
    PREDICT,
    EVALUATE,
    PLOT,
    REPORT,
    INSPECT,
    CHECK,
)
EVERY = (*READING, INFO, CELLS, EXPLAIN)
_FUNCTIONS = {"inspect_gradients": INSPECT, "list_cells": CELLS}


def command_of(function: str) -> str:
    """The command of a Python function by its name."""
    return _FUNCTIONS.get(function, function)
