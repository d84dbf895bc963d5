"""Pictures of frames, which predict and evaluate write beside what they say."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Protocol, runtime_checkable

from rnncli import files
from rnncli.data.writers.pictures import SUFFIXES, Pictured, picture
from rnncli.errors import MissingDependency, UsageError
from rnncli.events import Listener, Noted
from rnncli.tasks.task import Model

Path_ = str | os.PathLike[str]


@runtime_checkable
class Drawable(Protocol):
    """An answer, or a report, of which there is a picture."""

    @property
    def pictured(self) -> tuple[Pictured, ...]:
        """The sequences that are drawn, one at least."""


def check_plot(plot: Path_, model: Model | None) -> None:
    """UsageError, MissingDependency or StorageFailed before any work is done."""
    if model is None or model.task.name != "frames":
        raise UsageError("--plot draws frames, and none are made here", hint="leave --plot out")
    if not os.fspath(plot).lower().endswith(SUFFIXES):
        raise UsageError(f"a picture ends in {' or '.join(SUFFIXES)}, not {os.fspath(plot)!r}")
    if find_spec("PIL") is None:
        raise MissingDependency("a picture needs Pillow", hint="pip install 'rnncli[frames]'")
    files.check_writable(plot)


def draw(plot: Path_, drawable: object, tell: Listener) -> None:
    """Write the picture of an answer, or of a report, whole or not at all."""
    assert isinstance(drawable, Drawable)
    shown = drawable.pictured
    kind = os.fspath(plot).lower().rpartition(".")[2]
    shown = shown[:1] if kind == "gif" else shown
    files.atomic_write(plot, picture(shown, kind))
    names = ", ".join(repr(one.name) for one in shown)
    tell(Noted(f"drew sequence{'s' * (len(shown) > 1)} {names} in {os.fspath(plot)}"))
