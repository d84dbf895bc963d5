"""Channels of labelled tables that know the label, say nothing, or are mostly missing."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Floats
from rnncli.data.checks.finding import SHOWN, Example, Finding
from rnncli.data.checks.labelled import SeenLabels

MOSTLY = 0.5  # of a channel's values are missing
EXAMPLES = 3  # of each class at least, or a channel may follow the classes by accident


def label_leakage(seen: SeenLabels) -> Finding | None:
    """Channels that are the label: equal to it, or with one value for each class that never changes in a sequence."""
    if seen.known is not None:
        return None
    found = [
        Example(says=f"channel {channel.name!r} {says}")
        for place, channel in enumerate(seen.found.rows.channels[1:], 1)
        if (says := _tells(seen, seen.values[:, place]))
    ]
    if not found:
        return None
    remedy = "leave them out (--channels names the others): where a label is asked for, nobody knows them"
    return Finding("error", "channels tell the label", len(found), tuple(found[:SHOWN]), remedy)


def _tells(seen: SeenLabels, values: Floats) -> str:
    """How a channel tells the label; empty if it does not."""
    label = seen.values[:, 0] if seen.per_step else np.repeat(seen.extremes[0], np.diff(seen.offsets))
    both = ~np.isnan(label) & ~np.isnan(values)
    if not both.any():
        return ""
    if seen.label.kind == "number":
        return "equals it in every row" if both.all() and (label == values).all() else ""
    if not seen.per_step:
        begins = seen.offsets[:-1]
        if (np.fmin.reduceat(values, begins) != np.fmax.reduceat(values, begins)).any():
            return ""
        label, values = seen.extremes[0], values[begins]
        both = ~np.isnan(label) & ~np.isnan(values)
    pairs, counts = np.unique(np.stack([label[both], values[both]]), axis=1, return_counts=True)
    classes = len(np.unique(pairs[0]))
    alike = classes == pairs.shape[1] == len(np.unique(pairs[1])) and classes > 1
    return "has one value for each class" if alike and counts.min() >= EXAMPLES else ""


def channel_missing(seen: SeenLabels) -> Finding | None:
    """Channels of which most values are missing."""
    share = np.isnan(seen.values[:, 1:]).mean(axis=0)
    found = np.flatnonzero(share > MOSTLY)
    if not len(found):
        return None
    names = [channel.name for channel in seen.found.rows.channels[1:]]
    worst = sorted(found.tolist(), key=lambda place: -share[place])
    examples = tuple(Example(says=f"channel {names[place]!r}: {share[place]:.0%}") for place in worst[:SHOWN])
    remedy = "leave them out if they say nothing (--channels names the others)"
    return Finding("warning", "channels are mostly missing", len(found), examples, remedy)


def channel_passed_over(seen: SeenLabels) -> Finding | None:
    """Columns that are no channels: constant, without any value, names of rows or sequences, free texts, times."""
    passed = seen.found.passed
    if not passed:
        return None
    examples = tuple(Example(says=f"column {name!r}: {why}") for name, why in passed[:SHOWN])
    remedy = "nothing needs to be done; --channels names what is to be a channel"
    return Finding("note", "columns are passed over", len(passed), examples, remedy)
