"""Fan charts of matplotlib: what the artists hold is the forecast, and nothing is blank or without a name."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from rnncli.charts.axes import places
from rnncli.charts.choice import chosen
from rnncli.charts.fan_figure import fan_figure
from rnncli.charts.fans import Fans, bands
from rnncli.charts.picture import Picture, picture
from rnncli.charts.style import encoded
from rnncli.data.panel import Panel

pytest.importorskip("matplotlib")
Make = Callable[..., Fans]


def lines(axes: Any) -> dict[str, Any]:
    return {line.get_label(): line for line in axes.get_lines()}


def pixels(png: bytes) -> np.ndarray:
    from matplotlib.image import imread

    return imread(io.BytesIO(png))


def test_lines_and_intervals_are_the_numbers_of_the_forecast(fans: Fans) -> None:
    figure = fan_figure(fans)
    for place in range(len(fans)):
        fan, axes = fans.fan(place), figure.axes[place]
        drawn = lines(axes)
        for name, values in (("history", fan.past), ("median", fan.point), ("actual", fan.actual)):
            np.testing.assert_array_equal(drawn[name].get_ydata(), values)
        np.testing.assert_array_equal(drawn["median"].get_xdata(), places(fan.times, fans.calendar))
        areas = {area.get_label(): area.get_paths()[0].vertices for area in axes.collections}
        for band in bands(fans.levels):
            edges = np.concatenate([fan.quantiles[:, band.low], fan.quantiles[:, band.high]])
            assert set(edges) == set(areas[band.name][:, 1])


def test_every_panel_says_its_series_and_the_outer_axes_their_units(fans: Fans) -> None:
    figure = fan_figure(fans.select(np.arange(3)), "what it shows", "pieces")
    panels = figure.axes[:3]
    assert [axes.get_title("left").partition(" (MASE ")[0] for axes in panels] == ["s0", "s1", "s2"]
    assert [axes.get_ylabel() for axes in panels] == ["sold (pieces)", "", "sold (pieces)"]
    assert [axes.get_xlabel() for axes in panels] == ["", "day (steps of 1 day)", "day (steps of 1 day)"]
    assert figure.get_suptitle() == "what it shows"
    assert [text.get_text() for text in figure.legends[0].get_texts()][:3] == ["history", "median", "actual"]


def test_ticks_are_dates_on_the_clock_of_the_zone(fans_of: Make, weekly_waves: Panel) -> None:
    fans = fans_of(weekly_waves, zone="America/New_York").select(np.arange(1))
    axes = fan_figure(fans).axes[0]
    ticks = axes.xaxis.get_major_locator()()
    assert len(ticks) >= 3
    from zoneinfo import ZoneInfo

    from matplotlib.dates import num2date

    assert {num2date(tick, tz=ZoneInfo("America/New_York")).hour for tick in ticks} == {0}
    first = datetime.fromtimestamp(int(fans.times[0, 0]) / 1e6, UTC).astimezone(ZoneInfo("America/New_York"))
    assert num2date(places(fans.times, fans.calendar)[0, 0], tz=ZoneInfo("America/New_York")) == first
    assert "America/New_York" in axes.get_xlabel()


def test_a_change_of_the_clock_is_no_gap_and_no_step_back(fans_of: Make, build: Callable[..., Panel]) -> None:
    hours = build(np.arange(100.0))
    hours = replace(hours, starts=np.array([366_630]))  # in the night of 2011-10-30
    for zone in ("Europe/Berlin", "America/New_York"):
        fan = fans_of(hours, zone=zone, unit="hour").fan(0)
        assert set(np.diff(np.concatenate([fan.past_times, fan.times]))) == {3_600_000_000}


@pytest.mark.parametrize("horizon", [1, 2, 5])
def test_no_interval_is_too_thin_to_be_seen(fans_of: Make, weekly_waves: Panel, horizon: int) -> None:
    png = encoded(fan_figure(fans_of(weekly_waves, horizon=horizon).select(np.arange(1))), "png")
    seen = pixels(png)[..., :3]
    assert seen.shape[1] == 800
    blue = (seen[..., 2] > seen[..., 0] + 0.08).mean()
    assert blue > 0.003
    grey = (np.abs(seen - 0x40 / 255) < 0.02).all(axis=-1).mean()
    assert grey > 0.0005


def test_a_series_without_a_row_of_history_is_drawn_all_the_same(fans_of: Make, build: Callable[..., Panel]) -> None:
    fans = fans_of(build(np.arange(5.0)))
    assert len(fans.fan(0).past) == 0
    assert (pixels(encoded(fan_figure(fans), "png")) < 1).any()


def test_values_that_stand_alone_between_gaps_are_marked(fans_of: Make, build: Callable[..., Panel]) -> None:
    values = np.full(80, np.nan)
    values[[60, 62, 70]] = 5.0, 6.0, 7.0
    line = lines(fan_figure(fans_of(build(values), rows=60)).axes[0])["history"]
    assert line.get_marker() == "o"
    assert np.isfinite(line.get_ydata()[line.get_markevery()]).tolist() == [True, True, True]


def test_an_svg_has_its_texts_and_says_what_it_shows_and_is_the_same_each_time(fans: Fans) -> None:
    drawn = picture(fans.select(np.array([2])))
    data = drawn.encode("svg")
    assert data == Picture(drawn.fans, drawn.says).encode("svg")
    root = ET.fromstring(data)  # noqa: S314 our own
    assert root.get("role") == "img"
    said = {child.tag.rpartition("}")[2]: child.text for child in root[:2]}
    assert said["title"] == drawn.says == root.get("aria-label")
    assert "s2: history of 30 steps, and a forecast of 5" in said["desc"]
    texts = {"".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"sold", "day (steps of 1 day)", "history", "median", "80 % interval"} <= texts


def test_names_are_shown_as_they_are(fans: Fans, renamed: Make) -> None:
    names = ("$x_1$", "<b>&amp;", "a\x1b[31m\nb", "ショップ", "x" * 300, "")
    svg = picture(renamed(fans, *names), order="first").encode("svg").decode()
    texts = ["".join(text.itertext()) for text in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314
    titles = [text.partition(" (MASE")[0] for text in texts if "(MASE" in text]
    assert titles == ["$x_1$", "<b>&amp;", "a [31m b", "ショップ", "x" * 43 + "…", ""]
    assert not re.search(r"[\x00-\x08\x1b]", svg)


def test_a_picture_shows_itself_in_a_notebook_and_names_the_choice(fans: Fans) -> None:
    drawn = picture(fans, most=2)
    assert drawn._repr_png_().startswith(b"\x89PNG")
    assert drawn.says == "Forecast of sold, 5 steps of 1 day; those with the largest scaled errors, 2 of 6 series"
    assert drawn.fans.past.ids == tuple(fans.past.ids[place] for place in chosen(fans, None, "worst", 2))
