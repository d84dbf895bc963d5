"""Scores within a page: the picture, and every number of it in tables."""

from __future__ import annotations

import math
from itertools import chain

from rnncli.charts.page import inline_svg, page, picture, table
from rnncli.charts.scores import ScorePicture
from rnncli.charts.style import escaped


def score_page(shown: ScorePicture) -> bytes:
    """A page of nothing but this picture."""
    return page(shown.says, f"<main><h1>{escaped(shown.says)}</h1>\n{score_chart(shown)}</main>")


def score_chart(shown: ScorePicture, numbers: str = "") -> str:
    """The picture with its numbers: all of them, or those tables that stand nowhere else."""
    svg = inline_svg(shown.drawn(), "; ".join(shown.described()))
    tables = numbers or lead_table(shown) + coverage_table(shown) + series_table(shown)
    return picture(svg, "Scores by lead, coverage against level, and errors by series", tables, large=True)


def lead_table(shown: ScorePicture) -> str:
    """MASE and WQL of each forecaster at each lead."""
    metrics, names = ("mase", "wql"), shown.forecasters
    columns = [shown.leads[name][metric] for metric in metrics for name in names if name in shown.leads]
    header = ["lead", *(f"{metric.upper()}, {name}" for metric in metrics for name in names if name in shown.leads)]
    rows = [[str(step + 1), *map(number, row)] for step, row in enumerate(zip(*columns, strict=True))]
    return table(header, rows, "Scores by lead")


def coverage_table(shown: ScorePicture) -> str:
    """The share of values within each interval, by forecaster."""
    levels = shown.coverage(shown.forecasters[0])[0]
    shares = [shown.coverage(name)[1] for name in shown.forecasters]
    rows = [[f"{level:g} %", *(percent(one[place]) for one in shares)] for place, level in enumerate(levels.tolist())]
    return table(["interval", *shown.forecasters], rows, "Values within each interval")


def series_table(shown: ScorePicture) -> str:
    """The errors of the worst series."""
    rows = [list(chain([one.name], map(number, one.errors))) for one in shown.worst()]
    return table(["series", *shown.forecasters], rows, "MASE by series, the worst first")


def number(value: float) -> str:
    """Four digits; a dash where there is no value."""
    return "-" if math.isnan(value) else f"{value:#.4g}".rstrip(".")


def percent(value: float) -> str:
    """A share in per cent, one digit behind the point."""
    return "-" if math.isnan(value) else f"{value:.1f} %"
