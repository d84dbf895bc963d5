"""What was noticed in data, a line for each thing, counted over all parts in which they were read."""

from __future__ import annotations

from collections.abc import Iterable


class Notes:
    """Lines about data. Those that count say `{count:,}`, those that name the first of several say `{first!r}`, and
    `{more}` stands for how many more series there are.
    """

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self._found: dict[str, tuple[int, str | None]] = {}
        self._plain: set[str] = set()
        self.extend(lines)

    def extend(self, lines: Iterable[str]) -> None:
        """Lines that are whole."""
        for line in lines:
            self._plain.add(line)
            self._found.setdefault(line, (0, None))

    def add(self, text: str, count: int = 0, first: str | None = None) -> None:
        """A thing that was noticed so many times; of several like it the `first` one is named."""
        before = self._found.get(text, (0, first))
        self._found[text] = before[0] + count, before[1]

    def take(self, other: Notes) -> None:
        """What was noticed in a further part."""
        self._plain |= other._plain
        for text, (count, first) in other._found.items():
            self.add(text, count, first)

    def lines(self) -> tuple[str, ...]:
        """The lines, in the order in which they were first noticed."""
        return tuple(
            text if text in self._plain else text.format(count=count, first=first, more=_more(count - 1))
            for text, (count, first) in self._found.items()
        )


def _more(count: int) -> str:
    return f" (and {count:,} more series)" if count > 0 else ""


def escaped(text: str) -> str:
    """A text as a part of a line that counts: its braces are its own."""
    return text.replace("{", "{{").replace("}", "}}")
