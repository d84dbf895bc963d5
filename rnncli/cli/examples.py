"""What stands at the end of each help: two ways to use the command, and where to read on."""

from __future__ import annotations

from typing import NamedTuple


class Ending(NamedTuple):
    """Commands that can be typed as they are, and headings of README.md."""

    examples: tuple[str, ...]
    pages: tuple[str, ...]

    def lines(self) -> list[str]:
        """Each example in a line of its own, and where to read on."""
        return ["Examples:", *(f"  {example}" for example in self.examples), "", f"README.md: {', '.join(self.pages)}"]


_FIT = "rnncli train sales.csv --horizon 28 -o sales.safetensors"
_FORECAST = "rnncli predict sales.csv -m sales.safetensors -o forecast.csv"
ENDINGS = {
    "": Ending((_FIT, _FORECAST, "rnncli COMMAND --help"), ("Start", "Use", "Unattended", "From Python")),
    "train": Ending(
        (_FIT, "rnncli train 'stores/*.csv' --target sold --future promo -o m.safetensors"),
        ("Use", "Data", "Covariates", "Training", "Unattended"),
    ),
    "predict": Ending(
        (_FORECAST, "cat sales.csv | rnncli predict - -m sales.safetensors --horizon 7"),
        ("Use", "The forecast table", "Unattended"),
    ),
    "evaluate": Ending(
        (
            "rnncli evaluate sales.csv -m sales.safetensors --windows 4",
            "rnncli evaluate sales.csv -m sales.safetensors --fail-if 'mase>1' -q",
        ),
        ("Use", "Scores", "Unattended"),
    ),
    "inspect-gradients": Ending(
        (
            "rnncli inspect-gradients sales.csv -m sales.safetensors --quick",
            "rnncli inspect-gradients sales.csv --cell rnn --hidden 64 --try",
        ),
        ("Inspecting gradients",),
    ),
    "check": Ending(
        ("rnncli check sales.csv --fix repaired.csv", "rnncli check sales.csv -m sales.safetensors"),
        ("Checking data",),
    ),
    "info": Ending(("rnncli info sales.safetensors", "rnncli info sales.safetensors --json"), ("Use",)),
    "cells": Ending(("rnncli cells --hidden 32",), ("Cells",)),
    "config": Ending(("rnncli config show train sales.csv --horizon 28",), ("Configuration",)),
    "config show": Ending(
        ("rnncli config show train sales.csv --horizon 28", "rnncli config show --config daily.toml"),
        ("Configuration",),
    ),
}
