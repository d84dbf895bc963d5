"""A search that several processes share, with its trials in one SQLite file: none is lost where a process dies."""

from __future__ import annotations

import base64
import logging
import os
import sqlite3
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rnncli import files
from rnncli.arrays import Floats
from rnncli.errors import OutputExists

SUFFIX = ".search"
STUDY, REQUEST, PROCESS, LOSSES = "rnncli", "request", "process", "losses"
STARTING, WARMING = 5, 2  # trials that are never cut short, and evaluations of each other one
WAIT = 120.0  # seconds for another process that writes


@dataclass(frozen=True)
class Trial:
    """A trial that has ended: its settings, its score (of one that was cut short the last one, if it had any), and the
    loss of each held-out answer of one that was not.
    """

    number: int
    settings: dict[str, Any]
    score: float | None
    losses: Floats | None

    @property
    def pruned(self) -> bool:
        """Whether it was cut short."""
        return self.losses is None


class SearchFile:
    """The trials of a search, in the file beside a model, which is open until `close`."""

    def __init__(self, output: str | os.PathLike[str], request: str, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        logging.getLogger("alembic").setLevel(logging.ERROR)
        self.path = Path(f"{os.fspath(output)}{SUFFIX}")
        files.check_writable(self.path)
        self._optuna, self._seed = optuna, seed
        with ExitStack() as broken_off, files.locked(self.path, WAIT):
            self._storage = _storage(self.path)
            broken_off.callback(self.close)
            pruner = optuna.pruners.MedianPruner(n_startup_trials=STARTING, n_warmup_steps=WARMING)
            self._study = optuna.create_study(
                storage=self._storage, study_name=STUDY, load_if_exists=True, pruner=pruner
            )
            known = self._study.user_attrs.get(REQUEST)
            if known not in (None, request):
                raise OutputExists(
                    "there is a search already, of other data, options or versions",
                    where=str(self.path),
                    hint="--fresh starts over; or give another -o",
                )
            self._study.set_user_attr(REQUEST, request)
            broken_off.pop_all()

    def close(self) -> None:
        """Close the file; nothing is asked of it afterwards."""
        self._storage.remove_session()
        self._storage.engine.dispose()

    def next(self, trials: int, default: Mapping[str, Any], space: Mapping[str, Any]) -> Any | None:
        """The next trial, the first of which is the default; None where so many have ended or are under way.

        What a process that died had begun is begun again.
        """
        state = self._optuna.trial.TrialState
        with files.locked(self.path, WAIT):
            every = self._study.get_trials(deepcopy=False)
            for one in every:
                if one.state == state.RUNNING and not _alive(one.user_attrs.get(PROCESS, "")):
                    self._study.enqueue_trial(one.params or dict(default), user_attrs={})
                    self._study.tell(one.number, state=state.FAIL)
            if not every:
                self._study.enqueue_trial(dict(default))
            counted = [
                one for one in self._study.get_trials(deepcopy=False) if one.state not in (state.FAIL, state.WAITING)
            ]
            if len(counted) >= trials:
                return None
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                seed = self._seed + len(every)
                self._study.sampler = self._optuna.samplers.TPESampler(seed=seed, constant_liar=True)
                trial = self._study.ask()
            trial.set_user_attr(PROCESS, _this_process())
            for name, choice in space.items():
                choice(trial, name)
            return trial

    def scored(self, trial: Any, score: float, losses: Floats) -> None:
        """The trial has ended."""
        trial.set_user_attr(LOSSES, base64.b64encode(losses.astype(np.float32).tobytes()).decode())
        self._study.tell(trial, score)

    def pruned(self, trial: Any) -> None:
        """The trial was cut short."""
        self._study.tell(trial, state=self._optuna.trial.TrialState.PRUNED)

    def ended(self) -> list[Trial]:
        """The trials that have ended, in their order."""
        state = self._optuna.trial.TrialState
        found = [one for one in self._study.get_trials(deepcopy=False) if one.state in (state.COMPLETE, state.PRUNED)]
        return [Trial(one.number, dict(one.params), one.value, _losses(one.user_attrs.get(LOSSES))) for one in found]

    def under_way(self) -> int:
        """The number of trials that other processes are at."""
        state = self._optuna.trial.TrialState
        running = [one for one in self._study.get_trials(deepcopy=False) if one.state == state.RUNNING]
        return sum(_alive(one.user_attrs.get(PROCESS, "")) for one in running)

    def seconds(self) -> float:
        """What the trials that have ended took, over all processes."""
        spent = (one.duration for one in self._study.get_trials(deepcopy=False))
        return float(sum(one.total_seconds() for one in spent if one is not None))


def _storage(path: Path) -> Any:
    """The database in a file. A URL of it would be read, by two libraries: letters such as ?, % and { mean something
    there.
    """
    from optuna.storages import RDBStorage
    from sqlalchemy.pool import NullPool

    engine = {"creator": partial(sqlite3.connect, path, timeout=WAIT), "poolclass": NullPool}
    return RDBStorage("sqlite://", engine_kwargs=engine)


def remove(output: str | os.PathLike[str]) -> None:
    """Forget the search beside a model."""
    files.remove(f"{os.fspath(output)}{SUFFIX}")


def beside(output: str | os.PathLike[str]) -> Sequence[str]:
    """The files that a search writes."""
    path = f"{os.fspath(output)}{SUFFIX}"
    return path, f"{path}-journal"


def _losses(text: str | None) -> Floats | None:
    return None if text is None else np.frombuffer(base64.b64decode(text), np.float32).astype(np.float64)


def _this_process() -> str:
    return f"{os.getpid()}:{_born(os.getpid())}"


def _alive(process: str) -> bool:
    """Whether a process lives that another is not called like now."""
    number, _, born = process.partition(":")
    if not number.isdigit():
        return False
    with suppress(PermissionError):
        try:
            os.kill(int(number), 0)
        except (ProcessLookupError, OverflowError):
            return False
    return _born(int(number)) == born


def _born(process: int) -> str:
    """When a process began, as far as the system tells."""
    with suppress(OSError, IndexError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    return ""
