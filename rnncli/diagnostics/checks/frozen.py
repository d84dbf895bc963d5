"""Layers that no gradient reaches, so that training leaves them as they are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rnncli.diagnostics.direction import tensor_prefix
from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.finding import Finding

FROZEN = 1e-4
RULE = f"the weights of a layer get for their size less than {FROZEN:g} of the gradient that others get"


def frozen(evidence: Evidence) -> Iterator[Finding]:
    """Layers whose matrices' gradients, for their size, are nothing beside the best layer's or the head's."""
    layers = [(flow.layer, flow.direction) for flow in evidence.flow.layers]
    sizes = [_relative(evidence, tensor_prefix(layer, direction)) for layer, direction in layers]
    head = _relative(evidence, "head.")
    usual = max(max(map(max, filter(None, sizes)), default=0.0), float(np.median(head)) if head else 0.0)
    for (layer, direction), size in zip(layers, sizes, strict=True):
        share = max(size, default=0.0) / usual if usual > 0 else 1.0
        if share < FROZEN:
            yield Finding(
                "frozen", f"its weights get {share:.1g} of the gradient", RULE, share, layer, direction=direction
            )


def _relative(evidence: Evidence, prefix: str) -> list[float]:
    """The gradient of each matrix as a share of its norm."""
    tensors = [tensor for tensor in evidence.flow.tensors if tensor.tensor.startswith(prefix)]
    return [t.gradient / t.weight for t in tensors if t.weight > 0 and "bias" not in t.tensor]
