"""A channel of a panel: what one of its columns of numbers or codes stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rnncli.errors import UsageError
from rnncli.spec import Columns, Spec, added

KINDS = ("number", "category", "token", "set", "frame")
ROLES = ("target", "past", "future", "static", "input", "label", "time")


@dataclass(frozen=True)
class Channel(Spec):
    """A column of a panel's values: its name, whether it holds numbers or codes, and what it is for.

    In a channel of kind "category" code i stands for `vocabulary[i]`, -1 for a category that is none of these, and NaN
    for a missing value; a "number" has no vocabulary. In one of kind "token" code 0 is every unknown token, and none is
    missing. One of kind "set" has a column for each token of the vocabulary, 1 where it is in a row's set; the first
    counts unknown ones, and all are -1 where a set is missing. In one of kind "frame" a value is the row of a block of
    frames of this `shape` (height, width, channels), and NaN where there is no frame. A forecast has a "target" and
    covariates ("past", "future", "static"); what is labelled has a "label" and "input" channels, and rows that are
    labelled as they come have their "time". Beside tokens stand "input" and "static" channels, and their "time".
    UsageError for another kind or role.
    """

    name: str
    kind: str
    role: str
    vocabulary: tuple[str, ...] = ()
    shape: tuple[int, ...] = added((), since=4)

    def __post_init__(self) -> None:
        for what, given, known in (("kind", self.kind, KINDS), ("role", self.role, ROLES)):
            if given not in known:
                raise UsageError(f"the {what} of a channel is one of {', '.join(known)}, not {given!r}")
        if self.vocabulary and self.kind == "number":
            raise UsageError(f"channel {self.name!r} holds numbers and has a vocabulary")
        if len(self.shape) != 3 * (self.kind == "frame"):
            raise UsageError(f"channel {self.name!r} is of kind {self.kind} and has the shape {self.shape}")


def forecast_channels(columns: Columns, vocabularies: Mapping[str, tuple[str, ...]]) -> tuple[Channel, ...]:
    """The channels of a table to forecast: the target, then its covariates; those with a vocabulary are categories."""
    covariates = [(name, role) for role in ("past", "future", "static") for name in getattr(columns, role)]
    return (
        Channel(columns.target, "number", "target"),
        *(
            Channel(name, "category" if name in vocabularies else "number", role, tuple(vocabularies.get(name, ())))
            for name, role in covariates
        ),
    )


def vocabularies(channels: Iterable[Channel]) -> dict[str, tuple[str, ...]]:
    """The vocabulary of each categorical channel."""
    return {channel.name: channel.vocabulary for channel in channels if channel.kind == "category"}
