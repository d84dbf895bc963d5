"""Gradients that fade or grow on their way down through the layers, at one step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding
from rnncli.diagnostics.profile import SMALLEST, LayerFlow
from rnncli.diagnostics.resampling import Floats, Interval, interval

FADES, GROWS = 1e-3, 100.0
VANISHING = (
    f"at one step, less than {FADES:g} of the gradient at the last layer comes down to the first one, and so does the"
    " whole interval"
)
EXPLODING = (
    f"at one step, the gradient is more than {GROWS:g} times as large at the first layer as at the last one, and so is"
    " the whole interval"
)


def depth_vanishing(evidence: Evidence) -> Iterator[Finding]:
    """Lower layers hear nothing of the loss: their part of the forecast is next to none."""
    flows = evidence.flow.layers
    share, found = across(flows)
    if share is not None and max([share, *(found or ())]) < FADES:
        layer, part = _worst(flows, least=True)
        says = f"it lets {part:.2g} of the gradient down; {share:.2g} comes down to layer 0"
        yield Finding("depth-vanishing", says, VANISHING, share, layer)


def depth_exploding(evidence: Evidence) -> Iterator[Finding]:
    """Lower layers are thrown about by what the upper ones make of the loss."""
    flows = evidence.flow.layers
    share, found = across(flows)
    if share is not None and min([share, *(found or ())]) > GROWS:
        layer, part = _worst(flows, least=False)
        says = f"the gradient is {part:.3g} times as large below it; at layer 0 it is {share:.3g} times that at the top"
        yield Finding("depth-exploding", says, EXPLODING, share, layer)


def across(flows: Sequence[LayerFlow]) -> tuple[float | None, Interval | None]:
    """The gradient at the first layer as a share of that at the last, at the last step, and its interval; None of one
    layer alone, or of one that reads from both ends.
    """
    if flows[0].alone is None:
        return None, None
    first, last = (_at_once(flow) for flow in (flows[0], flows[-1]))
    if not last.mean() > SMALLEST or not np.isfinite([*first, *last]).all():
        return None, None
    return float(first.mean() / last.mean()), interval(flows[0].groups, lambda drawn: (drawn @ first) / (drawn @ last))


def _at_once(flow: LayerFlow) -> Floats:
    """The gradient at lag 0, [rows]."""
    return np.asarray(flow.own.norms["state"][0], dtype=np.float64)


def _worst(flows: Sequence[LayerFlow], *, least: bool) -> tuple[int, float]:
    """The layer that shrinks, or stretches, the gradient most, and how much of it comes out below."""
    sizes = np.array([max(float(_at_once(flow).mean()), SMALLEST) for flow in flows])
    passed = sizes[:-1] / sizes[1:]
    place = int(np.argmin(passed) if least else np.argmax(passed))
    return flows[place + 1].layer, float(passed[place])
