"""A training told to TensorBoard or MLflow: listeners of its events, which nothing else knows."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import Any, Protocol

from rnncli.errors import MissingDependency, StorageFailed, TrainingDiverged, UsageError
from rnncli.events import Listener, Noted
from rnncli.registry import TRACKERS, find

FINISHED, FAILED, STOPPED = "FINISHED", "FAILED", "KILLED"
_PACKAGES = {"tensorboard": "tensorboardX", "mlflow": "mlflow"}
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
_OF_DATABASES = ("sqlalchemy", "alembic")  # which come with mlflow, and not with mlflow-skinny
Scalars = list[tuple[str, float, int]]


class Tracker(Protocol):
    """Where a training is told: its settings, and numbers by name and step. OSError where they cannot be."""

    def settings(self, settings: Mapping[str, Any]) -> None:
        """What the model is, by the names of the options that would say it."""

    def scalars(self, found: Scalars) -> None:
        """Some numbers: name, value and step."""

    def close(self, status: str) -> None:
        """The training ended, or broke off."""


class Told:
    """The listener that turns events into numbers for a tracker; they are handed on at every evaluation.

    Where the tracker fails once, that is said, and the training goes on without it.
    """

    def __init__(self, tracker: Tracker, name: str, tell: Listener) -> None:
        self._tracker, self._name, self._tell = tracker, name, tell
        self._waiting: Scalars = []
        self._lost = False

    def __call__(self, event: object) -> None:
        """One event."""
        from rnncli.training.events import Evaluated, Finished, Stepped

        if isinstance(event, Stepped):
            self._add(event.phase, event.step, loss=event.loss, gradient_norm=event.gradient_norm)
        elif isinstance(event, Evaluated):
            self._add(event.phase, event.step, held_out=event.score)
        if isinstance(event, (Evaluated, Finished)):
            self._hand_on()

    def settings(self, settings: Mapping[str, Any]) -> None:
        """What the model is."""
        self._guarded(lambda: self._tracker.settings(settings))

    def validated(self, scores: Mapping[str, Mapping[str, float]]) -> None:
        """The scores of the forecast and of what is simpler, in the end."""
        named = (
            (f"validation/{_word(name)}/{metric}", value)
            for name, own in scores.items()
            for metric, value in own.items()
        )
        self._waiting += [(name, value, 0) for name, value in named if math.isfinite(value)]
        self._hand_on()

    def close(self, status: str) -> None:
        """There will be no more."""
        self._hand_on()
        self._guarded(lambda: self._tracker.close(status))

    def _add(self, phase: object, step: int, **values: float) -> None:
        place = _word(str(phase))
        self._waiting += [(f"{place}/{name}", value, step) for name, value in values.items() if math.isfinite(value)]

    def _hand_on(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._guarded(lambda: self._tracker.scalars(waiting))

    def _guarded(self, work: Callable[[], None]) -> None:
        if self._lost:
            return
        try:
            work()
        except OSError as error:  # a training is worth more than its log
            self._lost = True
            self._tell(Noted(f"{self._name} takes no more ({_short(error)}); the training goes on without it"))


def check(options: Mapping[str, Any]) -> None:
    """MissingDependency where a tracker is asked for whose package is not there, before any work."""
    for name in TRACKERS:
        place = options.get(name)
        if place is None:
            continue
        if not str(place).strip():
            raise UsageError(f"--{name} is empty", hint="is a variable unset?")
        if name == "mlflow":
            _refuse_database(str(place))
        if find_spec(_PACKAGES[name]) is None:
            raise MissingDependency(
                f"--{name} needs the package {_PACKAGES[name]}", hint="pip install 'rnncli[tracking]'"
            )


def _refuse_database(uri: str) -> None:
    """MissingDependency for a database where only what speaks with servers is installed."""
    kind = uri.partition("://")[0].partition("+")[0]
    if kind in _DATABASES and not all(map(find_spec, _OF_DATABASES)):
        raise MissingDependency(
            f"--mlflow {kind}:// writes to a database, which needs the whole package mlflow, not mlflow-skinny",
            hint="pip install mlflow; or give the address of a server",
        )


@contextmanager
def tracked(
    options: Mapping[str, Any], request: str, name: str, settings: Mapping[str, Any], tell: Listener
) -> Iterator[tuple[Listener, Callable[[Mapping[str, Mapping[str, float]]], None]]]:
    """A listener that tells `tell` and every tracker that is asked for, and what is to be told of scores in the end.

    `request` and `name` are those of the training. StorageFailed where a tracker cannot be reached at the start,
    MissingDependency where it cannot without a package.
    """
    with ExitStack() as closing:
        opened: list[Told] = []
        for each in (each for each in TRACKERS if options.get(each) is not None):
            opened.append(_opened(each, options[each], request, name, tell))
            closing.push(_closing(opened[-1]))
        for one in opened:
            one.settings(settings)

        def listen(event: object) -> None:
            for one in opened:
                one(event)
            tell(event)

        def validated(scores: Mapping[str, Mapping[str, float]]) -> None:
            for one in opened:
                one.validated(scores)

        yield (listen if opened else tell), validated


def _opened(kind: str, place: Any, request: str, name: str, tell: Listener) -> Told:
    open_tracker = find(TRACKERS, kind, "tracker")
    try:
        return Told(open_tracker(os.fspath(place), request, name), f"--{kind}", tell)
    except ImportError as error:
        raise MissingDependency(
            f"--{kind} needs a package that is not here: {_short(error)}", hint="pip install what is missing"
        ) from error
    except OSError as error:
        says = f"--{kind} cannot be written: {_short(error)}"
        raise StorageFailed(says, hint="check the place and its rights") from error


def _short(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]


def _closing(told: Told) -> Callable[[Any, BaseException | None, Any], bool]:
    """Close with how it ended; nothing is kept from being raised."""

    def close(kind: Any, error: BaseException | None, trace: Any) -> bool:
        del kind, trace
        told.close(FINISHED if error is None else FAILED if isinstance(error, TrainingDiverged) else STOPPED)
        return False

    return close


def _word(text: str) -> str:
    return text.replace(" ", "_")
