"""Covariates that are not there when they are needed, that change and should not, or that know the future."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.checks.finding import SHOWN, Example, Finding, Severity
from rnncli.data.checks.seen import Seen
from rnncli.data.panel import Panel
from rnncli.data.targets import of_each_target

LAGS = 48  # at least so many steps ahead are looked at
MOST_LAGS = 400
ROWS, LOOK = 200_000, 5_000  # rows that decide, and rows that say where to look
SAME = 0.9999  # correlation of changes
CHANGES = 12  # of the target and of the covariate, or nothing can be said


def future_ends_early(seen: Seen) -> Finding | None:
    """Series whose future covariates are not known for the horizon after the last target."""
    names = [place for place, name in enumerate(seen.rows.channel_names) if name in seen.columns.future]
    if not names:
        return None
    ends, wanted = _last_observed(seen, [0]), seen.horizon or 1
    if seen.trained is None:
        known = np.min([_last_observed(seen, [place]) for place in names], axis=0)
        ahead = _steps_between(seen, ends, known)
    else:
        ahead = _known_steps(seen, ends, names, wanted)
    found = np.flatnonzero((ahead < wanted) & (ends >= 0))
    if not len(found):
        return None
    least = found[np.argsort(ahead[found], kind="stable")]
    says = [
        f"{max(int(ahead[s]), 0):,} step{'s' * bool(ahead[s] != 1)} after the last target"
        for s in least[:SHOWN].tolist()
    ]
    severity: Severity = "error" if seen.trained is not None else "warning" if seen.horizon else "note"
    steps = f"{seen.horizon:,} steps" if seen.horizon else "the horizon"
    return Finding(
        severity,
        f"series have future covariates that do not reach {steps} after the last target",
        len(found),
        seen.of_series(least, says, -ahead[least]),
        "predict needs rows with the covariates and an empty target, one a step; train and evaluate do without",
    )


def _last_observed(seen: Seen, channels: list[int]) -> Ints:
    """Position in `order` of the last row of each series with a value in these channels; -1 without one."""
    observed = np.flatnonzero(~np.isnan(seen.values[:, channels]).any(axis=1))
    place = np.searchsorted(observed, seen.offsets[1:]) - 1
    last = observed[np.maximum(place, 0)] if observed.size else np.zeros(len(place), np.int64)
    return np.where((place >= 0) & (last >= seen.offsets[:-1]), last, -1)


def _known_steps(seen: Seen, ends: Ints, channels: list[int], wanted: int) -> Ints:
    """The number of the `wanted` steps after row ends[s] of which something is known: predict needs all of them."""
    steps = np.arange(len(seen.order)) if seen.ordinals is None else seen.ordinals
    ahead = steps - steps[ends[seen.owner]]
    known = ~np.isnan(seen.values[:, channels]).all(axis=1)
    return np.bincount(seen.owner[known & (ahead > 0) & (ahead <= wanted)], minlength=len(ends))


def _steps_between(seen: Seen, one: Ints, other: Ints) -> Ints:
    steps = np.arange(len(seen.order)) if seen.ordinals is None else seen.ordinals
    return np.where((one >= 0) & (other >= 0), steps[other] - steps[one], -1)


def static_changes(seen: Seen) -> Finding | None:
    """Series in which a column that was declared static changes."""
    examples: list[Example] = []
    count = 0
    for place, name in enumerate(seen.rows.channel_names):
        if name in seen.columns.static:
            channel = seen.rows.values[seen.order, place]
            low = np.fmin.reduceat(channel, seen.offsets[:-1])
            high = np.fmax.reduceat(channel, seen.offsets[:-1])
            found = np.flatnonzero(high > low).tolist()
            count += len(found)
            examples += [Example(seen.ids[s], says=f"column {name!r}") for s in found[:SHOWN]]
    if not count:
        return None
    name = examples[0].says.split("'")[1] if "'" in examples[0].says else "NAME"
    return Finding(
        "error",
        "series have a static column that changes",
        count,
        tuple(examples[:SHOWN]),
        f"declare it with --past or --future: --past {name}",
    )


@dataclass(frozen=True)
class _Copy:
    name: str
    lag: int
    pairs: int
    exact: bool
    target: str | None  # which of several

    def __str__(self) -> str:
        target = "the target" if self.target is None else f"target {self.target!r}"
        what = f"equals {target}" if self.exact else f"rises and falls exactly with {target}"
        when = f" {self.lag} step{'s' * (self.lag > 1)} later" if self.lag else ""
        return f"column {self.name!r} {what}{when}, in {self.pairs:,} pairs of rows"


def leakage(seen: Seen) -> Finding | None:
    """Covariates that are the future target: so many steps ahead, or as something known ahead."""
    found = [copy for copy in _copies(seen) if copy.lag > 0 or copy.name in seen.columns.future]
    return _of_copies(
        "error",
        "covariates know the future target",
        found,
        "leave them out: no forecast will have them; or shift them to the time at which they are known",
    )


def target_copy(seen: Seen) -> Finding | None:
    """Past covariates that are the target itself."""
    found = [copy for copy in _copies(seen) if not copy.lag and copy.name in seen.columns.past]
    return _of_copies("warning", "covariates are the target itself", found, "leave them out: they say nothing new")


def _of_copies(severity: Severity, what: str, found: list[_Copy], remedy: str) -> Finding | None:
    if not found:
        return None
    return Finding(severity, what, len(found), tuple(Example(says=str(copy)) for copy in found[:SHOWN]), remedy)


def _copies(seen: Seen) -> list[_Copy]:
    """The covariates whose changes are the target's, at a lag ahead or none."""
    names = (*seen.columns.past, *seen.columns.future)
    places = {channel.name: place for place, channel in enumerate(seen.rows.channels) if channel.kind == "number"}
    numeric = [name for name in names if name in places]
    found = []
    for target, (values, offsets) in _gridded(seen):
        found += [_copy(name, values[:, 0], values[:, places[name]], offsets, seen, target) for name in numeric]
    return [copy for copy in found if copy is not None]


