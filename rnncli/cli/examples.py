"""The end of each help: two ways to use the command, and what explains more."""

from __future__ import annotations

from typing import NamedTuple


class Ending(NamedTuple):
    """Commands that can be typed as they are, and themes that `rnncli explain` knows."""

    examples: tuple[str, ...]
    themes: tuple[str, ...]

    def lines(self) -> list[str]:
        """Each example in a line of its own, and how to read on."""
        more = f"More: rnncli explain {' | '.join(self.themes)}"
        return ["Examples:", *(f"  {example}" for example in self.examples), "", more]


_FIT = "rnncli train sales.csv --horizon 28 -o sales.safetensors"
_FORECAST = "rnncli predict sales.csv -m sales.safetensors -o forecast.csv"
ENDINGS = {
    "": Ending((_FIT, _FORECAST, "rnncli COMMAND --help"), ("data", "training", "scores", "unattended", "python")),
    "train": Ending(
        (_FIT, "rnncli train 'stores/*.csv' --target sold --future promo -o m.safetensors"),
        ("training", "data", "covariates", "cells", "unattended"),
    ),
    "predict": Ending(
        (_FORECAST, "cat sales.csv | rnncli predict - -m sales.safetensors --horizon 7"),
        ("forecasts", "sources", "databases", "unattended"),
    ),
    "evaluate": Ending(
        (
            "rnncli evaluate sales.csv -m sales.safetensors --windows 4",
            "rnncli evaluate sales.csv -m sales.safetensors --fail-if 'mase>1' -q",
        ),
        ("scores", "metrics", "baselines"),
    ),
    "plot": Ending(
        (
            "rnncli plot sales.csv -m sales.safetensors",
            "rnncli plot sales.csv --forecast forecast.csv -o forecast.png",
        ),
        ("pictures", "forecasts"),
    ),
    "report": Ending(
        (
            "rnncli report sales.csv -m sales.safetensors -o report.html",
            "rnncli report sales.csv -m sales.safetensors -o report.html --windows 4",
        ),
        ("pictures", "scores", "gradients"),
    ),
    "inspect-gradients": Ending(
        (
            "rnncli inspect-gradients sales.csv -m sales.safetensors --quick",
            "rnncli inspect-gradients sales.csv --cell rnn --hidden 64 --try",
        ),
        ("gradients", "findings", "remedies"),
    ),
    "check": Ending(
        ("rnncli check sales.csv --fix repaired.csv", "rnncli check sales.csv -m sales.safetensors"),
        ("data", "checks"),
    ),
    "info": Ending(("rnncli info sales.safetensors", "rnncli info sales.safetensors --json"), ("training",)),
    "cells": Ending(("rnncli cells --hidden 32",), ("cells",)),
    "explain": Ending(("rnncli explain", "rnncli explain leakage"), ("data", "errors", "exit-codes")),
    "config": Ending(("rnncli config show train sales.csv --horizon 28",), ("configuration",)),
    "config show": Ending(
        ("rnncli config show train sales.csv --horizon 28", "rnncli config show --config daily.toml"),
        ("configuration",),
    ),
}
