"""Fuzz the values of options: text -> a value of its type, or our own refusal.

Run: python option_values.py FOLDER_OF_SEEDS -max_total_time=60. Only RnncliError may escape.
"""

from __future__ import annotations

import contextlib
import sys

import atheris

with atheris.instrument_imports(include=["rnncli"]):
    from rnncli.cli import values
    from rnncli.errors import RnncliError

CONVERTERS = (
    values.count,
    values.counts,
    values.whole,
    values.positive,
    values.share,
    values.level,
    values.levels,
    values.names,
    values.duration,
    values.wait,
    values.size,
    values.text,
    values.one_of(("lstm", "gru", "rnn")),
)


def run(data: bytes) -> None:
    """One input, as the shell would pass it, to every converter."""
    text = data.decode("utf-8", "surrogateescape").replace("\0", "")
    for convert in CONVERTERS:
        with contextlib.suppress(RnncliError):
            convert("--option", text)


if __name__ == "__main__":
    atheris.Setup(sys.argv, run)
    atheris.Fuzz()
