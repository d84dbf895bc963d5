"""Large tables looked at some series at a time: what is found in all of them is what is found in them as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rnncli.arrays import Ints
from rnncli.data.checks.changed import drift_of, finding_of_drift
from rnncli.data.checks.covariates import ROWS
from rnncli.data.checks.finding import Finding
from rnncli.data.checks.joined import Part, joined, part_of
from rnncli.data.checks.seen import Seen
from rnncli.data.checks.steps import absent_steps, is_chasm
from rnncli.data.checks.zones import left_out_hours
from rnncli.data.parts import Parts, SeriesApart
from rnncli.data.rows import Rows
from rnncli.data.statistics import Drift
from rnncli.data.tables import Faults
from rnncli.errors import InputRefused
from rnncli.registry import CHECKS
from rnncli.spec import Columns

TIMES = 1 << 20  # different ones; of more nobody asks which hours they leave out
_OF_SERIES = ("short", "constant", "nothing-observed", "mostly-missing", "trailing-missing", "future-ends-early")
_OF_VALUES = ("non-finite", "outlier", "unit-jump", "missing", "covariate-constant", "leakage", "target-copy")
_OF_TIMES = ("unsorted", "gap", "hour-skipped", "hour-twice", "clock-change")
_TWICE = ("duplicate-equal", "duplicate-conflicting")
_OF_MODEL = ("column-missing", "column-retyped", "series-unseen", "drift")
EXACT = frozenset((*_OF_SERIES, *_OF_VALUES, *_OF_TIMES, *_TWICE, *_OF_MODEL))  # the same in parts as at once
OF_FIRST = ("leakage", "target-copy")  # which the first rows decide
SUMS = ("gap", "nothing-observed")  # whose words are those of all parts


class OfAllRows(Exception):  # it is no error of the data
    """Something was found that all rows say better than parts."""


@dataclass(frozen=True)
class Whole:
    """What was found in all parts, rows and series, the columns, and the frequency ("" if there is none)."""

    findings: list[Finding]
    rows: int
    series: int
    columns: Columns
    frequency: str


@dataclass
class _Running:
    """What has been found so far; where `exact`, OfAllRows is raised for what is not the same in parts as at once."""

    exact: bool
    guessed: bool
    parts: list[Part] = field(default_factory=list)
    columns: Columns | None = None
    times: Ints | None = None
    absent: int = 0
    kept: int = 0
    drift: Drift | None = None
    enough: bool = False  # rows in the first part to say whether covariates are the target

    def doubt(self, *, where: bool) -> None:
        """OfAllRows where that matters."""
        if where and self.exact:
            raise OfAllRows

    def add(self, seen: Seen, found: Sequence[Finding]) -> None:
        """A further part."""
        ids = {finding.id for finding in found}
        self.doubt(where=bool(seen.faults) or isinstance(seen.calendar, InputRefused) or not ids <= EXACT)
        self.doubt(where=not (np.diff(seen.offsets) > 1).any() or (self.guessed and not ids.isdisjoint(_TWICE)))
        if self.parts:
            found = [finding for finding in found if finding.id not in OF_FIRST]
        else:
            self.columns = seen.columns
            self.enough = len(seen.order) // max(1, len(seen.columns.targets)) >= ROWS
            self.times = None if seen.zone is not None or seen.whole else np.zeros(0, np.int64)
        self.parts.append(part_of((finding for finding in found if finding.id != "clock-change"), seen))
        self.doubt(where=self.parts[-1].get("frequency") != self.parts[0].get("frequency"))
        covariates = (*seen.columns.past, *seen.columns.future)
        self.doubt(where=len(self.parts) == 2 and bool(covariates) and not self.enough)
        self.absent += int(absent_steps(seen).sum())
        self.kept += len(seen.order)
        self._add_times(seen)
        drift = drift_of(seen)
        self.drift = drift if self.drift is None or drift is None else self.drift.with_more(drift)

    def _add_times(self, seen: Seen) -> None:
        if self.times is not None:
            self.times = np.union1d(self.times, seen.times)
            self.doubt(where=len(self.times) > TIMES)
            self.times = None if len(self.times) > TIMES else self.times

    def whole(self) -> Whole:
        """What was found in all parts."""
        self.doubt(where=is_chasm(self.absent, self.kept) or self._said_in_several_ways())
        of_all = {
            "clock-change": None if self.times is None else left_out_hours(self.times),
            "drift": None if self.drift is None else finding_of_drift(self.drift),
        }
        found = {finding.id: finding for finding in joined(self.parts, as_they_are=True)}
        found |= {name: replace(finding, id=name) for name, finding in of_all.items() if finding is not None}
        assert self.columns is not None
        rows, series = (sum(part[what] for part in self.parts) for what in ("rows", "series"))
        findings = [found[name] for name in CHECKS if name in found]
        return Whole(findings, rows, series, self.columns, str(self.parts[0].get("frequency", "")))

    def _said_in_several_ways(self) -> bool:
        said: dict[str, tuple[str, ...]] = {}
        every = (found for part in self.parts for found in part["findings"] if found["id"] not in SUMS)
        return any(said.setdefault(one["id"], (said_of := _words(one))) != said_of for one in every)


def _words(found: dict[str, str]) -> tuple[str, ...]:
    return found["severity"], found["what"], found["remedy"]


def looked_at(
    parts: Parts,
    folder: str | None,
    seen_of: Callable[[Rows, Faults], Seen],
    found_in: Callable[[Seen], list[Finding]],
    *,
    guessed: bool,
    fits: bool,
) -> Whole | None:
    """What is found in parts; None where they are better looked at as one, which is so for what is not the same then,
    and where series are apart, as far as all of it `fits` into the memory. Else series that are apart are gathered in
    the folder, if one was named.

    `guessed` says that columns were inferred from the first rows. InputRefused where there are no rows to look at.
    """
    try:
        return _whole(parts.with_faults(), seen_of, found_in, _Running(fits, guessed))
    except OfAllRows:
        return None
    except SeriesApart:
        if fits or folder is None:
            return None
    return _whole(parts.gathered(folder).with_faults(), seen_of, found_in, _Running(exact=False, guessed=guessed))


def _whole(
    parts: Iterator[tuple[Rows, Faults]],
    seen_of: Callable[[Rows, Faults], Seen],
    found_in: Callable[[Seen], list[Finding]],
    running: _Running,
) -> Whole:
    later: InputRefused | None = None
    for rows, faults in parts:
        try:
            seen = seen_of(rows, faults)
        except InputRefused as error:  # all of it is later than --as-of
            later = error
            continue
        running.add(seen, found_in(seen))
    if not running.parts and later is not None:
        raise later
    return running.whole()
