"""Backtests over a span of time: which origins it has, and that they are scored as those that are counted."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import rnncli
from rnncli.data.load import Loaded, load_panel
from rnncli.errors import InputRefused, UsageError
from rnncli.spec import ColumnChoices
from rnncli.tasks.forecast.origins import left_out, not_scored, origins
from rnncli.tasks.task import Backtest

Run = Callable[..., subprocess.CompletedProcess[str]]
TINY = ("--horizon", 6, "--hidden", 4, "--layers", 1, "--steps", 4, "--members", 1, "--batch", 16)


def _months(first: int, last: int, *, without: tuple[int, ...] = ()) -> Iterator[str]:
    """Months counted from January 2020, of which some are absent."""
    return (f"{2020 + m // 12}-{m % 12 + 1:02}-01" for m in range(first, last + 1) if m not in without)


def _loaded(path: Path, series: dict[str, Iterator[str]], until: str | None = None) -> Loaded:
    rows = [f"{name},{time},{place}.5" for name, times in series.items() for place, time in enumerate(times)]
    path.write_text("\n".join(["id,time,y", *rows]) + "\n")
    return load_panel(path, ColumnChoices(time="time", id=("id",), target="y", until=until))


def _begins(loaded: Loaded, horizon: int, wanted: Backtest) -> list[dict[str, int]]:
    """The rows that are seen of each series, window after window."""
    return [
        {loaded.panel.ids[s]: kept for s, kept in zip(split.series.tolist(), split.rows_kept.tolist(), strict=True)}
        for split in origins(loaded, horizon, wanted)
    ]


# Which origins a span has


def test_months_of_series_with_other_ends_and_a_gap_are_counted_back_from_each_last_row(tmp_path: Path) -> None:
    series = {"gap": _months(0, 23, without=(14,)), "ends": _months(0, 17), "begins": _months(20, 23)}
    wanted = Backtest(start="2021-01-01", until="2021-11-01")
    loaded = _loaded(tmp_path / "months.csv", series, wanted.until)
    assert dict(zip(loaded.panel.ids, loaded.panel.lengths.tolist(), strict=True)) == {
        "gap": 23,
        "ends": 18,
        "begins": 3,
    }
    # gap: 2021-03 ... 05, 06 ... 08, 09 ... 11; ends: 2021-01 ... 03, 04 ... 06; begins: 2021-09 ... 11 has no past
    assert _begins(loaded, 3, wanted) == [{"gap": 14}, {"gap": 17, "ends": 12}, {"gap": 20, "ends": 15}]
    missing = not_scored(loaded.panel, origins(loaded, 3, wanted))
    assert left_out(len(missing), missing, wanted) == (
        "1 series without a whole window from 2021-01-01 on are not scored: begins",
    )


def test_a_stride_moves_origins_as_far_back_as_the_first_row_of_the_span(tmp_path: Path) -> None:
    loaded = _loaded(tmp_path / "months.csv", {"a": _months(0, 23)})
    wanted = Backtest(start="2021-07-15", stride=2)
    assert _begins(loaded, 2, wanted) == [{"a": 20}, {"a": 22}]  # from 2021-08, the first month after the 15th of July
    assert _begins(loaded, 2, replace(wanted, start="2021-07-01")) == [{"a": 18}, {"a": 20}, {"a": 22}]
    assert _begins(loaded, 2, replace(wanted, start="2021-07-01", stride=1)) == [{"a": k} for k in (18, 19, 20, 21, 22)]


def test_weeks_begin_on_the_weekday_of_each_series(tmp_path: Path) -> None:
    mondays = (f"2024-01-{day:02}" for day in (1, 8, 15, 22, 29))
    fridays = (f"2024-01-{day:02}" for day in (5, 12, 19, 26))
    loaded = _loaded(tmp_path / "weeks.csv", {"monday": mondays, "friday": fridays})
    assert _begins(loaded, 1, Backtest(start="2024-01-19")) == [
        {"friday": 2, "monday": 3},
        {"friday": 3, "monday": 4},
    ]
    assert _begins(loaded, 1, Backtest(start="2024-01-20"))[0] == {"monday": 3}


def test_whole_numbers_and_hours_of_a_zone_are_read_as_the_data_have_them(tmp_path: Path) -> None:
    counted = _loaded(tmp_path / "steps.csv", {"a": map(str, range(100, 120))}, "115")
    assert _begins(counted, 2, Backtest(start="112", until="115")) == [{"a": 12}, {"a": 14}]
    with pytest.raises(UsageError, match="--from: '2020-01-01'"):
        origins(counted, 2, Backtest(start="2020-01-01"))
    hours = (f"2024-01-01T{hour:02}:00:00+01:00" for hour in range(12))
    loaded = _loaded(tmp_path / "hours.csv", {"a": hours})
    assert _begins(loaded, 3, Backtest(start="2024-01-01T09:00:00+01:00")) == [{"a": 9}]
    assert _begins(loaded, 3, Backtest(start="2024-01-01T08:00:00Z")) == [{"a": 9}]


def test_a_span_without_a_whole_window_is_refused_with_what_to_say(tmp_path: Path) -> None:
    loaded = _loaded(tmp_path / "months.csv", {"a": _months(0, 23)})
    with pytest.raises(InputRefused, match="no series has 3 rows to score in this span") as caught:
        origins(loaded, 3, Backtest(start="2021-11-01"))
    assert "an earlier --from" in caught.value.hint


# Scores


@pytest.fixture(scope="module")
def late(sample_data: Path, run_rnncli: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Employment of 2006 to 2015, by month, and a model that was trained on the years up to 2013."""
    folder = tmp_path_factory.mktemp("late")
    data, early, model = sample_data / "us_employment.csv", folder / "early.csv", folder / "m.safetensors"
    lines = data.read_text().splitlines(keepends=True)
    early.write_text("".join(line for line in lines if not line.split(",")[1].startswith(("2014", "2015"))))
    assert run_rnncli("train", early, "-o", model, *TINY).returncode == 0
    return data, model


