"""Whether this process is one of several that train a network together: torchrun says it in the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rnncli.errors import UsageError

SAID = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
TORCHRUN = "TORCHELASTIC_RUN_ID"  # what torchrun alone sets, and no cluster for all of its jobs


@dataclass(frozen=True)
class Place:
    """A process among `size`, `local_size` of them on this machine: its number in all, from 0, and on this machine."""

    rank: int
    size: int
    local_rank: int
    local_size: int


def place(environment: Mapping[str, str] = os.environ) -> Place | None:
    """The place of this process; None if it trains alone. UsageError if what is said is no place."""
    if any(name not in environment for name in SAID):
        return None
    size = _number(environment, "WORLD_SIZE", 1)
    rank = _number(environment, "RANK", 0)
    found = Place(rank, size, _number(environment, "LOCAL_RANK", rank), _number(environment, "LOCAL_WORLD_SIZE", 1))
    if not 0 <= rank < size:
        raise UsageError(f"RANK={rank} is none of the {size} ranks of WORLD_SIZE", hint="let torchrun set both")
    return found if size > 1 else None


def is_silent() -> bool:
    """Whether another process says what is to be said."""
    found = place()
    return found is not None and found.rank > 0


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, str(default))
    if not text.isdecimal():
        raise UsageError(f"{name}={text!r} is no whole number", hint="let torchrun set it")
    return int(text)


def refuse_other_than_training(command: str) -> None:
    """UsageError for a command that torchrun starts more than once and that is not divided."""
    if command != "train" and TORCHRUN in os.environ and place() is not None:
        raise UsageError(f"torchrun is for train, and {command} is not divided among processes", hint="leave it out")


class _Together:
    """What this process has joined."""

    greatest: Callable[[int], int] | None = None


_together = _Together()


def agree_by(greatest: Callable[[int], int] | None) -> None:
    """From here on all processes agree on the greatest number that one of them has; None: there is only this one."""
    _together.greatest = greatest


def agreed(number: int) -> int:
    """The number on which all processes agree, each of which asks here at the same place."""
    return number if _together.greatest is None else _together.greatest(number)
