"""Progress on a terminal, by rich: imported when there is a phase to show, never before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rnncli.cli.table import number
from rnncli.cli.terminal import clean, say, width, wrapped
from rnncli.cli.watchers import ended, told
from rnncli.diagnostics.events import Exploded, Gradients, Strayed
from rnncli.events import Noted, Phase
from rnncli.training.events import Evaluated, Finished, Started, Stepped

if TYPE_CHECKING:
    from rich.progress import Progress, Task, TaskID

RANKS = ("phase", "steps", "loss", "gradient", "left", "validation", "bar", "speed")  # what matters most comes first
BAR, DIGITS = 10, 7  # columns of a bar, and of a number


class Display:
    """A line a phase that redraws itself: steps, loss, validation score, speed, time left. Notes scroll by above."""

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._progress: Progress | None = None
        self._tasks: dict[Phase, TaskID] = {}

    def __call__(self, event: object) -> None:
        """One event."""
        if isinstance(event, Noted) and (self._verbose or not event.detail):
            self._line(event.text)
        elif isinstance(event, Started):
            self._begin(event)
        elif isinstance(event, Stepped):
            self._update(event.phase, completed=event.step, loss=number(event.loss))
        elif isinstance(event, Gradients):
            self._update(event.phase, gradient=f"{number(event.gradient_norm)}, {event.clipped:.0%} clipped")
        elif isinstance(event, (Exploded, Strayed)):
            self._line(told(event))
        elif isinstance(event, Evaluated):
            self._update(event.phase, score=number(event.score))
        elif isinstance(event, Finished):
            self._end(event)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _begin(self, event: Started) -> None:
        if self._progress is None:
            self._progress = _progress()
            self._progress.start()
        self._tasks[event.phase] = self._progress.add_task(
            clean(str(event.phase)), total=event.steps, completed=event.step, loss="-", score="-", gradient=""
        )

    def _update(self, phase: Phase, *, completed: int | None = None, **fields: Any) -> None:
        if self._progress is not None and phase in self._tasks:
            self._progress.update(self._tasks[phase], completed=completed, **fields)

    def _end(self, event: Finished) -> None:
        if self._progress is not None and event.phase in self._tasks:
            self._progress.remove_task(self._tasks.pop(event.phase))
        self._line(ended(event))

    def _line(self, text: str) -> None:
        for part in wrapped(clean(text), width(2)):
            if self._progress is None:
                say(part)
            else:
                self._progress.console.print(part, markup=False, highlight=False, soft_wrap=True)


def line(shown: Mapping[str, tuple[str, int]], width: int) -> str:
    """The parts that fit into a line, each with the room that is kept for it: what is left out does not come and go
    with its digits. An empty part has no room.
    """
    kept, used = set(), 0
    for name in RANKS:
        text, room = shown[name]
        if text and (name == RANKS[0] or used + room < width):
            kept.add(name)
            used += room + 1
    parts = [text.ljust(room) for name, (text, room) in shown.items() if name in kept]
    return " ".join(parts).rstrip()[:width]


def bar(share: float, *, plain: bool) -> str:
    """The bar of how much of a phase is done; `plain` where a terminal has but ASCII."""
    done, rest = ("#", ".") if plain else ("━", "╌")
    full = min(BAR, int(share * BAR))
    return done * full + rest * (BAR - full)


def _parts(task: Task, longest: int, *, plain: bool) -> dict[str, tuple[str, int]]:
    """What can be said of a phase, as it is read from left to right."""
    total, fields = int(task.total or 0), task.fields
    left = "-:--:--" if task.time_remaining is None else str(timedelta(seconds=int(task.time_remaining)))
    return {
        "phase": (task.description, longest),
        "bar": (bar(task.completed / max(total, 1), plain=plain), BAR),
        "steps": (f"{int(task.completed)}/{total}", 2 * len(str(total)) + 1),
        "loss": (f"loss {fields['loss']}", 5 + DIGITS),
        "validation": (f"validation {fields['score']}", 11 + DIGITS),
        "gradient": (fields["gradient"] and f"gradient {fields['gradient']}", 23 + DIGITS),
        "speed": (f"{number(task.speed)} steps/s", 8 + DIGITS),
        "left": (left, 7),
    }


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn
    from rich.table import Column
    from rich.text import Text

    console = Console(stderr=True)
    plain = not console.encoding.startswith("utf")

    class Line(ProgressColumn):
        """The line of a phase, cut to the width of the terminal; its last column stays free."""

        def render(self, task: Task) -> Text:
            longest = max(len(other.description) for other in progress.tasks)
            return Text(line(_parts(task, longest, plain=plain), console.width - 1), no_wrap=True)

    progress = Progress(
        Line(Column(no_wrap=True)),
        console=console,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    return progress
