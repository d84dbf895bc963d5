"""Scores of parts of the series, each reduced to a few numbers, and the report of them all, to the last bit the one
that is made of all series together.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from rnncli.data.sums import exact
from rnncli.evaluation.backtest import NoWindow
from rnncli.evaluation.paired import Losses
from rnncli.evaluation.report import Report, Window
from rnncli.evaluation.scores import Scores, Summed

Part = dict[str, Any]  # JSON values


def reduced(report: Report, *, losses: bool = False) -> Part:
    """The report of some series as JSON values; with `losses` also those of every forecast, for paired tests."""
    last = report.windows[-1]
    part = {
        "panel": last.forecasts + last.skipped,
        "series": report.series,
        "dishonest": None if report.dishonest is None else int(report.dishonest.sum()),
        "windows": [[window.forecasts, window.values, window.skipped] for window in report.windows],
        "overlap": report.losses.overlap,
        "levels": list(report.levels),
        "horizon": report.horizon,
        "season": report.season,
        "scores": {name: _reduced(scores) for name, scores in report.scores.items()},
    }
    return part | ({"losses": _losses(report)} if losses else {})


def nothing(series: int) -> Part:
    """The part of so many series of which none can be scored."""
    return {"panel": series, "series": 0}


def _reduced(scores: Scores) -> dict[str, Any]:
    columns = {
        name: [exact(summed.above.tolist()), exact(summed.below.tolist()), summed.root, scores.undefined[name]]
        for name, summed in scores.summed.items()
    }
    return {"losses": list(scores.losses), "columns": columns}


def _losses(report: Report) -> dict[str, Any]:
    of = report.losses
    _, owner = np.unique(of.series, return_inverse=True)
    return {
        "ids": [report.ids[place] for place in owner.tolist()],
        "window": of.window.tolist(),
        "of": {name: values.tolist() for name, values in of.of.items()},
    }


def joined(parts: Iterable[Part], notes: tuple[str, ...] = ()) -> Report:
    """The report of all series of which these are parts. NoWindow if none of them can be scored."""
    every = list(parts)
    scored = [part for part in every if part["series"]]
    panel = sum(part["panel"] for part in every)
    if not scored:
        raise NoWindow(
            "no series is long enough to hide the rows to be scored, and forecast them",
            panel,
            hint="give longer series, or a shorter horizon",
        )
    first = max(scored, key=lambda part: len(part["windows"]))
    honest = first["dishonest"] is None
    return Report(
        ids=(),
        scores={name: _joined([part["scores"][name] for part in scored]) for name in first["scores"]},
        levels=tuple(first["levels"]),
        horizon=first["horizon"],
        season=first["season"],
        windows=tuple(_windows(every, len(first["windows"]))),
        dishonest=None if honest else np.array([any(part["dishonest"] for part in scored)]),
        losses=_joined_losses(scored, len(first["windows"])),
        notes=notes,
        count=sum(part["series"] for part in scored),
    )


def _joined(scores: list[dict[str, Any]]) -> Scores:
    columns: dict[str, Summed] = {}
    unknown: dict[str, int] = {}
    for name, (_, _, root, _) in scores[0]["columns"].items():
        every = [one["columns"][name] for one in scores]
        above, below = (np.array([value for one in every for value in one[side]]) for side in (0, 1))
        columns[name] = Summed(above, below, root)
        unknown[name] = sum(one[3] for one in every)
    overall = {name: summed.value for name, summed in columns.items()}
    return Scores(overall, {}, tuple(scores[0]["losses"]), columns, unknown)


def _windows(parts: list[Part], count: int) -> Iterable[Window]:
    """The windows of all parts: they are counted back from the last, and a part without one has skipped it."""
    for back in reversed(range(count)):
        sums = [0, 0, 0]
        for part in parts:
            own = part.get("windows", [])
            counts = own[-1 - back] if back < len(own) else [0, 0, part["panel"]]
            sums = [one + other for one, other in zip(sums, counts, strict=True)]
        yield Window(*sums)


def _joined_losses(parts: list[Part], count: int) -> Losses:
    """The losses of every forecast in the order of the series' ids, if the parts have them."""
    overlap = max(part["overlap"] for part in parts)
    having = [part for part in parts if "losses" in part]
    if not having:
        return Losses(np.zeros(0, np.int64), np.zeros(0, np.int64), overlap, {})
    later = [count - len(part["windows"]) for part in having]
    ids = np.array([name for part in having for name in part["losses"]["ids"]])
    window = np.concatenate([np.array(part["losses"]["window"]) + by for part, by in zip(having, later, strict=True)])
    _, series = np.unique(ids, return_inverse=True)
    order = np.lexsort((series, window))
    names = having[0]["losses"]["of"]
    of = {name: np.concatenate([np.array(part["losses"]["of"][name], np.float64) for part in having]) for name in names}
    return Losses(series[order], window[order], overlap, {name: values[order] for name, values in of.items()})
