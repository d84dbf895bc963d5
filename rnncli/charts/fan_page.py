"""Fan charts within a page: a picture for each series, the key to all of them, and the numbers of each."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rnncli.arrays import Floats
from rnncli.charts.axes import places, short
from rnncli.charts.fan_figure import draw_fan, label, titled
from rnncli.charts.fans import Fan, Fans, bands
from rnncli.charts.page import inline_svg, page, picture, table
from rnncli.charts.style import escaped, figure, styled, tints
from rnncli.data.targets import target_of
from rnncli.data.writers.table import time_texts

POINTS = 72  # of an inch, in which an SVG is measured
MEDIAN = 0.5
WIDE, HEIGHT = 5.4, 2.9  # inches


def fan_page(fans: Fans, heading: str, unit: str = "") -> bytes:
    """A page of nothing but these charts."""
    return page(heading, f"<main><h1>{escaped(heading)}</h1>\n{fan_charts(fans, unit)}</main>")


def fan_charts(fans: Fans, unit: str = "") -> str:
    """The key, and then a chart for each series."""
    charts = "\n".join(_chart(fans, fans.fan(place), unit) for place in range(len(fans)))
    return f'{key(fans)}\n<div class="fans">\n{charts}\n</div>'


def key(fans: Fans) -> str:
    """What lines and shades mean."""
    shades = bands(fans.levels)
    lines = [("--history", "history"), ("--median", fans.point_name)]
    lines += [("--actual", "actual")] if fans.knows_truth else []
    line = '<svg viewBox="0 0 20 10" aria-hidden="true"><path d="M0 5h20" stroke="var({})" stroke-width="2"/></svg>'
    area = '<svg viewBox="0 0 20 10" aria-hidden="true"><rect width="20" height="10" fill="var({})"/></svg>'
    first = 4 - min(4, len(shades))
    shown = [line.format(colour) + escaped(name) for colour, name in lines]
    shown += [area.format(f"--band-{min(3, first + place)}") + escaped(band.name) for place, band in enumerate(shades)]
    return f'<ul class="key" aria-label="Key">{"".join(f"<li>{entry}</li>" for entry in shown)}</ul>'


def _chart(fans: Fans, fan: Fan, unit: str) -> str:
    with styled():
        made = figure(HEIGHT)
        made.set_figwidth(WIDE)
        axes = made.subplots()
        draw_fan(axes, fans, fan)
        label(axes, fans, unit, left=True, below=True)
    title = described(fans, fan)
    svg = inline_svg(made, title, tints(len(bands(fans.levels))))
    across = _across(
        made, axes, np.concatenate([places(times, fans.calendar) for times in (fan.past_times, fan.times)])
    )
    return picture(svg, titled(fan, 90), _numbers(fans, fan, across), reads=True)


def described(fans: Fans, fan: Fan) -> str:
    """A picture in words: what is seen in it, for who cannot."""
    if not fan.times.size:
        return f"{fan.name}: {len(fan.past)} steps of history, and no forecast"
    first, last = time_texts(fan.times[[0, -1]], fans.columns, fans.calendar)
    end = f"{fans.point_name} {number(fan.point[0])} at {first}, {number(fan.point[-1])} at {last}"
    shades = bands(fans.levels)
    wide = (
        f", {shades[0].name} {number(fan.quantiles[-1, 0])} to {number(fan.quantiles[-1, -1])} there" if shades else ""
    )
    return f"{fan.name}: history of {len(fan.past)} steps, and a forecast of {len(fan.times)}: {end}{wide}"


def number(value: float) -> str:
    """A number for a table, six digits; nothing where it is not known."""
    return "" if math.isnan(value) else f"{value:.6g}"


def _numbers(fans: Fans, fan: Fan, across: Floats) -> str:
    shown = [place for place, level in enumerate(fans.levels) if level != MEDIAN or fans.point_name != "median"]
    levels = [f"q{fans.levels[place]!r}" for place in shown]
    header = [" and ".join(fans.columns.times), "history", "actual", fans.point_name, *levels]
    times = time_texts(np.concatenate([fan.past_times, fan.times]), fans.columns, fans.calendar)
    ahead = np.column_stack([fan.actual, fan.point, fan.quantiles[:, shown]])
    rows = [[number(value), *[""] * (len(header) - 2)] for value in fan.past.tolist()]
    rows += [["", *map(number, row)] for row in ahead.tolist()]
    caption = f"{short(fan.name)}: {short(target_of(fans.columns, fan.name))}, as it is drawn"
    marks = [{"data-x": f"{x:.1f}"} for x in across.tolist()]
    return table(header, [[time, *row] for time, row in zip(times, rows, strict=True)], caption, marks)


def _across(made: Any, axes: Any, x: Floats) -> Floats:
    """How far from the left each place lies, in the units of the SVG, once it was drawn."""
    box, (low, high) = axes.get_position(), axes.get_xlim()
    share = (x - low) / (high - low)
    return np.asarray((box.x0 + share * box.width) * made.get_figwidth() * POINTS)
