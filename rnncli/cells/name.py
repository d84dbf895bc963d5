"""The names that `--cell` takes: `lstm`, `fir:24`, `dilated:24:gru`, `bidirectional:lstm`."""

from __future__ import annotations

from dataclasses import dataclass, replace

DILATED, BIDIRECTIONAL, FIR = "dilated", "bidirectional", "fir"
DIGITS = 9  # of a number; nothing that has one is so large


@dataclass(frozen=True)
class CellName:
    """A cell's name, parsed: HEAD, HEAD:NUMBER, or a wrapper before another name, HEAD[:NUMBER]:INNER.

    Whether there is a cell of that name is not known here. A dilation may have no number yet (`waits`).
    """

    head: str
    number: int | None = None
    inner: CellName | None = None

    def __str__(self) -> str:
        parts = (self.head, *(str(part) for part in (self.number, self.inner) if part is not None))
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
    return CellName(head, int(rest)) if head == FIR and _is_number(rest) else CellName(text)


def parsed_list(text: str) -> tuple[CellName, ...]:
    """The names in a list, separated by commas: one for every layer, or one for each."""
    return tuple(parsed(name) for name in text.split(","))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= DIGITS
