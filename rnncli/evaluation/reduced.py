"""Scores of parts of the series, each reduced to a few numbers, and the report of them all, to the last bit the one
that is made of all series together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def joined(parts: Iterable[Part], notes: tuple[str, ...] = (), losses: Sequence[Part] | None = None) -> Report:
    """The report of all series of which these are parts; the `losses` of every forecast are in the parts, or beside
    them in such as have no more than these. NoWindow if none of them can be scored.
    """
    every = list(parts)
    whole = merged(every)
    if not whole["series"]:
        raise NoWindow(
            "no series is long enough to hide the rows to be scored, and forecast them",
            whole["panel"],
            hint="give longer series, or a shorter horizon",
        )
    return Report(
        ids=(),
        scores={name: _scores(scores) for name, scores in whole["scores"].items()},
        levels=tuple(whole["levels"]),
        horizon=whole["horizon"],
        season=whole["season"],
        windows=tuple(Window(*counts) for counts in whole["windows"]),
        dishonest=None if whole["dishonest"] is None else np.array([whole["dishonest"] > 0]),
        losses=_joined_losses(every if losses is None else losses, whole),
        notes=notes,
        count=whole["series"],
    )


def merged(parts: Sequence[Part]) -> Part:
    """Several parts as one, without the losses of every forecast."""
    scored = [part for part in parts if part["series"]]
    panel = sum(part["panel"] for part in parts)
    if not scored:
        return nothing(panel)
    first = max(scored, key=lambda part: len(part["windows"]))
    return {
        "panel": panel,
        "series": sum(part["series"] for part in scored),
        "dishonest": None if first["dishonest"] is None else sum(part["dishonest"] for part in scored),
        "windows": _windows(parts, len(first["windows"])),
        "overlap": max(part["overlap"] for part in scored),
        **{name: first[name] for name in ("levels", "horizon", "season")},
        "scores": {name: _merged([part["scores"][name] for part in scored]) for name in first["scores"]},
    }


def _merged(scores: Sequence[dict[str, Any]]) -> dict[str, Any]:
    columns = {}
    for name, (_, _, root, _) in scores[0]["columns"].items():
        every = [one["columns"][name] for one in scores]
        above, below = (exact([value for one in every for value in one[side]]) for side in (0, 1))
        columns[name] = [above, below, root, sum(one[3] for one in every)]
    return {"losses": scores[0]["losses"], "columns": columns}


def _scores(reduced: dict[str, Any]) -> Scores:
    columns = {
        name: Summed(np.array(above), np.array(below), root)
        for name, (above, below, root, _) in reduced["columns"].items()
    }
    unknown = {name: column[3] for name, column in reduced["columns"].items()}
    overall = {name: summed.value for name, summed in columns.items()}
    return Scores(overall, {}, tuple(reduced["losses"]), columns, unknown)


def _windows(parts: Sequence[Part], count: int) -> list[list[int]]:
    """The windows of all parts: they are counted back from the last, and a part without one has skipped it."""
    found = []
    for back in reversed(range(count)):
        sums = [0, 0, 0]
        for part in parts:
            own = part.get("windows", [])
            counts = own[-1 - back] if back < len(own) else [0, 0, part["panel"]]
            sums = [one + other for one, other in zip(sums, counts, strict=True)]
        found.append(sums)
    return found


def _joined_losses(parts: Sequence[Part], whole: Part) -> Losses:
    """The losses of every forecast in the order of the series' ids, if the parts have them."""
    having = [part for part in parts if "losses" in part]
    if not having:
        return Losses(np.zeros(0, np.int64), np.zeros(0, np.int64), whole["overlap"], {})
    later = [len(whole["windows"]) - len(part["windows"]) for part in having]
    ids = np.concatenate([np.asarray(part["losses"]["ids"]) for part in having])
    window = np.concatenate([np.array(part["losses"]["window"]) + by for part, by in zip(having, later, strict=True)])
    _, series = np.unique(ids, return_inverse=True)
    order = np.lexsort((series, window))
    names = having[0]["losses"]["of"]
    of = {name: np.concatenate([np.array(part["losses"]["of"][name], np.float64) for part in having]) for name in names}
    return Losses(series[order], window[order], whole["overlap"], {name: values[order] for name, values in of.items()})
