"""What every report of an evaluation offers, whatever its task: scores as data, and as tables that a command prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rnncli.errors import UsageError
from rnncli.evaluation.gates import Gated
from rnncli.outline import Outline

Cell = str | int | float | None
"""Of a table; None, as NaN, is a value that is undefined."""


@dataclass(frozen=True)
class ScoreTable:
    """A table for people: a line above it, and one below it. Where lines are too short for all columns, the last ones
    are left out if it is `cut`.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    title: str = ""
    remark: str = ""
    cut: bool = False


class Tabled(Protocol):
    """Scores as tables for people."""

    @property
    def groupings(self) -> tuple[str, ...]:
        """By what scores can be split, beside those of everything."""

    def headline(self) -> str:
        """What was scored, in one line."""

    def tables(self, by: str | None = None) -> list[ScoreTable]:
        """The scores, and those `by` one of the groupings."""

    def remarks(self) -> list[str]:
        """What must be known to read them, a line each."""


class ScoreReport(Gated, Tabled, Protocol):
    """Scores of a model (first) and of what is simpler."""

    @property
    def made_honest_by(self) -> str:
        """The advice where the scores are in-sample."""

    @property
    def sharpened_by(self) -> str:
        """The advice where the scores are too few to tell."""

    def rows(self, by: str | None = None) -> list[dict[str, Any]]:
        """A dictionary for each forecaster: forecaster, in_sample, every metric (None if undefined); or for each
        forecaster in each part, `by` one of the groupings.
        """

    def to_json(self, *, by: str | None = None) -> dict[str, Any]:
        """The document that `evaluate --json` prints; undefined values are null. `by` adds what is split so."""

    def outline(self) -> Outline:
        """What was scored, and the scores."""


def refuse_other_grouping(groupings: Sequence[str], by: str | None) -> None:
    """UsageError if scores that can be split by `groupings` are to be split by something else."""
    if by is not None and by not in groupings:
        known = " or ".join(f"--by {name}" for name in groupings)
        raise UsageError(f"these scores cannot be shown by {by}", hint=f"leave --by out{known and f', or say {known}'}")
