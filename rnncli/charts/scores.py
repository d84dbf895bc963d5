"""Scores as a picture: by lead, coverage against level, and errors by series, of a model and its baselines."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.charts.axes import short
from rnncli.charts.style import BLUE, GREEN, ORANGE, PINK, PLAIN, SKY, encoded, figure, styled

HEIGHT = 7.4  # inches
NAMED = 18  # series that there is room for
LOOKS = ((BLUE, "-", "o"), (ORANGE, "--", "s"), (GREEN, "-.", "^"), (PINK, ":", "D"), (SKY, "--", "v"))
_COVERAGE = re.compile(r"coverage_([\d.]+)")


class Series(NamedTuple):
    """The error of one series by each forecaster, in their order."""

    name: str
    errors: tuple[float, ...]


@dataclass(frozen=True)
class ScorePicture:
    """What is drawn of an evaluation: forecaster -> metric -> value over all, [H] by lead; forecaster -> error [S]
    of the series `ids`. The first forecaster is the model.
    """

    says: str
    ids: tuple[str, ...]
    levels: tuple[float, ...]
    overall: Mapping[str, Mapping[str, float]]
    leads: Mapping[str, Mapping[str, Floats]]
    errors: Mapping[str, Floats]

    @property
    def forecasters(self) -> tuple[str, ...]:
        """The model, and its baselines."""
        return tuple(self.overall)

    def coverage(self, forecaster: str) -> tuple[Floats, Floats]:
        """The levels of the central intervals, and the share of values within each, both in per cent."""
        found = [(float(name[1]), value) for key, value in self.overall[forecaster].items() if (name := _is(key))]
        pairs = np.array(sorted(found), np.float64).reshape(-1, 2)
        return pairs[:, 0], 100 * pairs[:, 1]

    def worst(self, most: int = NAMED) -> list[Series]:
        """The series with the largest errors of the model, the largest first; then those of which none is known."""
        model = self.errors[self.forecasters[0]]
        order: Ints = np.argsort(np.where(np.isnan(model), np.inf, -model), kind="stable")[:most]
        return [
            Series(self.ids[place], tuple(float(self.errors[name][place]) for name in self.forecasters))
            for place in order.tolist()
        ]

    @cached_property
    def figure(self) -> Any:
        """The figure of matplotlib. MissingDependency where that is not installed."""
        return self.drawn(short(self.says, 110))

    def drawn(self, heading: str = "") -> Any:
        """Such a figure, under another heading or none."""
        with styled():
            made = figure(HEIGHT)
            grid = made.subplots(2, 2)
            draw_leads(grid[0, 0], self, "mase", "MASE (error over the seasonal naive's)")
            draw_leads(grid[0, 1], self, "wql", "WQL (share of the values' size)")
            draw_coverage(grid[1, 0], self)
            draw_series(grid[1, 1], self)
            if heading:
                made.suptitle(heading, fontsize="large")
            names = grid[0, 0].get_legend_handles_labels()
            made.legend(*names, loc="outside lower center", ncols=5, frameon=False)
        return made

    def encode(self, kind: str) -> bytes:
        """The picture as a file's bytes: png, svg or html."""
        if kind == "html":
            from rnncli.charts.score_page import score_page

            return score_page(self)
        return encoded(self.figure, kind, self.says, "; ".join(self.described()))

    def described(self) -> Sequence[str]:
        """Each panel in words."""
        model = self.overall[self.forecasters[0]]
        shares = ", ".join(f"{level:g} %: {share:.0f} %" for level, share in zip(*self.coverage("model"), strict=True))
        worst = self.worst(1)
        said = [f"{name.upper()} {model[name]:.4g}" for name in ("mase", "wql") if name in model]
        return [
            f"Scores of {', '.join(self.forecasters)} by lead, of the model over all {', '.join(said)}",
            f"Coverage of the model's intervals: {shares or 'none'}",
            f"Errors by series, the worst {worst[0].name}" if worst else "No errors by series",
        ]


def _is(metric: str) -> re.Match[str] | None:
    return _COVERAGE.fullmatch(metric)


def draw_leads(axes: Any, shown: ScorePicture, metric: str, label: str) -> None:
    """A metric by lead, a line for each forecaster."""
    drawn = False
    for name, (colour, style, marker) in zip(shown.forecasters, LOOKS, strict=False):
        values = shown.leads.get(name, {}).get(metric, np.zeros(0))
        drawn |= bool(np.isfinite(values).any())
        steps, wide = np.arange(1, len(values) + 1), 2.2 if name == shown.forecasters[0] else 1.2
        marks = marker if len(values) <= 16 else None
        axes.plot(steps, values, label=name, color=colour, linestyle=style, linewidth=wide, marker=marks, markersize=4)
    axes.set(xlabel="lead (steps ahead)", ylabel=label, title=f"{metric.upper()} by lead")
    axes.set_ylim(bottom=0)
    axes.xaxis.get_major_locator().set_params(integer=True)
    if not drawn:
        _nothing(axes, f"{metric.upper()} is undefined here")


def draw_coverage(axes: Any, shown: ScorePicture) -> None:
    """The share of values within each interval against its level; on the diagonal every interval holds its promise."""
    axes.plot([0, 100], [0, 100], color="0.6", linewidth=0.8, zorder=0)
    said = "on the grey line: as promised"
    axes.text(0.98, 0.03, said, color="0.35", ha="right", fontsize="small", transform=axes.transAxes)
    drawn = False
    for name, (colour, style, marker) in zip(shown.forecasters, LOOKS, strict=False):
        levels, shares = shown.coverage(name)
        drawn |= bool(np.isfinite(shares).any())
        wide = 2.2 if name == shown.forecasters[0] else 1.2
        axes.plot(levels, shares, color=colour, linestyle=style, linewidth=wide, marker=marker, markersize=4)
    axes.set(xlabel="level of the interval (%)", ylabel="values within it (%)", title="Coverage against level")
    axes.set(xlim=(0, 102), ylim=(0, 102))
    if not drawn:
        _nothing(axes, "there are no central intervals")


def draw_series(axes: Any, shown: ScorePicture) -> None:
    """The errors of the worst series, the worst on top: those of the model, and of its baselines."""
    worst = shown.worst()
    places = np.arange(len(worst))[::-1]
    for column, (_, (colour, _, marker)) in enumerate(zip(shown.forecasters, LOOKS, strict=False)):
        size = 6 if column == 0 else 3.5
        values = [one.errors[column] for one in worst]
        axes.plot(values, places, marker, color=colour, markersize=size, zorder=3 if column == 0 else 2)
    axes.set_yticks(places, [short(one.name, 22) for one in worst], fontsize="small", **PLAIN)
    axes.set_ylim(-0.7, max(len(worst), 1) - 0.3)
    axes.grid(axis="y", color="0.9", linewidth=0.6)
    many = f"the {len(worst)} worst of {len(shown.ids):,} series" if len(worst) < len(shown.ids) else "every series"
    axes.set(xlabel="MASE", title=f"MASE of {many}")
    axes.set_xlim(left=0)
    if not any(np.isfinite(one.errors).any() for one in worst):
        _nothing(axes, "MASE is undefined here")


def _nothing(axes: Any, why: str) -> None:
    axes.text(0.5, 0.5, why, ha="center", transform=axes.transAxes)
