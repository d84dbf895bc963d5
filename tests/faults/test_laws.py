"""What must hold for any data: loading, writing, saving, scaling and permuting, by hypothesis."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from rnncli import checkpoint, files
from rnncli import model as models
from rnncli.data import timestyle
from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.channel import Channel
from rnncli.data.isotime import Moments
from rnncli.data.load import load_panel
from rnncli.data.panel import Panel
from rnncli.data.timetext import read_times
from rnncli.data.writers.csv import defused
from rnncli.data.writers.forecasts import results_of
from rnncli.data.writers.results import DIGITS, Style, pieces
from rnncli.data.writers.table import ForecastTable, time_texts
from rnncli.errors import InputRefused, SeriesRefused
from rnncli.registry import BASELINES, find
from rnncli.spec import ColumnChoices, Columns
from rnncli.tasks.forecast.forecaster import Forecaster

Load = Callable[..., Panel]

settings.register_profile(
    "laws", max_examples=100, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
law = settings(settings.get_profile("laws"))

DAYS = [(datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day)).strftime("%Y-%m-%d") for day in range(40)]
TARGET = (Channel("co2", "number", "target"),)
NAMED = ColumnChoices(time="ds", id=("unique_id",), target=("y",))
numbers = st.floats(-1e100, 1e100, allow_subnormal=False)
printable = st.characters(exclude_categories=("Cc", "Cs"))
ids = st.text(printable, min_size=1, max_size=12)


@st.composite
def tables(draw: st.DrawFn) -> list[tuple[str, str, float]]:
    """Rows (id, day, value) of a few daily series; three consecutive days at least, so that the frequency is seen."""
    names = draw(st.lists(st.sampled_from("abcde"), min_size=1, max_size=3, unique=True))
    rows = []
    for name in names:
        begin, length = draw(st.integers(0, 10)), draw(st.integers(3, 12))
        gaps = draw(st.sets(st.integers(4, 11), max_size=3))
        rows += [(name, DAYS[begin + day], draw(numbers)) for day in range(length) if day not in gaps]
    return rows


def written(path: Path, rows: list[tuple[str, str, float]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("unique_id", "ds", "y"), *rows])
    return path


def by_id(panel: Panel) -> dict[str, tuple[int, bytes]]:
    """First ordinal and values of each series, to the bit."""
    return {name: (int(panel.starts[s]), panel.target(s).tobytes()) for s, name in enumerate(panel.ids)}


def by_id_or_refused(data: Path | list[Path]) -> dict[str, tuple[int, bytes]] | str:
    """What files hold by id, or why they are refused: a series whose numbers are all fainter than 1e-150 is."""
    try:
        return by_id(load_panel(data, NAMED).panel)
    except SeriesRefused as refused:
        assert "too small to compute with" in refused.message  # noqa: PT017
        return refused.message


@law
@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_change_a_panel(tmp_path: Path, rows: list[Any], chance: Any) -> None:
    shuffled = chance.sample(rows, len(rows))
    one = by_id_or_refused(written(tmp_path / "one.csv", rows))
    assert one == by_id_or_refused(written(tmp_path / "other.csv", shuffled))


@law
@given(tables(), st.lists(st.integers(1, 30), max_size=3))
def test_splitting_a_file_does_not_change_a_panel(tmp_path: Path, rows: list[Any], cuts: list[int]) -> None:
    edges = [0, *sorted({cut for cut in cuts if cut < len(rows)}), len(rows)]
    parts = [
        written(tmp_path / f"part{i}.csv", rows[begin:end]) for i, (begin, end) in enumerate(itertools.pairwise(edges))
    ]
    whole, split = by_id_or_refused(written(tmp_path / "whole.csv", rows)), by_id_or_refused(parts)
    assert list(split) == list(whole)  # the ids, in order
    assert split == whole


@law
@given(st.lists(ids, min_size=1, max_size=4, unique=True))
@example(
    ["007", "NA", "null", "1e5", "2024-01-01", '"', ",", "'", " x ", "=1", "\ufeffx", "\u2028", "\u00e9", "e\u0301"]
)
def test_an_id_that_is_accepted_stays_as_it_is(tmp_path: Path, names: list[str]) -> None:
    rows = [(name, day, 1.0) for name in names for day in DAYS[:3]]
    try:
        found = load_panel(written(tmp_path / "ids.csv", rows), NAMED).panel.ids
    except InputRefused:
        assume(False)
        raise
    assert list(found) == names


@st.composite
def forecasts(draw: st.DrawFn) -> ForecastTable:
    """A table of daily forecasts of series with any names."""
    names = tuple(draw(st.lists(ids, min_size=1, max_size=3, unique=True)))
    steps, levels = draw(st.integers(1, 4)), (0.1, 0.5, 0.9)
    size = len(names) * steps
    values = draw(st.lists(numbers, min_size=4 * size, max_size=4 * size))
    shape = (len(names), steps)
    quantiles = np.array(values[: 3 * size]).reshape(*shape, 3)
    times = np.broadcast_to((draw(st.integers(0, 30_000)) + np.arange(steps)) * 86_400_000_000, shape)
    columns = Columns("ds", "unique_id", "y", time_type="date", time_arrow="date32[day]")
    point = np.array(values[3 * size :]).reshape(shape)
    return ForecastTable(names, times, levels, quantiles, point, columns, Calendar(Frequency("day")))


def encoded(table: ForecastTable, form: str) -> bytes:
    return b"".join(pieces(results_of(table), form, Style(digits=DIGITS)))


def rows_of(table: ForecastTable, escape: Callable[[str], str] = str) -> list[tuple[Any, ...]]:
    """(id, day, point, quantiles ...) of each row."""
    return [
        (escape(name), str(np.datetime64(int(table.times[s, k]), "us"))[:10], table.point[s, k], *table.quantiles[s, k])
        for s, name in enumerate(table.ids)
        for k in range(table.times.shape[1])
    ]


@law
@given(forecasts())
def test_a_forecast_in_csv_is_read_as_it_was_written(table: ForecastTable) -> None:
    text = encoded(table, "csv").decode()
    read = list(csv.reader(text.splitlines(keepends=True), strict=True))
    assert read[0] == list(table.names)
    assert [(name, day, *map(float, rest)) for name, day, *rest in read[1:]] == rows_of(table, defused)


@law
@given(forecasts())
def test_a_forecast_in_json_lines_is_read_as_it_was_written(table: ForecastTable) -> None:
    lines = encoded(table, "jsonl").decode().removesuffix("\n").split("\n")
    records = [json.loads(line) for line in lines]
    assert all(list(record) == list(table.names) for record in records)
    assert [tuple(record.values()) for record in records] == rows_of(table)


@law
@given(forecasts())
def test_a_forecast_in_parquet_is_read_as_it_was_written(table: ForecastTable) -> None:
    data = encoded(table, "parquet")
    read = pyarrow.parquet.read_table(pyarrow.BufferReader(data)).to_pylist()
    assert [(row.pop("unique_id"), str(row.pop("ds")), *row.values()) for row in read] == rows_of(table)


@law
@given(st.binary(max_size=100_000), st.binary(max_size=100))
def test_what_is_written_at_once_is_there(tmp_path: Path, data: bytes, before: bytes) -> None:
    (tmp_path / "out").write_bytes(before)
    files.atomic_write(tmp_path / "out", data)
    assert (tmp_path / "out").read_bytes() == data


texts = st.text(st.characters(), max_size=20)
records = st.dictionaries(
    texts,
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=5,
)


def without_odd_floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_odd_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_odd_floats(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@law
@given(st.lists(records, min_size=1, max_size=4))
def test_every_line_of_a_log_is_its_record(tmp_path: Path, told: list[dict[str, Any]]) -> None:
    path = tmp_path / "log.jsonl"
    path.unlink(missing_ok=True)
    with files.LineLog(path) as log:
        for record in told:
            log.write(record)
    lines = path.read_bytes().removesuffix(b"\n").split(b"\n")
    assert [json.loads(line) for line in lines] == without_odd_floats(told)


arrays = st.builds(
    lambda kind, shape, seed: np.random.default_rng(seed).integers(0, 2, shape).astype(kind),
    st.sampled_from(["float32", "float64", "int64", "uint8", "bool"]),
    st.lists(st.integers(0, 4), max_size=3).map(tuple),
    st.integers(0, 99),
)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | numbers | ids,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ids, inner, max_size=3),
    max_leaves=8,
)
described = st.dictionaries(ids.filter(lambda name: name not in ("digest", "format")), plain, max_size=4)
named = st.dictionaries(ids.filter(lambda name: name != "__metadata__"), arrays, max_size=4)


@law
@given(named, described)
def test_a_model_that_is_loaded_and_saved_again_has_the_same_bytes(
    tmp_path: Path, tensors: dict[str, Any], meta: dict[str, Any]
) -> None:
    checkpoint.save(tmp_path / "m", tensors, meta)
    layout = {name: (str(tensor.dtype), tensor.shape) for name, tensor in tensors.items()}
    loaded = checkpoint.load(tmp_path / "m", lambda _: layout)
    assert loaded.meta == meta
    assert checkpoint.to_bytes(loaded.tensors, loaded.meta) == (tmp_path / "m").read_bytes()


def test_a_forecaster_that_is_loaded_and_saved_again_has_the_same_bytes(small_model: Path, tmp_path: Path) -> None:
    models.save(tmp_path / "again", models.load(small_model))
    assert (tmp_path / "again").read_bytes() == small_model.read_bytes()


histories = st.lists(st.none() | st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=40)


@law
@given(histories, st.integers(-20, 20), st.integers(1, 8), st.sampled_from(sorted(BASELINES["forecast"])))
def test_doubling_the_data_doubles_a_baseline_exactly(
    history: list[float | None], power: int, season: int, name: str
) -> None:
    baseline, scale = find(BASELINES["forecast"], name, "baseline"), 2.0**power
    values = np.array([np.nan if value is None else value for value in history])
    assume(not ((values != 0) & (np.abs(values) < 1e-200)).any())  # products of such lose digits
    for one, other in zip(*(forecast_by(baseline, data, season) for data in (values, values * scale)), strict=True):
        np.testing.assert_array_equal(other, one * scale)


def forecast_by(baseline: Any, values: Any, season: int) -> tuple[Any, Any]:
    quantiles, point = baseline.quantiles(values, np.array([0, len(values)]), 6, season, (0.1, 0.5, 0.9))
    return quantiles, point


@pytest.fixture(scope="session")
def model(small_model: Path) -> Forecaster:
    return models.load(small_model)


@law
@given(st.lists(st.integers(4, 300), min_size=2, max_size=12), st.randoms(use_true_random=False))
def test_permuting_series_permutes_forecasts_to_the_bit(model: Forecaster, lengths: list[int], chance: Any) -> None:
    rng = np.random.default_rng(len(lengths))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = rng.lognormal(3, 1, (int(offsets[-1]), 1))
    count = len(lengths)
    starts, phases = rng.integers(1000, 3000, count), np.zeros(count, np.int64)
    panel = Panel(tuple(map(str, range(count))), offsets, values, starts, phases, model.calendar, TARGET)
    order = np.array(chance.sample(range(count), count))
    assert model.quantiles(panel.select(order)).tobytes() == model.quantiles(panel)[order].tobytes()


moments = st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31))  # noqa: DTZ001  # wall times
DATES = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%-d/%-m/%Y", "%-m/%-d/%Y", "%d-%m-%Y", "%d %b %Y",
         "%b %d, %Y", "%d-%^b-%Y", "%B %-d, %Y", "%a, %d %b %Y", "%Y-%-m-%-d", "%d%b%Y")  # fmt: skip
CLOCKS = ("", " %H:%M", " %H:%M:%S", "T%H:%M:%S", " %H:%M:%S.%6f", " %I:%M:%S %p", " %-I:%M %P")
ZONES = ("", "Z", " UTC", "%:z", "%z")
STYLES = tuple(d + c + z for d in DATES for c in CLOCKS for z in ZONES if (c or not z) and "I" not in c + z)
STYLES += tuple(date + clock for date in DATES for clock in CLOCKS if "I" in clock)
STYLES += ("%Y-%m", "%Y/%m", "%m/%Y", "%b %Y", "%b-%Y", "%B %Y", "%Y-Q%q", "%YQ%q", "Q%q %Y", "%G-W%V", "%GW%V")
STYLES += ("epoch-s", "epoch-ms", "epoch-us", "epoch-ns", "%Y%m%d", "%Y%m%d%H", "%Y%m%dT%H%M%SZ")


@law
@given(st.sampled_from(STYLES), st.lists(moments, min_size=1, max_size=4))
def test_times_of_any_style_are_written_as_they_were_read(style: str, when: list[datetime]) -> None:
    texts = [
        timestyle.written(
            int((moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)), 0, style
        )
        for moment in when
    ]
    read = read_times(texts, style)
    assert rewritten(read) == texts


def rewritten(read: Moments) -> list[str]:
    """Times as they are written after they were read."""
    columns = Columns(
        "ds", None, "y", time_type="date" if read.dates and read.style is None else "timestamp",
        time_format=read.style, time_zoned=read.zone is not None,
    )  # fmt: skip
    return time_texts(read.times, columns, Calendar(Frequency("day"), (1,), read.zone))


@law
@given(st.sampled_from([style for style in STYLES if "epoch" not in style and style not in ("%Y%m%d", "%Y%m%d%H")]))
def test_a_style_is_found_from_a_day_that_is_no_month(style: str) -> None:
    start = 1_706_572_800_000_000  # 2024-01-30
    texts = [timestyle.written(start + 93_784_500_000 * step, 0, style) for step in range(20)]
    assert rewritten(read_times(texts)) == texts
