"""The name of a layer, or of one direction of a bidirectional one."""

from __future__ import annotations


def layer_name(layer: int, direction: str = "") -> str:
    """`layer 1`, or `layer 1 backward`: each direction of a bidirectional layer is a cell of its own."""
    return f"layer {layer} {direction}".rstrip()


def tensor_prefix(layer: int, direction: str = "") -> str:
    """The prefix of the names of its tensors: `layer1.` or `layer1.backward.`."""
    return f"layer{layer}.{direction}." if direction else f"layer{layer}."
