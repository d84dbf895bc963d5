"""What is read is read again: each style of times, in each container, by whoever comes after training."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import rnncli
from rnncli.data import timestyle
from rnncli.data.clocktext import clock_text
from rnncli.data.known import Known
from rnncli.data.load import Loaded, load_panel
from rnncli.data.writers.table import ForecastTable, arrow_table
from rnncli.data.zones import from_wall, to_wall
from rnncli.errors import InputRefused, RnncliError
from rnncli.spec import ColumnChoices

HOUR = 3_600_000_000
DAY = 24 * HOUR
START = 1_705_104_000_000_000  # 2024-01-13, a day that is no month
ROWS = 90

DAILY = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%-d.%-m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%-m/%-d/%Y", "%d-%m-%Y"),
    *("%d.%m.%y", "%d %b %Y", "%d-%b-%Y", "%d-%^b-%Y", "%d %B %Y", "%B %d, %Y", "%b %-d %Y", "%a %d.%m.%Y"),
    *("%Y-%-m-%-d", "%d%b%Y", "%A, %d %B %Y", "%Y-%b-%d", "%G-W%V-%u"),
)
HOURLY = (
    *(
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H",
        "%Y-%m-%d %H:%M:%S.%3f",
    ),
    *("%Y-%m-%dT%H:%M:%S.%6f", "%Y-%m-%d %H:%M:%S,%3f", "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %I:%M %p"),
    *(
        "%-m/%-d/%Y %-I:%M:%S %p",
        "%d %b %Y %H:%M",
        "%d-%b-%Y %H:%M:%S",
        "%d/%b/%Y:%H:%M:%S",
        "%Y%m%dT%H%M%S",
        "%Y%m%d %H:%M",
    ),
    *("%a %b %d %H:%M:%S %Y", "%d.%m.%Y, %H:%M", "%m/%d/%Y %-I:%M %P"),
)
IN_UTC = (
    *(
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%d %H:%M:%SZ",
        "%Y-%m-%dT%H:%MZ",
        "%Y-%m-%dT%H:%M:%S.%3fZ",
        "%Y-%m-%dT%H:%M:%S.%6fZ",
    ),
    *(
        "%Y-%m-%d %H:%M:%S UTC",
        "%Y-%m-%d %H:%M UTC",
        "%Y-%m-%dT%H:%M:%S%:z",
        "%Y-%m-%d %H:%M:%S%z",
        "%Y-%m-%d %H:%M:%S%:::z",
    ),
    *("%a, %d %b %Y %H:%M:%S %z", "%Y%m%dT%H%M%SZ", "%d/%b/%Y:%H:%M:%S %z", "%Y-%m-%d %H:%M:%S %z", "%d.%m.%Y %H:%M Z"),
)
NUMBERS = {
    "%Y%m%d": DAY, "%Y%m%d%H": HOUR, "%Y%m%d%H%M": HOUR, "%Y%m%d%H%M%S": HOUR,
    "epoch-s": HOUR, "epoch-ms": HOUR, "epoch-us": HOUR, "epoch-ns": HOUR,
}  # fmt: skip
CONTAINERS = ("csv", "tsv", "parquet")

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A table of one series with these times, in a container."""

    def write(times: list[Any], container: str = "csv", name: str = "when") -> Path:
        path = tmp_path / f"a.{container}"
        values = [10.5 + k % 7 for k in range(len(times))]
        if container == "parquet":
            column = pa.array(times) if isinstance(times, list) else times
            parquet.write_table(pa.table({name: column, "y": values}), path)
        else:
            mark = "\t" if container == "tsv" else ","
            cells = [f'"{time}"' if mark in str(time) else str(time) for time in times]
            rows = (f"{cell}{mark}{value}\n" for cell, value in zip(cells, values, strict=True))
            path.write_text(f"{name}{mark}y\n" + "".join(rows), encoding="utf-8")
        return path

    return write


def known(loaded: Loaded) -> Known:
    return Known(loaded.columns, loaded.panel.calendar, loaded.panel.channels)


