"""Listeners for runs without a terminal: plain lines for a log, JSON lines for a program."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from rnncli.cli.table import number
from rnncli.cli.terminal import say
from rnncli.diagnostics.events import Exploded, Gradients, Strayed
from rnncli.events import REFIT, Generated, Noted, Phase
from rnncli.training.events import Evaluated, Finished, Started, Stepped

EVERY = 30.0  # seconds between lines


class PlainLines:
    """Notes, an evaluation at most every 30 seconds, and the end of each phase, as lines on stderr."""

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._steps: dict[Phase, int] = {}
        self._told = time.monotonic()

    def __call__(self, event: object) -> None:
        """One event."""
        if isinstance(event, Noted) and (self._verbose or not event.detail):
            say(event.text)
        elif isinstance(event, Started):
            self._steps[event.phase] = event.steps
        elif isinstance(event, (Gradients, Exploded, Strayed)):
            say(told(event))
        elif isinstance(event, Evaluated) and time.monotonic() - self._told >= EVERY:
            self._told = time.monotonic()
            say(evaluated(event, self._steps[event.phase]))
        elif isinstance(event, Finished):
            say(finished(event, self._steps.get(event.phase, event.step)))

    def close(self) -> None:
        """Nothing is left to do."""


class EventLines:
    """Every event but single steps and pieces of text as a record: what happened, and when (UTC)."""

    def __init__(self, write: Callable[[Mapping[str, Any]], None]) -> None:
        self._write = write

    def __call__(self, event: object) -> None:
        """One event."""
        if dataclasses.is_dataclass(event) and not isinstance(event, (Stepped, Generated, type)):
            phase = getattr(event, "phase", None)
            told = dataclasses.asdict(event) | ({} if phase is None else {"phase": str(phase)})
            self.record({"event": type(event).__name__.lower()} | told)

    def record(self, record: Mapping[str, Any]) -> None:
        """One record; numbers that are not finite become null."""
        plain = {key: None if _undefined(value) else value for key, value in record.items()}
        self._write({"time": datetime.now(UTC).isoformat(timespec="milliseconds")} | plain)

    def close(self) -> None:
        """Nothing is left to do."""


def say_record(record: Mapping[str, Any]) -> None:
    """One record on stderr, as a line of JSON."""
    EventLines(lambda dated: say(json.dumps(dated))).record(record)


def evaluated(event: Evaluated, steps: int) -> str:
    """A line about an evaluation."""
    best = ", the best so far" if event.best else ""
    loss = "" if math.isnan(event.loss) else f", loss {number(event.loss)}"
    return f"{event.phase}: step {event.step} of {steps}{loss}, validation score {number(event.score)}{best}"


def told(event: object) -> str:
    """A line about gradients that were watched; "" about anything else."""
    if isinstance(event, (Exploded, Strayed)):
        return event.text
    if not isinstance(event, Gradients):
        return ""
    norm, usual = number(event.gradient_norm), number(event.usual)
    largest = max(event.tensors, key=lambda name: event.tensors[name].gradient, default="")
    return (
        f"{event.phase}: step {event.step}, gradient norm {norm} (usually {usual}), {event.clipped:.0%} of the steps"
        f" clipped, the largest in {largest}"
    )


def finished(event: Finished, planned: int) -> str:
    """A line about the end of a phase, of which so many steps were planned."""
    early = event.step < planned
    done = f"stopped after {event.step:,} of {planned:,} steps" if early else f"finished after {_steps(event.step)}"
    line = f"{event.phase}{' with all data' if event.phase.kind == REFIT else ''}: {done}"
    if event.best_score is None:
        return line
    return f"{line}, best at step {event.best_step} (validation score {number(event.best_score)})"


def ended(event: Finished) -> str:
    """An event in one line of a terminal."""
    best = f", best at step {event.best_step} (validation {number(event.best_score)})"
    return f"{event.phase}: {_steps(event.step)}{'' if event.best_score is None else best}"


def _steps(count: int) -> str:
    return f"{count:,} step{'s' if count != 1 else ''}"


def _undefined(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
