"""What moved between two saved forecasts, such as yesterday's and today's."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np

from rnncli.data.writers.results import Style, StyleOptions
from rnncli.errors import GateFailed, InputRefused, UsageError
from rnncli.evaluation.gates import Outcome, condition_of, outcome_of
from rnncli.evaluation.moved import Move, Moved, moved
from rnncli.evaluation.saved_table import Alone, load_alone
from rnncli.events import Listener
from rnncli.outline import Outline, counted, shown
from rnncli.spec import ColumnChoices
from rnncli.tasks.reading import listed
from rnncli.workflows.arguments import public
from rnncli.workflows.options import column_choices
from rnncli.workflows.paths import keep_apart
from rnncli.workflows.score_file import write_scores

SCHEMA = "rnncli.diff/1"
SHOWN = 10  # series that are named
_EXAMPLE = "change>0.2"


@shown
@dataclass(frozen=True)
class Diff:
    """What moved from `old` to `new`, `series` of which are shown, and the outcome of every condition."""

    old: str
    new: str
    found: Moved
    counts: bool
    series: int = SHOWN
    gates: tuple[Outcome, ...] = ()

    def facts(self) -> list[tuple[str, str]]:
        """What moved over all series, a line each."""
        found, overall = self.found, self.found.overall
        direction = "up" if overall.shift > 0 else "down"
        median = "did not move" if overall.change == 0 else f"moved by {_share(overall.change)} of its size on average"
        level = "" if overall.change == 0 else f"; {direction} by {_share(abs(overall.shift))} as a whole"
        named = {"gone": found.gone_times, "new": found.new_times, "with a missing value": found.missing}
        times = [_several(count, what) for what, count in named.items()]
        facts = [
            ("series", f"{len(found.ids):,} in both{_named('new', found.new)}{_named('gone', found.gone)}"),
            ("times", f"{overall.times:,} forecasts in both, at {counted(found.steps, 'times')}{''.join(times)}"),
            ("median", median + level),
        ]
        if found.interval is not None:
            low, high = found.interval
            facts.append((f"q{low:g} to q{high:g}", _width(overall.width)))
        return facts

    def rows(self) -> list[dict[str, Any]]:
        """A dictionary for each series of both, the one that moved most first: id, times, change, shift, width and the
        time at which it moved most.
        """
        found = self.found
        return [
            {"id": found.ids[s]} | found.moves[s].to_json() | {"largest_at": self._largest_at(s)} for s in found.order
        ]

    def _largest_at(self, place: int) -> str | None:
        """The time at which a series moved most; None where no two medians of it are known."""
        return self.time(int(self.found.largest_at[place])) if self.found.moves[place].times else None

    def time(self, moment: int) -> str:
        """A time as text: a whole number, a date, or a moment (UTC where times have a zone)."""
        if self.counts:
            return str(moment)
        return str(np.datetime64(moment, "us")).replace("T", " ").removesuffix(".000000").removesuffix(" 00:00:00")

    def outline(self) -> Outline:
        """What moved, and the series that moved most."""
        header = ["series", "change", "shift", "width", "most at"]
        places = self.found.order[: self.series] if self.found.overall.change else []
        rows = [[self.found.ids[s], *_cells(self.found.moves[s]), self._largest_at(s) or "-"]
                for s in places]  # fmt: skip
        more = len(self.found.ids) - len(rows)
        told = f"and {counted(more, 'series')} more, which moved less" if rows and more else ""
        passed = {True: "passed", False: "failed"}
        gates = [(f"gate {passed[gate.passed]}", f"{gate.gate} ({gate.reason})") for gate in self.gates]
        return Outline(f"{self.old} -> {self.new}", [*self.facts(), *gates], header if rows else (), rows, told)

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`: all together, and every series."""
        found = self.found
        return {
            "schema": SCHEMA,
            "old": self.old,
            "new": self.new,
            "series": len(found.ids),
            "new_series": list(found.new),
            "gone_series": list(found.gone),
            "new_times": found.new_times,
            "gone_times": found.gone_times,
            "missing": found.missing,
            "interval": None if found.interval is None else list(found.interval),
            "overall": found.overall.to_json(),
            "gates": [gate.to_json() for gate in self.gates],
            "by_series": self.rows(),
        }

    def write(
        self,
        path: str | os.PathLike[str],
        *,
        format: str | None = None,  # noqa: A002  # as users call it
        **style: Unpack[StyleOptions],
    ) -> int:
        """Write all as .json, or the series as rows of any other format that the suffix, or `format`, asks for; returns
        the bytes.
        """
        return write_scores(path, self.to_json(), self.rows(), format, Style(**style))

    def refuse(self) -> None:
        """GateFailed if a condition holds that must not."""
        failed = [gate for gate in self.gates if not gate.passed]
        if failed:
            told = "; ".join(f"{gate.gate}: {gate.reason}" for gate in failed)
            raise GateFailed(f"a gate failed: {told}", hint="what moved is printed all the same")