def read_twice(path: Path, choices: ColumnChoices | None = None) -> Loaded:
    """The data as training reads them, which predict, evaluate and check read the same with nothing said again."""
    loaded = load_panel(path, choices)
    again = load_panel(path, None, known(loaded))
    assert again.panel.ids == loaded.panel.ids
    assert again.panel.values.tobytes() == loaded.panel.values.tobytes()
    assert np.array_equal(again.panel.starts, loaded.panel.starts)
    return again


def next_times(loaded: Loaded, steps: int = 1, *, as_text: bool = True) -> list[Any]:
    """The times that a forecast of the first series has, as they are written."""
    panel = loaded.panel
    times = panel.future_times(steps)
    flat = np.zeros((*times.shape, 1))
    table = ForecastTable(panel.ids, times, (0.5,), flat, flat[..., 0], loaded.columns, panel.calendar)
    rows = arrow_table(table, tidy=False, as_text=as_text)
    columns = [rows.column(name).to_pylist()[:steps] for name in loaded.columns.times]
    return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))


def texts(style: str, step: int, start: int = START) -> list[str]:
    return [timestyle.written(start + k * step, 0, style) for k in range(ROWS + 1)]


STYLES = [(style, DAY) for style in DAILY] + [(style, HOUR) for style in (*HOURLY, *IN_UTC)]


CONTAINED = [
    (style, step, container)
    for place, (style, step) in enumerate(STYLES)
    for container in ("csv", "parquet", *(("tsv",) if place % 5 == 0 else ()))
]


@pytest.mark.parametrize(("style", "step", "container"), CONTAINED)
def test_times_come_back_in_the_style_they_came_in(write: Write, style: str, step: int, container: str) -> None:
    *given, following = texts(style, step)
    loaded = read_twice(write(given, container))
    assert next_times(loaded) == [following]
    assert str(loaded.panel.calendar.frequency) == ("1 day" if step == DAY else "1 hour")
    assert loaded.panel.values.shape == (ROWS, 1)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("style", NUMBERS)
def test_whole_numbers_that_are_dates_are_read_so(write: Write, style: str, container: str) -> None:
    *given, following = map(int, texts(style, NUMBERS[style]))
    loaded = read_twice(write(given, container))
    assert [int(time) for time in next_times(loaded)] == [following]
    assert loaded.panel.calendar.frequency.unit == ("day" if style == "%Y%m%d" else "hour")


@pytest.mark.parametrize("style", NUMBERS)
def test_texts_of_digits_are_dates_too(write: Write, style: str) -> None:
    *given, following = texts(style, NUMBERS[style])
    assert next_times(read_twice(write(given, "parquet"))) == [following]


def test_texts_of_whole_numbers_count_steps_and_stay_texts(write: Write) -> None:
    loaded = read_twice(write([str(k) for k in range(90)], "parquet"), ColumnChoices(time="when"))
    assert next_times(loaded, as_text=False) == ["90"]


