"""Series and columns from which little can be learnt: too short, or never changing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnncli.data.checks.finding import SHOWN, Example, Finding
from rnncli.data.checks.seen import Seen

FEW = 8  # observed rows


def too_short(seen: Seen) -> Finding | None:
    """No series has the two rows that training needs."""
    if seen.trained is not None or (np.diff(seen.offsets) > 1).any():
        return None
    return Finding(
        "error",
        "series have one row each, and training needs two",
        len(seen.ids),
        seen.of_series(range(len(seen.ids))),
        "give longer series, or say which column tells them apart: --id NAME",
    )


def short(seen: Seen) -> Finding | None:
    """Series with hardly more rows than are to be forecast, or with very few."""
    observed = np.add.reduceat(~np.isnan(seen.values[:, 0]), seen.offsets[:-1], dtype=np.int64)
    least = max(FEW, (seen.horizon or 0) + 1) if seen.trained is None else 2
    found = np.flatnonzero((observed > 0) & (observed < least))
    if not len(found) or not (np.diff(seen.offsets) > 1).any():
        return None
    shortest = found[np.argsort(observed[found], kind="stable")]
    says = [f"{observed[s]:,} observed row{'s' * bool(observed[s] != 1)}" for s in shortest[:SHOWN].tolist()]
    return Finding(
        "warning",
        f"series have fewer than {least} observed rows",
        len(found),
        seen.of_series(shortest, says, -observed[shortest]),
        "their forecasts rest on the other series; leave them out if these are not alike",
    )


def constant(seen: Seen) -> Finding | None:
    """Series whose target never changes."""
    target, begins = seen.values[:, 0], seen.offsets[:-1]
    observed = np.add.reduceat(~np.isnan(target), begins, dtype=np.int64)
    low = np.minimum.reduceat(np.where(np.isnan(target), np.inf, target), begins)
    high = np.maximum.reduceat(np.where(np.isnan(target), -np.inf, target), begins)
    found = np.flatnonzero((observed > 1) & (low == high))
    if not len(found):
        return None
    says = [f"always {low[s]:.10g}" for s in found[:SHOWN].tolist()]
    return Finding(
        "warning",
        "series never change",
        len(found),
        seen.of_series(found, says),
        "leave them out: nothing can be learnt from them",
    )


def covariate_constant(seen: Seen) -> Finding | None:
    """Covariates (but static ones) without two different values anywhere."""
    found = []
    for place, name in enumerate(seen.rows.channel_names):
        channel = seen.values[:, place]
        channel = channel[~np.isnan(channel)]
        if place and name not in seen.columns.static and (not channel.size or channel.min() == channel.max()):
            found.append((name, bool(channel.size)))
    return finding_of_constants(found) if len(seen.values) > 1 else None


def finding_of_constants(found: Sequence[tuple[str, bool]]) -> Finding | None:
    """The finding about covariates that never change, of which each has a value or none."""
    if not found:
        return None
    said = [f"column {name!r}" + ("" if seen else " has no value") for name, seen in found[:SHOWN]]
    examples = tuple(Example(says=text) for text in said)
    return Finding("warning", "covariates never change", len(found), examples, "do not declare them")
