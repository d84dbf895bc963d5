"""Fuzz the reading of CSV: bytes -> a panel, or our own refusal.

Run: python csv_text.py FOLDER_OF_SEEDS -max_total_time=60. Only RnncliError may escape.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["rnncli"]):
    from rnncli.data.load import load_panel
    from rnncli.errors import RnncliError
    from rnncli.spec import ColumnChoices

FILE = Path(tempfile.mkdtemp()) / "fuzzed.csv"
CHOICES = (
    ColumnChoices(),
    ColumnChoices(decimal=","),
    ColumnChoices(wide=True),
    ColumnChoices(zone="Europe/Berlin"),
    ColumnChoices(strict=True),
    ColumnChoices(time_format="%d.%m.%Y %H:%M"),
)


class Ending:
    """The end of the campaign a second before libFuzzer's own, which leaves by C's `exit`: threads of Arrow that still
    hold a file of Python's can then wait for its lock for ever. Before it the empty input and every seed are tried.
    """

    def __init__(self, arguments: list[str]) -> None:
        seconds = next((float(a.split("=")[1]) for a in arguments if a.startswith("-max_total_time=")), 0.0)
        self.at = time.monotonic() + seconds - 1 if seconds else float("inf")
        self.seeds = len([file for a in arguments[1:] if Path(a).is_dir() for file in Path(a).iterdir()])
        self.inputs = 0

    def look(self) -> None:
        self.inputs += 1
        if time.monotonic() > self.at and self.inputs > self.seeds:
            sys.stderr.write(f"stat::number_of_executed_units: {self.inputs}\n")
            sys.stderr.flush()
            os._exit(0)


ENDING = Ending(sys.argv)


def run(data: bytes) -> None:
    """One input: its last byte chooses what the user said."""
    FILE.write_bytes(data[:-1])
    with contextlib.suppress(RnncliError):
        load_panel(FILE, CHOICES[data[-1] % len(CHOICES)] if data else CHOICES[0])
    ENDING.look()


if __name__ == "__main__":
    atheris.Setup(sys.argv, run)
    atheris.Fuzz()