@pytest.mark.parametrize(
    ("span", "counted"),
    [
        (("--from", "2014-01-01"), ("--windows", 4)),
        (("--from", "2014-01-01", "--until", "2015-07-01"), ("--windows", 3, "--as-of", "2015-07-01")),
        (
            ("--from", "2014-01-01", "--until", "2014-09-01", "--stride", 1),
            ("--windows", 4, "--as-of", "2014-09-01", "--stride", 1),
        ),
        (("--until", "2015-07-01", "--windows", 2), ("--windows", 2, "--as-of", "2015-07-01")),
        (
            ("--from", "2013-01-01", "--until", "2014-06-01", "--no-refit"),
            ("--windows", 3, "--as-of", "2014-06-01", "--no-refit"),
        ),
        (("--from", "2013-07-01", "--until", "2014-06-01"), ("--windows", 2, "--as-of", "2014-06-01")),
    ],
)  # fmt: skip
def test_a_span_is_scored_as_the_windows_that_it_has(
    run_rnncli: Run, late: tuple[Path, Path], span: tuple[object, ...], counted: tuple[object, ...]
) -> None:
    data, model = late
    done, same = (run_rnncli("evaluate", data, "-m", model, *said, "--json") for said in (span, counted))
    assert (done.returncode, same.returncode) == (0, 0), done.stderr
    found = json.loads(done.stdout)
    assert found == json.loads(same.stdout)
    assert (found["in_sample"], found["refitted"]) == ("--no-refit" in span, span[1] == "2013-07-01")


def test_base_is_fitted_before_the_span_and_sees_nothing_after_it(
    run_rnncli: Run, late: tuple[Path, Path], tmp_path: Path
) -> None:
    data, spoilt = late[0], tmp_path / "spoilt.csv"
    lines = data.read_text().splitlines()
    spoilt.write_text("\n".join(line.rpartition(",")[0] + ",7" if ",2015-" in line else line for line in lines) + "\n")
    said = ("--horizon", 6, "--from", "2013-01-01", "--until", "2014-12-01", "--json")
    found = [json.loads(run_rnncli("evaluate", path, *said).stdout) for path in (data, spoilt)]
    assert found[0] == found[1]
    assert [window["forecasts"] for window in found[0]["windows"]] == [22] * 4
    counted = run_rnncli("evaluate", data, "--horizon", 6, "--as-of", "2014-12-01", "--windows", 4, "--json")
    assert found[0] == json.loads(counted.stdout)


def test_series_without_a_window_in_the_span_are_named(
    run_rnncli: Run, late: tuple[Path, Path], tmp_path: Path
) -> None:
    data, ragged = late[0], tmp_path / "ragged.csv"
    lines = data.read_text().splitlines(keepends=True)
    late_rows = ("government,2014", "government,2015")
    ragged.write_text("".join(line for line in lines if not line.startswith(late_rows)))
    done = run_rnncli("evaluate", ragged, "-m", late[1], "--from", "2014-01-01", "--json")
    found = json.loads(done.stdout)
    assert found["series"] == 21
    assert found["notes"] == ["1 series without a whole window from 2014-01-01 on are not scored: government"]


def test_python_says_start_and_compare_takes_the_same_span(run_rnncli: Run, late: tuple[Path, Path]) -> None:
    data, model = late
    found = rnncli.evaluate(data, model, start="2014-01-01", until="2014-12-01").to_json()
    done = run_rnncli("compare", model, "-m", "base", data, "--from", "2014-01-01", "--until", "2014-12-01", "--json")
    assert json.loads(done.stdout)["scores"][model.stem] == found["scores"]["model"]
    assert len(found["windows"]) == 2


@pytest.mark.parametrize(
    ("said", "code", "says"),
    [
        (("--from", "2014-01-01", "--windows", 1), 2, "--from and --windows both say how many windows there are"),
        (("--from", "2014-01-01", "--until", "2013-01-01"), 2, "--from 2014-01-01 is after --until 2013-01-01"),
        (("--from", "soon"), 2, "--from: 'soon' is no time that is known"),
        (("--until", "soon"), 2, "--until: 'soon' is no time that is known"),
        (("--from", "2015-09-01"), 4, "no series has 6 rows to score in this span, and a value before them"),
        (("--until", "1999-01-01"), 4, "no row is as old as 1999-01-01"),
    ],
)
def test_spans_that_cannot_be_are_refused(
    run_rnncli: Run, late: tuple[Path, Path], said: tuple[object, ...], code: int, says: str
) -> None:
    done = run_rnncli("evaluate", late[0], "-m", late[1], *said)
    assert (done.returncode, done.stdout) == (code, "")
    error = done.stderr.splitlines()[-2]
    assert error.startswith("error: ")
    assert says in error


@pytest.mark.parametrize("said", [{"start": "2014-01-01"}, {"until": "2014-01-01"}])
def test_a_span_says_nothing_of_saved_forecasts(said: dict[str, str]) -> None:
    flag = "--from" if "start" in said else "--until"
    with pytest.raises(UsageError, match=f"{flag} is for a model"):
        rnncli.evaluate("absent.csv", forecasts="absent.csv", **said)  # type: ignore[arg-type]
