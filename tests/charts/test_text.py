"""Fan charts as text: in 80 columns, each letter where its number is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rnncli.charts.fans import Fans
from rnncli.charts.text import HEIGHT, LABELS, WIDTH, as_text, text_lines
from rnncli.charts.text_canvas import Canvas
from rnncli.data.panel import Panel

Make = Callable[..., Fans]


def axis(line: str) -> str:
    return line[LABELS + 1 : LABELS + 2] or " "


def rows_of(text: str) -> list[str]:
    return [line[LABELS + 2 :].ljust(WIDTH - LABELS - 2) for line in text.splitlines() if axis(line) in "┤│"]


def test_no_line_is_longer_than_80_letters_and_every_series_has_its_plot(fans: Fans) -> None:
    text = as_text(text_lines(fans, "what is drawn " * 12))
    assert max(map(len, text.splitlines())) <= 80
    assert [line for line in text.splitlines() if ", sold" in line] == [
        line for line in text.splitlines() if line.startswith("s")
    ]
    assert len(rows_of(text)) == 6 * HEIGHT


def test_names_in_wide_letters_fit_into_80_columns_too(fans: Fans, renamed: Make) -> None:
    name = "東京の店の売上" * 9  # 63 letters, of 126 columns
    lines = as_text(text_lines(renamed(fans, name), name)).splitlines()
    assert lines[:2] == [name[:40], name[40:]]  # 80 columns, and what is left
    title = next(line for line in lines if ", sold" in line)
    assert title.startswith(f"{name[:21]}…, sold")  # 43 of 44 columns
    assert "MASE" in title


def test_a_time_in_wide_letters_stands_where_it_ends(fans: Fans) -> None:
    japanese = replace(fans.columns, time_type="text", time_format="%Y年%m月%d日")
    lines = as_text(text_lines(replace(fans, columns=japanese).select(np.arange(1)))).splitlines()
    times = lines[-3]
    assert times.count("年") == 2
    assert len(times) + 2 * 3 == 80  # letters, and a column more for each of the wide ones


def test_axes_have_numbers_and_dates_in_the_style_of_the_data(fans: Fans) -> None:
    text = as_text(text_lines(fans.select(np.arange(1))))
    times = text.splitlines()[-3].split()
    assert times[0] == str(fans.fan(0).past_times[:1].astype("datetime64[us]").astype("datetime64[D]")[0])
    assert times[-1] == str(fans.fan(0).times[-1:].astype("datetime64[us]").astype("datetime64[D]")[0])
    fan = fans.fan(0)
    every = np.concatenate([fan.past, fan.quantiles.ravel(), fan.actual])
    labels = [float(line[:LABELS]) for line in text.splitlines() if axis(line) == "┤"]
    assert labels[0] == pytest.approx(every.max(), abs=0.1)
    assert labels[-1] == pytest.approx(every.min(), abs=0.1)


def test_what_came_is_where_its_number_is(fans_of: Make, build: Callable[..., Panel]) -> None:
    rows = rows_of(as_text(text_lines(fans_of(build(np.concatenate([np.zeros(30), [40, 0, 40, 0, 40]]))))))
    assert [place for place, row in enumerate(rows) if "●" in row] == [0, HEIGHT - 1]
    assert rows[0].count("●") == 3
    assert rows[-1].count("●") == 2


def test_a_constant_series_and_one_of_one_step_are_drawn(fans_of: Make, build: Callable[..., Panel]) -> None:
    flat = fans_of(build(np.full(40, 7.0)), horizon=1, levels=(0.5,))
    same = replace(flat, quantiles=np.full((1, 1, 1), 7.0), point=np.full((1, 1), 7.0))
    rows = rows_of(as_text(text_lines(same)))
    assert any("●" in row for row in rows)
    assert sum("⠉" <= letter <= "⣿" for row in rows for letter in row) > 30


def test_a_line_of_dots_rises_from_the_lower_left_to_the_upper_right() -> None:
    canvas = Canvas(2, 4)
    canvas.line(np.array([0.0, 1.0]), np.array([0.0, 1.0]), "history")
    assert ["".join(run.text for run in canvas.runs(row)) for row in range(2)] == ["  ⡠⠊", "⡠⠊  "]


def test_names_cannot_move_the_cursor(fans: Fans, renamed: Make) -> None:
    odd = renamed(fans, "a\x1b[2J\r\nb")
    assert all(c.isprintable() or c == "\n" for c in as_text(text_lines(odd)))
