"""What the doctor asks of the data, and of a trained network on rows that its training saw and on those held out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnncli.arrays import Floats, Ints
from rnncli.data.panel import Panel
from rnncli.diagnostics.learned import Asked, Learned
from rnncli.diagnostics.order import Order, order
from rnncli.diagnostics.resampling import FEWEST
from rnncli.tasks.plan import Plan
from rnncli.tasks.task import Facts, Points
from rnncli.training.objective import forward, on
from rnncli.training.session import drawn_weights

Weights = Mapping[str, Tensor]
EACH = 4  # questions of a series
CHUNK = 128  # crops at once
FEWEST_VALUES = 3
LAST = "last"
SERIES_IN_ORDER = 40


def learned(panel: Panel, plan: Plan[Any], weights: Weights, most: int) -> Learned | None:
    """What weights say of up to `most` questions about rows that a search sees, and of as many about those that it does
    not, beside the weights that training would draw; None where series are asked about as a whole.
    """
    task, spec = plan.task, plan.spec
    panel = task.visible(panel, plan)
    facts = task.facts(panel, spec)
    if facts.whole or facts.horizon is None or panel.blocks:
        return None
    usable, last = task.last_questions(panel, spec)
    chosen = np.unique(np.linspace(0, len(usable) - 1, min(most // EACH, len(usable))).astype(np.int64))
    series, last = usable[chosen], last[chosen]
    ends = task.hold_out(panel, spec).ends(panel.lengths)[series]
    first = np.minimum(np.maximum(ends // 4, 1), last)
    count = max(EACH, most // len(series))
    saw = _spread(series, first, np.minimum(ends - facts.horizon, last), count)
    held = _spread(series, np.maximum(ends, 1), last, count)
    untrained = drawn_weights(plan, plan.training.seed)
    if not len(saw[0]):
        return None
    return Learned(
        _asked(panel, plan, weights, untrained, *saw),
        _asked(panel, plan, weights, untrained, *held) if len(held[0]) else None,
    )


def _spread(series: Ints, first: Ints, last: Ints, count: int) -> tuple[Ints, Ints]:
    """Up to `count` origins of each series from `first` to `last`; none where that is before it."""
    pairs = zip(first, last, strict=True)
    origins = [np.unique(np.linspace(a, b, count).astype(np.int64)) if a <= b else last[:0] for a, b in pairs]
    return np.repeat(series, [len(one) for one in origins]), np.concatenate(origins)


def _asked(panel: Panel, plan: Plan[Any], weights: Weights, untrained: Weights, series: Ints, origins: Ints) -> Asked:
    parts = [
        _answers(panel, plan, weights, untrained, series[some], origins[some])
        for some in np.array_split(np.arange(len(series)), -(-len(series) // CHUNK))
    ]
    known = np.concatenate([part["known"] for part in parts])
    joined = {name: np.concatenate([part[name] for part in parts])[known] for name in parts[0] if name != "known"}
    plain = {name.removeprefix("plain "): joined[name] for name in joined if name.startswith("plain ")}
    groups = _groups(series[known], origins[known], plan.task.facts(panel, plan.spec).horizon or 1)
    return Asked(groups, joined["losses"], joined["untrained"], joined.get("error"), plain, joined.get("far"))


def _groups(series: Ints, origins: Ints, horizon: int) -> Ints:
    """What is drawn anew for intervals: series or, where there are few, stretches of a horizon, for answers about the
    same rows are right or wrong together.
    """
    if len(np.unique(series)) >= FEWEST:
        return series
    return np.asarray(series * (int(origins.max(initial=0)) // horizon + 1) + origins // horizon)


@torch.no_grad()
def _answers(
    panel: Panel, plan: Plan[Any], weights: Weights, untrained: Weights, series: Ints, origins: Ints
) -> dict[str, Any]:
    """Losses, and errors where answers are points, by name: [n] each; `known` where anything is known of what came."""
    task, spec = plan.task, plan.spec
    seen = on(task.lesson(panel, spec, panel.lengths).ending(series, origins))
    said = forward(weights, plan, seen)
    losses, first = (
        task.loss(spec, one, seen.targets, torch).double().numpy() for one in (said, forward(untrained, plan, seen))
    )
    known = (~torch.isnan(seen.targets)).reshape(len(losses), -1).any(dim=1).numpy()
    points = task.points(spec, said, seen)
    return {"losses": losses, "untrained": first, "known": known} | ({} if points is None else _errors(points))


def _errors(points: Points) -> dict[str, Floats]:
    """Mean absolute errors over what is known of each answer: [o]."""

    def off(one: Tensor, other: Tensor) -> Floats:
        mean = torch.where(torch.isnan(points.came), torch.nan, (one - other).abs()).double().nanmean(dim=1)
        return np.asarray(mean.numpy(), np.float64)

    found = {f"plain {name}": off(plain, points.came) for name, plain in points.plain.items()}
    far = {"far": off(points.said, points.plain[LAST])} if LAST in points.plain else {}
    return {"error": off(points.said, points.came), **found, **far}


def order_of(panel: Panel, facts: Facts) -> Order | None:
    """Whether the order of the rows says anything of the series of a forecast; None of anything else, and where
    covariates may say what rows do not.
    """
    if facts.horizon is None or facts.after or panel.blocks or panel.values.shape[1] > 1:
        return None
    chosen = np.unique(np.linspace(0, len(panel) - 1, min(SERIES_IN_ORDER, len(panel))).astype(np.int64))
    return order((panel.target(int(s)) for s in chosen), facts.lags)


def repeated(panel: Panel) -> tuple[str, ...]:
    """The ids of series that have the very rows of one before them; those of one value alone are all alike."""
    if panel.blocks or not panel.values.size:
        return ()
    seen, found = set[bytes](), []
    for s, name in enumerate(panel.ids):
        rows = panel.values[panel.offsets[s] : panel.offsets[s + 1]]
        if len(np.unique(panel.target(s))) < FEWEST_VALUES:
            continue
        digest = hashlib.sha256(np.ascontiguousarray(rows).tobytes()).digest()
        if digest in seen:
            found.append(name)
        seen.add(digest)
    return tuple(found)