def _gridded(seen: Seen) -> Iterator[tuple[str | None, tuple[Floats, Ints]]]:
    """Values one row a step, where there is a grid; of several targets those of each, with its name."""
    panel = seen.panel
    if not isinstance(panel, Panel):
        yield None, _enough(seen.values, seen.offsets)
        return
    targets = of_each_target(panel, seen.columns)
    for name, of in targets.items():
        some = panel.select(np.flatnonzero(of))
        if len(some):
            yield name, _enough(some.values, some.offsets)
    if not targets:
        yield None, _enough(panel.values, panel.offsets)


def _enough(values: Floats, offsets: Ints) -> tuple[Floats, Ints]:
    """No more rows than are needed to decide."""
    series = max(1, int(np.searchsorted(offsets, ROWS)) - 1)
    offsets = offsets[: series + 1]
    return values[: min(int(offsets[-1]), ROWS)], np.minimum(offsets, ROWS)


def _copy(name: str, target: Floats, covariate: Floats, offsets: Ints, seen: Seen, of: str | None) -> _Copy | None:
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    most = min(MOST_LAGS, max(LAGS, seen.horizon or 0))
    lags = sorted(range(-most, most + 1), key=abs)
    begin = _densest(target, covariate)
    part = slice(begin, begin + LOOK)
    scores = {lag: _agreement(target[part], covariate[part], owner[part], lag)[0] for lag in lags}
    best = max(lags, key=lambda lag: round(scores[lag], 7))
    if best < 0 or scores[best] < SAME:
        return None
    score, pairs, exact = _agreement(target, covariate, owner, best)
    return _Copy(name, best, pairs, exact, of) if score >= SAME else None


def _densest(target: Floats, covariate: Floats) -> int:
    """Where to look: the first block in which both change."""
    both = ~np.isnan(target) & ~np.isnan(covariate)
    counts = np.add.reduceat(both, np.arange(0, len(both), LOOK), dtype=np.int64)
    return int(np.argmax(counts)) * LOOK


def _agreement(target: Floats, covariate: Floats, owner: Ints, lag: int) -> tuple[float, int, bool]:
    """Correlation of the changes of the target, `lag` steps on, with those of the covariate; pairs; whether equal."""
    size = len(target) - abs(lag)
    if size < CHANGES:
        return 0.0, 0, False
    ahead, here = (target[lag:], covariate[:size]) if lag >= 0 else (target[:size], covariate[-lag:])
    same = owner[: len(owner) - abs(lag)] == owner[abs(lag) :]
    usable = same & ~np.isnan(ahead) & ~np.isnan(here)
    steps = usable[1:] & usable[:-1] & (owner[1:size] == owner[: size - 1])
    rise, fall = np.diff(ahead)[steps], np.diff(here)[steps]
    if min(np.count_nonzero(rise), np.count_nonzero(fall)) < CHANGES:
        return 0.0, 0, False
    rise, fall = rise - rise.mean(), fall - fall.mean()
    total = float(np.sqrt((rise @ rise) * (fall @ fall)))
    noise = 1e-9 * float(np.abs(ahead[usable]).max() * np.abs(here[usable]).max()) * len(rise)
    if not total > noise:
        return 0.0, 0, False
    exact = bool((ahead[usable] == here[usable]).all())
    return abs(float(rise @ fall)) / total, int(np.count_nonzero(usable)), exact