PERIODS = {
    "%Y-%m": "month", "%m/%Y": "month", "%b %Y": "month", "%b-%y": "month", "%Y%m": "month",
    "%Y-Q%q": "quarter", "%YQ%q": "quarter", "Q%q %Y": "quarter", "%Y%q": "quarter", "%qQ%Y": "quarter",
    "%G-W%V": "week", "%GW%V": "week", "%G%V": "week",
}  # fmt: skip


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("style", PERIODS)
def test_periods_go_on_from_one_year_to_the_next(write: Write, style: str, container: str) -> None:
    steps = {"month": 1, "quarter": 3}
    unit = PERIODS[style]
    if unit == "week":
        moments = [datetime(2022, 1, 3, tzinfo=UTC) + timedelta(weeks=k) for k in range(105)]
    else:
        months = [24 * 12 + k * steps[unit] for k in range(61)]
        moments = [datetime(1990 + month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in months]
    *given, following = [timestyle.written(int(m.timestamp()) * 1_000_000, 0, style) for m in moments]
    loaded = read_twice(write(given, container, unit))
    assert [str(time) for time in next_times(loaded)] == [following]
    assert str(loaded.panel.calendar.frequency).startswith(f"1 {unit}")


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_typed_times_stay_typed(write: Write, unit: str, zone: str | None) -> None:
    size = {"ms": 1_000, "us": 1, "ns": 1}[unit]
    stored = [(START + k * HOUR) // size * (1_000 if unit == "ns" else 1) for k in range(ROWS)]
    loaded = read_twice(write(pa.array(stored, pa.timestamp(unit, zone)), "parquet"))
    (following,) = next_times(loaded, as_text=False)
    assert following.replace(tzinfo=None) == (
        datetime(2024, 1, 13, tzinfo=UTC).replace(tzinfo=None) + timedelta(hours=ROWS)
    ) + (following.utcoffset() or timedelta(0))
    assert loaded.columns.time_arrow == str(pa.timestamp(unit, zone))


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_text_dates_in_parquet_stay_dates(write: Write, kind: pa.DataType) -> None:
    dates = pa.array(texts("%Y-%m-%d", DAY)[:-1])
    column = dates.dictionary_encode() if pa.types.is_dictionary(kind) else dates.cast(kind)
    assert next_times(read_twice(write(column, "parquet"))) == texts("%Y-%m-%d", DAY)[-1:]


def test_a_fraction_in_some_rows_is_written_where_it_is_needed(write: Write) -> None:
    step = 500_000
    times = [timestyle.written(START + k * step, 0, "%Y-%m-%dT%H:%M:%S%-fZ") for k in range(ROWS + 2)]
    assert "2024-01-13T00:00:00.5Z" in times
    assert "2024-01-13T00:00:01Z" in times
    loaded = read_twice(write(times[:ROWS]))
    assert next_times(loaded, 2) == times[ROWS:]


# Zones


AUTUMN = from_wall(np.array([int(datetime(2024, 10, 25, tzinfo=UTC).timestamp()) * 1_000_000]), "Europe/Berlin")
BERLIN = ColumnChoices(zone="Europe/Berlin")


def walls(count: int, style: str) -> list[str]:
    """Hours on the wall of Berlin, around the night in which an hour comes twice."""
    moments = AUTUMN + np.arange(count) * HOUR
    wall = to_wall(moments, "Europe/Berlin")
    return [timestyle.written(int(w), int(w - m), style) for w, m in zip(wall, moments, strict=True)]


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(
    "style", ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p", "%d %b %Y %H:%M"]
)
def test_no_two_rows_of_the_repeated_hour_read_alike(write: Write, style: str, container: str) -> None:
    before = walls(48, style)
    loaded = read_twice(write(before, container), BERLIN)
    found = next_times(loaded, 6)
    plain = walls(54, style)[48:]
    assert len(set(found)) == 6
    assert found == [text + {2: "+02:00", 3: "+01:00"}.get(place, "") for place, text in enumerate(plain)]
    assert read_twice(write([*before, *found], container), BERLIN).panel.values.shape == (54, 1)


@pytest.mark.parametrize(
    "style", ["%Y-%m-%d %H:%M:%S%:z", "%Y-%m-%dT%H:%M:%S%:z", "%d.%m.%Y %H:%M %z", "%Y-%m-%d %H:%M%z"]
)
@pytest.mark.parametrize("container", CONTAINERS)
def test_offsets_that_change_go_on_in_their_zone(write: Write, style: str, container: str) -> None:
    *given, following = walls(80, style)
    assert next_times(read_twice(write(given, container), BERLIN)) == [following]


@pytest.mark.parametrize("style", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M UTC", "epoch-s"])
def test_what_is_written_in_utc_stays_in_utc_whatever_zone_days_are_counted_in(write: Write, style: str) -> None:
    *given, following = texts(style, HOUR)
    loaded = read_twice(write(given), BERLIN)
    assert (next_times(loaded), loaded.panel.calendar.zone) == ([following], "Europe/Berlin")


def test_an_offset_outside_the_repeated_hour_is_no_such_row(write: Write) -> None:
    rows = walls(48, "%Y-%m-%d %H:%M:%S")
    rows[20] += "+02:00"
    with pytest.raises(InputRefused, match="some times have a zone and some have none") as error:
        load_panel(write(rows), BERLIN)
    assert error.value.where.endswith("a.csv:22")


def test_offsets_that_change_and_nobody_explained_ask_for_the_zone(write: Write) -> None:
    days = from_wall(
        np.array([int(datetime(2024, 10, 20, tzinfo=UTC).timestamp()) * 1_000_000 + k * DAY for k in range(14)]),
        "Europe/Berlin",
    )
    wall = to_wall(days, "Europe/Berlin")
    midnights = [timestyle.written(int(w), int(w - d), "%Y-%m-%dT%H:%M:%S%:z") for w, d in zip(wall, days, strict=True)]
    with pytest.raises(InputRefused) as error:
        load_panel(write(midnights))
    assert "--zone Europe/Berlin" in error.value.hint
    assert str(load_panel(write(midnights), BERLIN).panel.calendar.frequency) == "1 day"


def test_an_hour_that_repeats_in_autumn_asks_for_the_zone(write: Write) -> None:
    with pytest.raises(InputRefused, match="two different rows") as error:
        load_panel(write(walls(60, "%Y-%m-%d %H:%M:%S")))
    assert "--zone Europe/Berlin" in error.value.hint


# Two columns


CLOCKS = ["%H:%M", "%H:%M:%S", "%I:%M %p", "%-H:%M", "%H:%M:%S.%3f"]


def in_two(tmp_path: Path, date: str, clock: str) -> tuple[Path, tuple[str, str]]:
    times = [START + k * HOUR for k in range(ROWS + 1)]
    cells = [(timestyle.written(t, 0, date), timestyle.written(t, 0, clock)) for t in times]
    rows = [f"{day},{at},{k % 24}.5\n" for k, (day, at) in enumerate(cells[:-1])]
    path = tmp_path / "two.csv"
    path.write_text("date,time,y\n" + "".join(rows))
    return path, cells[-1]


@pytest.mark.parametrize("date", ["%Y-%m-%d", "%d.%m.%Y", "%Y%m%d", "%-m/%-d/%Y"])
@pytest.mark.parametrize("clock", CLOCKS)
def test_a_date_and_a_time_of_day_are_one_time(tmp_path: Path, date: str, clock: str) -> None:
    path, following = in_two(tmp_path, date, clock)
    loaded = read_twice(path, ColumnChoices(time="date,time"))
    assert next_times(loaded) == [following]
    assert str(loaded.panel.calendar.frequency) == "1 hour"


@pytest.mark.parametrize("clock", CLOCKS)
def test_dates_that_repeat_beside_times_of_day_are_asked_about(tmp_path: Path, clock: str) -> None:
    with pytest.raises(InputRefused, match="times of day") as error:
        load_panel(in_two(tmp_path, "%Y-%m-%d", clock)[0])
    assert "--time date,time" in error.value.hint


def test_whole_hours_are_times_of_day(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("date,hour,y\n" + "".join(f"2024-01-{1 + k // 24:02},{k % 24},{k % 24}.5\n" for k in range(96)))
    loaded = read_twice(path, ColumnChoices(time="date,hour"))
    assert next_times(loaded, 2) == [("2024-01-05", "0"), ("2024-01-05", "1")]


def test_typed_dates_and_times_of_day_are_one_time(tmp_path: Path) -> None:
    moments = [datetime(2024, 1, 1, tzinfo=UTC).replace(tzinfo=None) + timedelta(hours=k) for k in range(96)]
    columns = {
        "d": [m.date() for m in moments],
        "t": [m.time() for m in moments],
        "y": [k % 24 + 0.5 for k in range(96)],
    }
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    loaded = read_twice(tmp_path / "a.parquet", ColumnChoices(time="d,t"))
    assert next_times(loaded) == [("2024-01-05", "00:00:00")]


# Columns of dates that cannot be read are never passed over


UNREADABLE = {
    "a style nobody knows": lambda k, day: f"{day:%d. of %m %Y}",
    "one bad cell": lambda k, day: "n.a." if k == 17 else f"{day:%Y-%m-%d}",
    "a day that does not exist": lambda k, day: "2024-02-30" if k == 17 else f"{day:%Y-%m-%d}",
    "German months": lambda k, day: f"{day.day}. Januar {day.year}",
    "a number of the week alone": lambda k, day: f"KW {day.isocalendar().week}",
    "a year in brackets": lambda k, day: f"{day:%d-%m (%Y)}",
    "two styles": lambda k, day: f"{day:%d.%m.%Y}" if k > 12 else f"{day:%Y-%m-%d}",
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_measure_never_takes_the_place_of_dates(tmp_path: Path, kind: str, container: str) -> None:
    days = [datetime(2024, 1, 13, tzinfo=UTC).replace(tzinfo=None) + timedelta(days=k) for k in range(40)]
    dates = [UNREADABLE[kind](k, day) for k, day in enumerate(days)]
    customers, sales = [100 + 3 * k for k in range(40)], [0.5 + k for k in range(40)]
    path = tmp_path / f"a.{container}"
    if container == "parquet":
        parquet.write_table(pa.table({"Datum": dates, "customers": customers, "sales": sales}), path)
    else:
        mark = "\t" if container == "tsv" else ";"
        path.write_text(
            f"Datum{mark}customers{mark}sales\n"
            + "".join(f"{d}{mark}{c}{mark}{s}\n" for d, c, s in zip(dates, customers, sales, strict=True))
        )
    with pytest.raises(InputRefused) as error:
        load_panel(path, ColumnChoices(target=("sales",)))
    assert "'Datum'" in error.value.message
    with (
        pytest.raises(RnncliError)
        if kind not in ("one bad cell", "a day that does not exist", "two styles")
        else _found()
    ):
        if rnncli.check(path, target="sales"):
            pytest.fail("nothing was found")
        raise InputRefused("found")


def _found() -> Any:
    return pytest.raises(InputRefused, match="found")


@pytest.mark.parametrize("style", ["%d.%m.%y", "%y%m%d", "%d of %m %Y", "%m-%d-%y", "%Y, day %j"])
def test_a_format_is_for_the_column_that_has_it(tmp_path: Path, style: str) -> None:
    days = [datetime(2024, 1, 13, tzinfo=UTC).replace(tzinfo=None) + timedelta(days=k) for k in range(41)]
    rows = [f"{day.strftime(style)};{100 + 3 * k};{k}.5\n" for k, day in enumerate(days)]
    path = tmp_path / "a.csv"
    path.write_text("stand;customers;sales\n" + "".join(rows[:-1]))
    loaded = read_twice(path, ColumnChoices(time_format=style, target=("sales",)))
    assert loaded.columns.time == "stand"
    assert next_times(loaded) == [days[-1].strftime(style)]


@pytest.mark.parametrize(
    ("style", "hint"),
    [
        ("%d.%m", "has no year"),
        ("%Y-%W", "no weekday"),
        ("%Y-%m-%d %I:%M", "without %p"),
        ("%Q", "no year"),
        ("%Y %E", "cannot be used"),
    ],
)
def test_a_format_that_makes_no_moment_is_refused(tmp_path: Path, style: str, hint: str) -> None:
    with pytest.raises(rnncli.UsageError, match=hint):
        rnncli.check(tmp_path / "a.csv", time_format=style)


@pytest.mark.parametrize(
    "numbers",
    [
        range(90),
        range(1990, 2024),
        range(100_000, 100_090),
        range(20_240_090, 20_240_400),
        range(5_000_000, 5_000_100),
        range(0, 900, 10),
    ],
)
def test_whole_numbers_that_count_steps_stay_steps(write: Write, numbers: range) -> None:
    loaded = read_twice(write(list(numbers)[:-1]))
    assert loaded.panel.calendar.frequency.unit == "step"
    assert [int(time) for time in next_times(loaded)] == [numbers[-1]]


@pytest.mark.parametrize("numbers", [range(202_301, 202_312), range(202_301, 202_350), range(20_231, 20_235)])
def test_numbers_of_one_year_can_be_read_in_two_ways(write: Write, numbers: range) -> None:
    with pytest.raises(InputRefused, match="a date or a count of steps") as error:
        load_panel(write(list(numbers)))
    assert "'step'" in error.value.hint
    steps = read_twice(write(list(numbers)), ColumnChoices(time_format="step"))
    assert steps.panel.calendar.frequency.unit == "step"


@pytest.mark.parametrize("bad", [20_240_230, 20_241_301, 99])
def test_a_number_among_dates_that_is_none_is_named(write: Write, bad: int) -> None:
    times = [int(text) for text in texts("%Y%m%d", DAY)]
    times[30] = bad
    with pytest.raises(InputRefused, match=str(bad)) as error:
        load_panel(write(times))
    assert (error.value.where[-3:], "--time-format step" in error.value.hint) == (":32", True)


@pytest.mark.parametrize(
    ("kind", "value"), [("s", 2**50), ("ms", 2**62), ("s", -(2**50)), ("us", 2**62), ("s", 300_000_000_000)]
)
def test_moments_beyond_what_can_be_written_are_refused(tmp_path: Path, kind: str, value: int) -> None:
    column = pa.array([value, value + 1, value + 2], pa.timestamp(kind))
    parquet.write_table(pa.table({"ds": column, "y": [1.0, 2.0, 3.0]}), tmp_path / "a.parquet")
    with pytest.raises(InputRefused, match=r"too far from 1970|before the year 1 or after 9999"):
        load_panel(tmp_path / "a.parquet")


def two_digits(style: str, first: datetime, months: int, count: int) -> list[str]:
    """Months or days from a date on, as a style with two digits of the year has them."""
    if months:
        moments = [
            datetime(
                first.year + (first.month - 1 + k * months) // 12,
                (first.month - 1 + k * months) % 12 + 1,
                1,
                tzinfo=UTC,
            )
            for k in range(count)
        ]
    else:
        moments = [first + timedelta(days=k) for k in range(count)]
    return [timestyle.written(round((m - EPOCH).total_seconds() * 1_000_000), 0, style) for m in moments]


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("style", "first", "months", "count"),
    [
        ("%b-%y", datetime(1960, 1, 1, tzinfo=UTC), 1, 780),
        ("%b-%y", datetime(1950, 1, 1, tzinfo=UTC), 1, 200),
        ("%m/%d/%y", datetime(1965, 1, 15, tzinfo=UTC), 0, 2_000),
        ("%d.%m.%y", datetime(1999, 11, 20, tzinfo=UTC), 0, 90),
        ("%y.%m.%d", datetime(2024, 1, 1, tzinfo=UTC), 0, 60),
        ("%y-%m-%d", datetime(2023, 12, 1, tzinfo=UTC), 0, 90),
        ("%d/%m/%y", datetime(2024, 1, 1, tzinfo=UTC), 0, 90),
    ],
)
def test_years_of_two_digits_go_on_from_the_last(
    write: Write, style: str, first: datetime, months: int, count: int
) -> None:
    *given, following = two_digits(style, first, months, count)
    loaded = read_twice(write(given))
    assert next_times(loaded) == [following]
    assert len(loaded.panel.values) == count - 1


TWO_WAYS = {
    "days that may be months": ([f"01/{month:02}/2024" for month in range(1, 13)], "%d/%m/%Y"),
    "days that may be years": ([f"{day:02}.01.24" for day in range(1, 21)], "%y.%m.%d"),
    "quarters that may be months": ([f"{year}-{part}" for year in range(2010, 2016) for part in (1, 2, 3, 4)], "%Y-%q"),
    "dates that may be a count": ([str(240_105 + k) for k in range(27)], "%y%m%d"),
    "days of a year that may be a count": ([str(2_023_309 + k) for k in range(50)], "%Y%j"),
}


@pytest.mark.parametrize("kind", TWO_WAYS)
def test_times_that_can_be_read_in_two_ways_are_asked_about(write: Write, kind: str) -> None:
    given, style = TWO_WAYS[kind]
    with pytest.raises(InputRefused) as error:
        load_panel(write(given))
    assert f"'{style}'" in error.value.hint
    assert read_twice(write(given), ColumnChoices(time_format=style)).panel.values.shape[0] >= len(given)


PASSED_OVER = {
    "unix dates": ["Mon Jan {:02} 00:00:00 CET 2024", "x"],
    "brackets": ["[2024-01-{:02}]", "x"],
    "a name of a zone": ["2024-01-{:02} 00:00:00 Europe/Berlin", "x"],
    "Japanese": ["2024年1月{}日", "x"],
    "Stata": ["2000m{}", "x"],
    "French months": ["janv. {} 2010", "Mois"],
    "seconds with a fraction": ["170406720{}.25", "timestamp"],
    "Excel's serial numbers": ["4529{}.5", "Date"],
    "years with a fraction": ["19{}.5", "year"],
    "times of day": ["10:{:02}:00", "Timestamp"],
}


@pytest.mark.parametrize("kind", PASSED_OVER)
def test_no_counter_takes_the_place_of_what_looks_like_time(tmp_path: Path, kind: str) -> None:
    style, name = PASSED_OVER[kind]
    rows = [f"{style.format(k + 1)},{100 + 3 * k},{k % 5}.5\n" for k in range(12)]
    (tmp_path / "a.csv").write_text(f"{name},requests,cpu\n" + "".join(rows))
    with pytest.raises(InputRefused, match=f"'{name}'"):
        load_panel(tmp_path / "a.csv", ColumnChoices(target=("cpu",)))


def test_hours_in_a_column_of_their_own_are_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("date,hour,y\n" + "".join(f"2024-01-{1 + k // 24:02},{k % 24},{k}.5\n" for k in range(96)))
    with pytest.raises(InputRefused) as error:
        load_panel(path)
    assert "--time date,hour" in error.value.hint


def test_the_whole_way_through_every_command(tmp_path: Path) -> None:
    for place, (style, step) in enumerate([("%Y-%m-%dT%H:%M:%S.%3fZ", HOUR), ("%-m/%-d/%Y", DAY), ("%Y%m%d", DAY)]):
        *given, following = texts(style, step)
        path, model = tmp_path / f"{place}.csv", tmp_path / f"{place}.safetensors"
        path.write_text("when,y\n" + "".join(f"{time},{10 + k % 7}.5\n" for k, time in enumerate(given)))
        rnncli.train(path, output=model, horizon=3, steps=1, members=1, hidden=4)
        forecast = rnncli.predict(path, model)
        assert forecast.encode().decode().splitlines()[1].startswith(f"{following},")
        forecast.write(tmp_path / "f.csv")
        assert rnncli.evaluate(path, model, refit=False).report.scores
        assert rnncli.check(path, model)


@pytest.mark.parametrize("clock", ["%H:%M", "%I:%M %p", "hour"])
@pytest.mark.parametrize("tidy", [True, False])
def test_two_columns_of_time_are_mended_saved_and_scored(tmp_path: Path, clock: str, tidy: bool) -> None:
    moments = [START + k * HOUR for k in range(96)]
    cells = [(timestyle.written(t, 0, "%d.%m.%Y"), clock_text(t, clock)) for t in moments]
    rows = [f"{day},{at},{k % 24}.5\n" for k, (day, at) in enumerate(cells)]
    whole, early, gapped = (tmp_path / f"{name}.csv" for name in ("whole", "early", "gapped"))
    for path, some in ((whole, rows), (early, rows[:90]), (gapped, rows[:40] + rows[42:])):
        path.write_text("day,at,y\n" + "".join(some))
    mended = rnncli.check(gapped, fix=tmp_path / "mended.csv", time="day,at")
    assert mended.fixed is not None
    assert mended.fixed.errors == 0
    assert [line.split(",")[:2] for line in (tmp_path / "mended.csv").read_text().splitlines()[1:]] == [
        [*c] for c in cells
    ]
    rnncli.train(early, output=tmp_path / "m", time="day,at", horizon=3, steps=1, members=1, hidden=4)
    rnncli.predict(early, tmp_path / "m").write(tmp_path / "f.csv", tidy=tidy)
    assert rnncli.evaluate(whole, forecasts=tmp_path / "f.csv", time="day,at").report.scores


def test_a_typed_forecast_says_that_an_hour_stands_twice(write: Write, tmp_path: Path) -> None:
    path = write(walls(48, "%Y-%m-%d %H:%M:%S"))
    rnncli.train(path, output=tmp_path / "m", zone="Europe/Berlin", horizon=6, steps=1, members=1, hidden=4)
    for suffix, said in (("parquet", True), ("csv", False)):
        events: list[object] = []
        rnncli.predict(path, tmp_path / "m", output=tmp_path / f"f.{suffix}", on_event=events.append)
        assert any("stands twice" in str(event) for event in events) == said
