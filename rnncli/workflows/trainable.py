"""Whether this installation can train: predicting, scoring and checking need no PyTorch."""

from __future__ import annotations

from importlib.util import find_spec

from rnncli.errors import MissingDependency


def require_torch(what: str = "training") -> None:
    """MissingDependency where PyTorch is not installed, before anything is read or done."""
    if find_spec("torch") is None:
        raise MissingDependency(f"{what} needs PyTorch, and this installation only predicts", hint="pip install rnncli")
