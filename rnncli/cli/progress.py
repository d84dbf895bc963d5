"""Progress on a terminal, by rich: imported when there is a phase to show, never before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnncli.cli.table import number
from rnncli.cli.terminal import clean, say
from rnncli.cli.watchers import finished, told
from rnncli.diagnostics.events import Exploded, Gradients
from rnncli.training.events import Evaluated, Finished, Started, Stepped
from rnncli.workflows.events import Noted

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Display:
    """A line a phase that redraws itself: steps, loss, validation score, speed, time left. Notes scroll by above."""

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

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
        elif isinstance(event, Exploded):
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
            clean(event.phase), total=event.steps, completed=event.step, loss="-", score="-", gradient=""
        )

    def _update(self, phase: str, *, completed: int | None = None, **fields: Any) -> None:
        if self._progress is not None and phase in self._tasks:
            self._progress.update(self._tasks[phase], completed=completed, **fields)

    def _end(self, event: Finished) -> None:
        if self._progress is not None and event.phase in self._tasks:
            self._progress.remove_task(self._tasks.pop(event.phase))
        self._line(finished(event))

    def _line(self, text: str) -> None:
        if self._progress is None:
            say(text)
        else:
            self._progress.console.print(clean(text), markup=False, highlight=False, soft_wrap=True)


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Speed(ProgressColumn):
        """Steps per second."""

        def render(self, task: Task) -> Text:
            return Text(f"{number(task.speed)} steps/s")

    class Gradient(TextColumn):
        """The gradient's norm, where it is watched."""

        def render(self, task: Task) -> Text:
            watched = task.fields["gradient"]
            return Text(f"gradient {watched}" if watched else "")

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]}", markup=False),
        TextColumn("validation {task.fields[score]}", markup=False),
        Gradient("{task.fields[gradient]}", markup=False),
        Speed(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
