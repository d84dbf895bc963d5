"""A picture of forecasts that can be looked at in a prompt and in a notebook, or written."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rnncli import files
from rnncli.charts.choice import SAYS, chosen, usual_order
from rnncli.charts.fans import Fans
from rnncli.charts.style import KINDS, encoded, need_matplotlib
from rnncli.data.targets import shown_targets
from rnncli.errors import UsageError

MOST, MOST_IN_TEXT = 6, 3  # series of a picture, where nothing else is said
LARGEST = 200  # series of a file: beyond that a picture has more dots than can be drawn, and a page is too long to read


@dataclass(frozen=True)
class Picture:
    """Fan charts of some series: history, forecast, intervals, and what came.

    It shows itself in a notebook, and as text in a prompt. `says` is what is drawn.
    """

    fans: Fans
    says: str
    unit: str = ""

    @cached_property
    def figure(self) -> Any:
        """The figure of matplotlib, for who wants to change it. MissingDependency where that is not installed."""
        from rnncli.charts.fan_figure import fan_figure

        return fan_figure(self.fans, self.says, self.unit)

    def encode(self, kind: str) -> bytes:
        """The picture as a file's bytes: png, svg or html. UsageError if it would be too large."""
        if len(self.fans) > LARGEST:
            says = f"a picture holds {LARGEST} series at most, not {len(self.fans):,}"
            raise UsageError(says, hint="choose some: --ids A,B or --series N")
        if kind == "html":
            from rnncli.charts.fan_page import fan_page

            return fan_page(self.fans, self.says, self.unit)
        from rnncli.charts.fan_page import described

        every = "; ".join(described(self.fans, self.fans.fan(place)) for place in range(len(self.fans)))
        return encoded(self.figure, kind, self.says, every)

    def write(self, path: str | os.PathLike[str]) -> int:
        """Write the file that the suffix asks for (.png, .svg, .html), whole or not at all; returns its bytes."""
        data = self.encode(kind_of(path))
        files.atomic_write(path, data)
        return len(data)

    def __str__(self) -> str:
        from rnncli.charts.text import as_text, text_lines

        return as_text(text_lines(self.fans, self.says, self.unit))

    __repr__ = __str__

    def _repr_png_(self) -> bytes | None:
        return None if find_spec("matplotlib") is None else self.encode("png")


def kind_of(path: str | os.PathLike[str], kinds: tuple[str, ...] = KINDS) -> str:
    """What a file is to hold, by its suffix. UsageError where that is no picture, MissingDependency where it cannot be
    drawn.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in kinds:
        raise UsageError(f"a picture ends in {', '.join(kinds[:-1])} or {kinds[-1]}, not {os.fspath(path)!r}")
    need_matplotlib()
    return suffix.removeprefix(".")


def picture(
    fans: Fans, *, ids: Iterable[str] | None = None, order: str | None = None, most: int = MOST, unit: str = ""
) -> Picture:
    """The series that are named, or the first `most` by an order: worst, largest or first; by default the worst where
    anything came, else the largest. UsageError as `chosen` has it.
    """
    named = None if ids is None else list(ids)
    order = order or usual_order(fans)
    some = fans.select(chosen(fans, named, order, most))
    which = "" if named or len(some) == len(fans) else f"; {SAYS[order]}, {len(some)} of {len(fans):,} series"
    frequency = fans.calendar.frequency
    each = "" if (frequency.unit, frequency.multiple) == ("step", 1) else f" of {frequency}"
    steps = f"{fans.horizon:,} step{'s' * (fans.horizon != 1)}{each}"
    return Picture(some, f"Forecast of {shown_targets(fans.columns)}, {steps}{which}", unit)
