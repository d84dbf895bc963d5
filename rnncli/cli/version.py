"""`rnncli --version`, with `--json` a document on what computes here."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import Any

from rnncli import __version__
from rnncli.errors import UsageError

SCHEMA = "rnncli.version/1"
COMPUTES = ("numpy", "pyarrow", "safetensors", "torch")  # what the bytes of a result can depend on


def said(*, as_json: bool) -> bytes:
    """What `--version` prints."""
    text = json.dumps(document()) if as_json else f"rnncli {__version__}"
    return f"{text}\n".encode()


def document() -> dict[str, Any]:
    """The versions of the program, its Python and what it computes with (None: not installed), and the newest format of
    a model file that it reads.
    """
    import platform

    from rnncli.checkpoint import FORMAT

    return {
        "schema": SCHEMA,
        "version": __version__,
        "model_format": FORMAT,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "trains": find_spec("torch") is not None,
        "packages": {name: _version(name) for name in COMPUTES},
    }


def refuse_alone() -> None:
    """UsageError for a `--json` that stands before a command."""
    raise UsageError("--json stands before a command", hint="options follow the command; or say --version --json")


def _version(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None
