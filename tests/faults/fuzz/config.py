"""Fuzz files of settings: TOML that nobody would write, and values that no option takes.

Run: python config.py FOLDER_OF_SEEDS -max_total_time=60. Only RnncliError may escape.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["rnncli", "tomllib"]):
    from typer.main import get_command

    from rnncli.cli import config
    from rnncli.cli.app import app
    from rnncli.errors import RnncliError

FILE = Path(tempfile.mkdtemp()) / "fuzzed.toml"
DECLARED = config.declared_by(get_command(app))


def run(data: bytes) -> None:
    """One input: up to the first line that says so variables, from there on a file."""
    variables, _, text = data.rpartition(b"\n---\n")
    FILE.write_bytes(text)
    pairs = (line.partition("=") for line in variables.decode(errors="replace").splitlines())
    with contextlib.suppress(RnncliError):
        config.elsewhere(DECLARED, {f"{config.PREFIX}{name}": value for name, _, value in pairs}, str(FILE))


if __name__ == "__main__":
    atheris.Setup(sys.argv, run)
    atheris.Fuzz()