@public
def diff(
    tables: Iterable[Any],
    *,
    time: str | None = None,
    id: str | Iterable[str] | None = None,  # noqa: A002 as the option is called
    time_format: str | None = None,
    series: int = SHOWN,
    fail_if: Iterable[str] = (),
    on_event: Listener | None = None,
) -> Diff:
    """Say what moved between two saved `tables` of forecasts, the old and the new, at the times that both forecast.

    Conditions in `fail_if` must not hold, and `Diff.refuse` raises where one does: over `change` (of the medians, as a
    share of their size), `shift` (likewise, up less down), `width` (of the widest interval), `largest` (the largest
    change of one series), `new` and `gone` (series), `missing` (times at which a median is missing, which are not
    compared). `series` is how many are shown.

    Raises UsageError or InputRefused.
    """
    del on_event  # nothing is noticed that is not in the result
    both = listed(tuple(tables))
    if len(both) != 2:
        raise UsageError(
            f"two saved forecasts are compared, not {len(both)}", hint="rnncli diff yesterday.csv today.csv"
        )
    keep_apart("diff", {"tables": both})
    conditions = [condition_of(text, _EXAMPLE) for text in fail_if]
    choices = column_choices({"time": time, "id": id, "time_format": time_format})
    old, new = (_loaded(table, choices) for table in both)
    names = _called(both[0], "the old one"), _called(both[1], "the new one")
    counts = [alone.columns.time_type == "integer" for alone in (old, new)]
    if counts[0] != counts[1]:
        raise InputRefused("the times of one are whole numbers, those of the other dates", where=names[1])
    found = moved(old.saved, new.saved, names)
    return Diff(*names, found, counts[0], series, tuple(outcome_of(found.numbers, one) for one in conditions))


def _loaded(table: Any, choices: ColumnChoices) -> Alone:
    held = getattr(table, "to_arrow", None)  # what `predict` returned
    return load_alone(table if held is None else held(), choices)


def _called(table: Any, otherwise: str) -> str:
    return os.fspath(table) if isinstance(table, (str, os.PathLike)) else otherwise


def _named(what: str, ids: tuple[str, ...]) -> str:
    """How many series are new or gone, and which."""
    if not ids:
        return ""
    told = ", ".join(ids[:3]) + (", ..." if len(ids) > 3 else "")
    return f", {len(ids):,} {what} ({told})"


def _several(count: int, what: str) -> str:
    return f", {count:,} {what}" if count else ""


def _share(value: float) -> str:
    """A share in per cent; "an unknown share" where it is of nothing."""
    return "an unknown share" if math.isnan(value) else f"{100 * value:.3g}%"


def _signed(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:+.3g}%"


def _width(value: float) -> str:
    if math.isnan(value):
        return "cannot be compared"
    return "as wide" if value == 0 else f"{_share(abs(value))} {'wider' if value > 0 else 'narrower'}"


def _cells(move: Move) -> list[str]:
    return ["-" if math.isnan(move.change) else _share(move.change), _signed(move.shift), _signed(move.width)]
