"""Fuzz the reading of CSV: bytes -> a panel, or our own refusal.

Run: python csv_text.py FOLDER_OF_SEEDS -max_total_time=60. Only RnncliError may escape.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
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


def run(data: bytes) -> None:
    """One input: its last byte chooses what the user said."""
    FILE.write_bytes(data[:-1])
    with contextlib.suppress(RnncliError):
        load_panel(FILE, CHOICES[data[-1] % len(CHOICES)] if data else CHOICES[0])


if __name__ == "__main__":
    atheris.Setup(sys.argv, run)
    atheris.Fuzz()
