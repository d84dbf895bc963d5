"""The names that `--cell` takes: `lstm`, `fir:24`, `dilated:24:gru`, `bidirectional:lstm`, `conv:3:lstm`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

DILATED, BIDIRECTIONAL, FIR, CONV = "dilated", "bidirectional", "fir", "conv"
DIGITS = 9  # of a number; nothing that has one is so large
_KERNEL = re.compile(r"([0-9]{1,4})(?:x([0-9]{1,4}))?(?:([/+])([0-9]{1,4}))?", re.ASCII)


@dataclass(frozen=True)
class Kernel:
    """How a layer looks around a pixel: at `input` x `input` pixels of its input and `state` x `state` of its state.

    Its grid has every `stride`-th row and column of its input's (`/2`), or `growth` times as many (`+2`).
    """

    input: int
    state: int
    stride: int = 1
    growth: int = 1

    def __str__(self) -> str:
        sides = f"{self.input}" if self.input == self.state else f"{self.input}x{self.state}"
        return sides + (f"/{self.stride}" if self.stride > 1 else "") + (f"+{self.growth}" if self.growth > 1 else "")

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of the state, for an input of so many."""
        return tuple(-(-size * self.growth // self.stride) for size in (height, width))  # type: ignore[return-value]


@dataclass(frozen=True)
class CellName:
    """A cell's name, parsed: HEAD, HEAD:NUMBER, or a wrapper before another name, HEAD[:NUMBER]:INNER, of which a
    convolution has a kernel for a number.

    Whether there is a cell of that name is not known here. A dilation may have no number yet (`waits`).
    """

    head: str
    number: int | None = None
    inner: CellName | None = None
    kernel: Kernel | None = None

    def __str__(self) -> str:
        parts = (self.head, *(str(part) for part in (self.number, self.kernel, self.inner) if part is not None))
        return ":".join(parts)

    @property
    def bidirectional(self) -> bool:
        """Whether the layer reads a sequence from both ends."""
        return self.head == BIDIRECTIONAL

    @property
    def core(self) -> CellName:
        """The cell itself, without what is wrapped around it."""
        return self if self.inner is None else self.inner.core

    @property
    def waits(self) -> bool:
        """Whether a dilation in it has no number yet."""
        return (self.head == DILATED and self.number is None) or (self.inner is not None and self.inner.waits)

    def dilated_by(self, steps: int) -> CellName:
        """The name with this number in the dilation that waits for one."""
        if self.head == DILATED and self.number is None:
            return replace(self, number=steps)
        return self if self.inner is None else replace(self, inner=self.inner.dilated_by(steps))


def parsed(text: str) -> CellName:
    """The name of one layer's cell. What fits no form is the head of a name, which no cell has."""
    head, colon, rest = text.partition(":")
    if not colon:
        return CellName(text)
    if head == BIDIRECTIONAL:
        return CellName(head, None, parsed(rest))
    if head == DILATED:
        steps, colon, inner = rest.partition(":")
        numbered = bool(colon) and _is_number(steps)
        return CellName(head, int(steps), parsed(inner)) if numbered else CellName(head, None, parsed(rest))
    if head == CONV:
        sides, _, inner = rest.partition(":")
        kernel = _kernel(sides)
        return CellName(text) if kernel is None else CellName(head, None, parsed(inner), kernel)
    return CellName(head, int(rest)) if head == FIR and _is_number(rest) else CellName(text)


def parsed_list(text: str) -> tuple[CellName, ...]:
    """The names in a list, separated by commas: one for every layer, or one for each."""
    return tuple(parsed(name) for name in text.split(","))


def _kernel(text: str) -> Kernel | None:
    """A kernel as `3`, `5x3`, `3/2` or `3+2`; None for anything else."""
    found = _KERNEL.fullmatch(text)
    if found is None:
        return None
    side, state, change, times = found.groups()
    stride, growth = (int(times) if change == mark else 1 for mark in "/+")
    return Kernel(int(side), int(state or side), stride, growth)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= DIGITS
