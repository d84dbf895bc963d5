"""Findings in parts of the data, whole series of them, as the findings in all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnncli.arrays import Floats
from rnncli.data.channel import vocabularies
from rnncli.data.checks.changed import finding_of_fresh, fresh_categories
from rnncli.data.checks.finding import SHOWN, Example, Finding
from rnncli.data.checks.missing import finding_of_columns, of_columns
from rnncli.data.checks.seen import Seen
from rnncli.data.checks.series import finding_of_constants
from rnncli.data.checks.steps import MIXED
from rnncli.registry import CHECKS

OF_ORDER = ("unsorted", "drift")  # what a table without an order cannot say
OF_FACTS = ("covariate-constant", "category-new", "missing", "drift")  # what is made of what parts know, not find
_OF_COLUMNS = ("column-missing", "column-retyped", "time-changed", "number-ambiguous", "leakage", "target-copy")
_OF_TIMES = ("zone-offsets", "frequency-changed", "clock-change", "gap-huge")
ONCE = (*_OF_COLUMNS, *_OF_TIMES, "refused")  # the same in every part, or in one alone
_NUMBER = re.compile(r"\d[\d,]*")
Part = dict[str, Any]  # JSON values


def part_of(findings: Iterable[Finding], seen: Seen | None) -> Part:
    """The findings in some series, and what those in all series are made of, as JSON values."""
    found = {"findings": [_told(finding) for finding in findings], "rows": 0, "series": 0, "first": ""}
    if seen is None or not len(seen.rows.codes):
        return found
    return found | {
        "rows": len(seen.rows.codes),
        "series": len(seen.ids),
        "first": min(seen.ids, default=""),
        "frequency": str(getattr(seen.calendar, "frequency", "")),
        "missing": {name: [count, of] for name, count, of in of_columns(seen)},
        "ranges": dict(_ranges(seen)),
        "fresh": _fresh(seen),
    }


def _told(finding: Finding) -> dict[str, Any]:
    return finding.to_json() | {"weights": [example.weight for example in finding.examples]}


def _ranges(seen: Seen) -> Iterable[tuple[str, list[float]]]:
    """The lowest and highest value of each covariate that is not static; none where it has no value."""
    for place, name in enumerate(seen.rows.channel_names):
        if place and name not in seen.columns.static:
            channel: Floats = seen.values[:, place]
            channel = channel[~np.isnan(channel)]
            yield name, [float(channel.min()), float(channel.max())] if channel.size else []


def _fresh(seen: Seen) -> dict[str, dict[str, int]]:
    """Texts of categorical columns that training did not have, each with its rows."""
    if seen.known is None:
        return {}
    known = vocabularies(seen.known.channels)
    return {name: dict(fresh_categories(seen, name, known[name])) for name in known}


def joined(parts: Sequence[Part], *, as_they_are: bool = False) -> list[Finding]:
    """The findings in all parts, in the order of the registry: counts are sums, examples the worst, or those of the
    first series by name or, where parts stand `as_they_are` in the data, by place.

    Whether rows are in order can only be told there; whether values have drifted, not of findings.
    """
    ordered = list(parts) if as_they_are else sorted(parts, key=lambda part: str(part["first"]))
    left_out = OF_FACTS if as_they_are else (*OF_FACTS, *OF_ORDER)
    by_id: dict[str, list[Finding]] = {}
    for part in ordered:
        for told in part["findings"]:
            by_id.setdefault(told["id"], []).append(_finding(told))
    found = {id: _sum(id, some) for id, some in by_id.items() if id not in left_out}  # noqa: A001
    of_all: dict[str, Callable[[Sequence[Part], Mapping[str, list[Finding]]], Finding | None]] = {
        "too-short": _too_short,
        "nothing-observed": _nothing_observed,
        "frequency-mixed": _frequency_mixed,
        "missing": _missing,
        "covariate-constant": _constant,
        "category-new": _new,
    }
    for id, made in of_all.items():  # noqa: A001
        finding = made(ordered, by_id)
        found.pop(id, None)
        if finding is not None:
            found[id] = replace(finding, id=id)
    return [found[name] for name in CHECKS if name in found]


def _finding(told: Mapping[str, Any]) -> Finding:
    examples = tuple(
        Example(one["series"], one["time"], one["where"], one["says"] or "", weight)
        for one, weight in zip(told["examples"], told["weights"], strict=True)
    )
    return Finding(told["severity"], told["what"], told["count"], examples, told["remedy"], told["id"])


def _sum(id: str, some: list[Finding]) -> Finding:  # noqa: A002  # as a finding calls it
    if id in ONCE:
        return max(some, key=lambda finding: finding.count)
    worst = sorted((example for finding in some for example in finding.examples), key=lambda example: -example.weight)
    examples = tuple(worst[:SHOWN])
    what = _added([finding.what for finding in some]) if id == "gap" else some[0].what
    return replace(some[0], what=what, count=sum(finding.count for finding in some), examples=examples)


def _added(texts: list[str]) -> str:
    """Texts that are alike but for their numbers, as one with the sums of these."""
    columns = zip(*map(_NUMBER.findall, texts), strict=True)
    numbers = iter(f"{sum(int(one.replace(',', '')) for one in column):,}" for column in columns)
    return _NUMBER.sub(lambda _: next(numbers), texts[0])


def _too_short(parts: Sequence[Part], by_id: Mapping[str, list[Finding]]) -> Finding | None:
    """Only where no part has a longer series."""
    some = by_id.get("too-short", [])
    return _sum("too-short", some) if some and len(some) == sum(part["series"] > 0 for part in parts) else None


def _nothing_observed(parts: Sequence[Part], by_id: Mapping[str, list[Finding]]) -> Finding | None:
    """An error where no series has a value in any part."""
    some = by_id.get("nothing-observed", [])
    if not some:
        return None
    whole = _sum("nothing-observed", some)
    if whole.count == sum(part["series"] for part in parts):
        return whole
    return replace(whole, severity="warning", what="series have no value of the target")


def _frequency_mixed(parts: Sequence[Part], by_id: Mapping[str, list[Finding]]) -> Finding | None:
    some = by_id.get("frequency-mixed", [])
    if some:
        return _sum("frequency-mixed", some)
    series: dict[str, int] = {}
    for part in parts:
        if part.get("frequency"):
            series[part["frequency"]] = series.get(part["frequency"], 0) + part["series"]
    if len(series) < 2:
        return None
    usual = max(series, key=lambda name: series[name])
    others = sum(count for name, count in series.items() if name != usual)
    hint = "forecast series of each frequency with a model of their own, or aggregate to the longest step"
    return Finding("error", f"{MIXED}: {', '.join(sorted(series))}", others, (), hint)


def _missing(parts: Sequence[Part], _: Mapping[str, list[Finding]]) -> Finding | None:
    sums: dict[str, tuple[int, int]] = {}
    for part in parts:
        for name, (count, of) in part.get("missing", {}).items():
            before = sums.get(name, (0, 0))
            sums[name] = before[0] + count, before[1] + of
    return finding_of_columns([(name, *counts) for name, counts in sums.items()])


def _constant(parts: Sequence[Part], _: Mapping[str, list[Finding]]) -> Finding | None:
    every = [part["ranges"] for part in parts if "ranges" in part]
    found = []
    for name in every[0] if every else ():
        edges = [edge for ranges in every for edge in ranges[name]]
        if not edges or min(edges) == max(edges):
            found.append((name, bool(edges)))
    return finding_of_constants(found) if sum(part["rows"] for part in parts) > 1 else None


def _new(parts: Sequence[Part], _: Mapping[str, list[Finding]]) -> Finding | None:
    fresh: dict[tuple[str, str], int] = {}
    for part in parts:
        for name, texts in part.get("fresh", {}).items():
            for text, rows in texts.items():
                fresh[name, text] = fresh.get((name, text), 0) + rows
    return finding_of_fresh([(name, text, rows) for (name, text), rows in fresh.items()])
