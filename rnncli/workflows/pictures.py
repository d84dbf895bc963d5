"""Pictures that predict and evaluate write beside what they say: fan charts and scores, or frames."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from rnncli import files
from rnncli.charts.style import KINDS
from rnncli.data.writers.pictures import SUFFIXES, picture
from rnncli.data.writers.pictures import Pictured as Clip
from rnncli.errors import MissingDependency, UsageError
from rnncli.events import Listener, Noted

Path_ = str | os.PathLike[str]


class Pictured(Protocol):
    """Something that can be drawn."""

    @property
    def says(self) -> str:
        """What the picture shows."""

    def encode(self, kind: str) -> bytes:
        """The picture as a file's bytes, of a kind such as png."""


@runtime_checkable
class Drawable(Protocol):
    """An answer, or a report, of which there is a picture."""

    @property
    def pictured(self) -> Pictured | tuple[Clip, ...]:
        """What is drawn: of frames the sequences, one at least."""


class Drawing(NamedTuple):
    """How the pictures of a task are made: which suffixes their files have, the module that draws them, what that is
    called, and the extra that installs it.
    """

    suffixes: tuple[str, ...]
    module: str
    called: str
    extra: str


DRAWN = {
    "forecast": Drawing(KINDS, "matplotlib", "matplotlib", "plot"),
    "frames": Drawing(SUFFIXES, "PIL", "Pillow", "frames"),
}


def check_plot(plot: Path_, task: str) -> None:
    """UsageError, MissingDependency or StorageFailed before any work is done."""
    drawing = DRAWN.get(task)
    if drawing is None:
        raise UsageError(f"--plot draws forecasts and frames, and the model makes {task}", hint="leave --plot out")
    if Path(plot).suffix.lower() not in drawing.suffixes:
        *first, last = drawing.suffixes
        raise UsageError(f"a picture ends in {', '.join(first)} or {last}, not {os.fspath(plot)!r}")
    if find_spec(drawing.module) is None:
        raise MissingDependency(f"a picture needs {drawing.called}", hint=f"pip install 'rnncli[{drawing.extra}]'")
    files.check_writable(plot)


def draw(plot: Path_, drawable: object, tell: Listener) -> None:
    """Write the picture of an answer, or of a report, whole or not at all."""
    assert isinstance(drawable, Drawable)
    shown = drawable.pictured
    kind = Path(plot).suffix.lower().removeprefix(".")
    data, says = _of_clips(shown, kind) if isinstance(shown, tuple) else (shown.encode(kind), shown.says)
    files.atomic_write(plot, data)
    tell(Noted(f"drew {os.fspath(plot)}: {says}"))


def _of_clips(clips: tuple[Clip, ...], kind: str) -> tuple[bytes, str]:
    """A picture of sequences of frames, of the first alone where it moves, and what it shows."""
    clips = clips[:1] if kind == "gif" else clips
    names = ", ".join(repr(clip.name) for clip in clips)
    return picture(clips, kind), f"sequence{'s' * (len(clips) > 1)} {names}"
