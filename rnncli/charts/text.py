"""Fan charts as text: what is drawn in a terminal, in 80 columns, with or without colour."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.charts.axes import short, value_label
from rnncli.charts.fans import Fan, Fans, bands
from rnncli.charts.text_canvas import Canvas, Run
from rnncli.data.writers.table import time_texts
from rnncli.text_width import cells, width, wrapped

WIDTH, HEIGHT = 80, 10  # columns, of the plot with its labels; lines of the plot alone
LABELS = 10  # letters of a number before the axis
OUTER, INNER, ACTUAL = "░", "▒", "●"
MIDNIGHT = " 00:00:00"  # which days need not be told of
Line = list[Run]


def text_lines(fans: Fans, heading: str = "", unit: str = "") -> list[Line]:
    """Lines of at most 80 columns: what is drawn, a plot of each series, and what the letters mean."""
    lines = [[Run(part)] for part in wrapped(heading, WIDTH)]
    for place in range(len(fans)):
        lines += [[], *_plot(fans, fans.fan(place), unit)]
    return [*lines, [], *_legend(fans)]


def as_text(lines: Iterable[Line]) -> str:
    """The lines without colour."""
    return "".join("".join(run.text for run in line).rstrip() + "\n" for line in lines)


def _plot(fans: Fans, fan: Fan, unit: str) -> list[Line]:
    low, high = _range(fan)
    canvas = Canvas(HEIGHT, WIDTH - LABELS - 2)
    past, ahead = _places(fans, fan)
    _draw(canvas, fans, fan, (past, ahead), (low, high))
    named = {0: high, HEIGHT // 2: low + (high - low) * (1 - (HEIGHT // 2 + 0.5) / HEIGHT), HEIGHT - 1: low}
    error = "" if np.isnan(fan.error) else f"  MASE {fan.error:.3g}"
    of = value_label(fans.columns, unit)
    title = fan.name if not of or fan.name == fans.columns.target else f"{short(fan.name)}, {of}"
    lines: list[Line] = [[Run(short(title, WIDTH - width(error)) + error)]]
    for row in range(HEIGHT):
        text = _number(named[row], high - low).rjust(LABELS)[:LABELS] if row in named else " " * LABELS
        lines.append([Run(f"{text} {'┤' if row in named else '│'}"), *canvas.runs(row)])
    return [*lines, _times(fans, fan, past, ahead)]


def _range(fan: Fan) -> tuple[float, float]:
    every = np.concatenate([fan.past, fan.quantiles.ravel(), fan.point, fan.actual])
    every = every[np.isfinite(every)]
    low, high = (float(every.min()), float(every.max())) if every.size else (0.0, 1.0)
    return (low, high) if low < high else (low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2)


def _places(fans: Fans, fan: Fan) -> tuple[Floats, Floats]:
    """Where each step lies, as a share of the width."""
    past, ahead = (fans.calendar.ordinals(times)[0] for times in (fan.past_times, fan.times))
    every = np.concatenate([past, ahead])
    first, wide = (int(every.min()), max(1, int(every.max() - every.min()))) if every.size else (0, 1)
    return (past - first) / wide, (ahead - first) / wide


def _draw(canvas: Canvas, fans: Fans, fan: Fan, places: tuple[Floats, Floats], ends: tuple[float, float]) -> None:
    past, ahead = places

    def share(values: Floats) -> Floats:
        return np.asarray((values - ends[0]) / (ends[1] - ends[0]))

    intervals = bands(fans.levels)
    for place, (letter, kind) in {0: (OUTER, "outer"), len(intervals) // 2: (INNER, "inner")}.items():
        if place < len(intervals) and (place or letter == OUTER):
            edges = (fan.quantiles[:, intervals[place].low], fan.quantiles[:, intervals[place].high])
            canvas.area(ahead, share(edges[0]), share(edges[1]), letter, kind)
    canvas.line(past, share(fan.past), "history")
    canvas.line(ahead, share(fan.point), "median")
    canvas.marks(ahead, share(fan.actual), ACTUAL, "actual")


def _number(value: float, span: float) -> str:
    """A number with as many digits as tell neighbours on its axis apart."""
    digits = max(0, 2 - int(np.floor(np.log10(span)))) if span > 0 else 3
    plain = f"{value:,.{min(digits, 6)}f}"
    return plain if len(plain) <= LABELS else f"{value:.4g}"


def _times(fans: Fans, fan: Fan, past: Floats, ahead: Floats) -> Line:
    """Below the axis: the first time, that of the first forecast, and the last one, where there is room."""
    every: Ints = np.concatenate([fan.past_times, fan.times])
    if not every.size:
        return []
    wide = WIDTH - LABELS - 2
    middle = round(float(ahead[0]) * (wide - 1)) if ahead.size and past.size else 0
    places = [0, wide, *([middle] if middle else [])]
    texts = time_texts(np.concatenate([every[[0, -1]], fan.times[:1]]), fans.columns, fans.calendar)
    if all(text.endswith(MIDNIGHT) for text in texts):
        texts = [text.removesuffix(MIDNIGHT) for text in texts]
    line = [" "] * wide
    for text, at in zip(texts, places, strict=False):
        letters = cells(text)
        begin = min(max(0, at - len(letters) // 2), wide - len(letters)) if at > 0 else 0
        free = line[max(0, begin - 1) : begin + len(letters) + 1]
        if begin >= 0 and all(letter == " " for letter in free):
            line[begin : begin + len(letters)] = letters
    return [Run(" " * (LABELS + 2) + "".join(line))]


def _legend(fans: Fans) -> list[Line]:
    intervals = bands(fans.levels)
    line = [Run("⠤⠒", "history"), Run(" history  "), Run("⠤⠒", "median"), Run(f" {fans.point_name}")]
    if intervals:
        line += [Run("  "), Run(OUTER, "outer"), Run(f" {intervals[0].name}")]
    if len(intervals) > 1:
        line += [Run("  "), Run(INNER, "inner"), Run(f" {intervals[len(intervals) // 2].name}")]
    if fans.knows_truth:
        line += [Run("  "), Run(ACTUAL, "actual"), Run(" actual")]
    return [line]
