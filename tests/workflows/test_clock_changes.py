"""Clock changes from files to forecasts: zones that are said or stored, offsets in the text, states and evaluations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import compute, parquet

import rnncli
from rnncli.errors import InputRefused

SMALL: dict[str, Any] = {"horizon": 24, "hidden": 4, "layers": 1, "members": 1, "steps": 2, "context": 8}
BERLIN, MELBOURNE = ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Melbourne")
Write = Callable[[Path, list[datetime], list[float]], dict[str, Any]]


def moments(zone: ZoneInfo, begin: str, end: str, minutes: int) -> list[datetime]:
    """Every so many minutes from `begin` until before `end`, times on the wall."""
    now, stop = (datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC) for text in (begin, end))
    found = []
    while now < stop:
        found.append(now.astimezone(zone))
        now += timedelta(minutes=minutes)
    return found


def peaks(times: list[datetime]) -> list[float]:
    """About 10, and about 100 from 8:00 to 9:00."""
    noise = np.random.default_rng(0).uniform(0, 1, len(times))
    return [100 + more if time.hour == 8 else 10 + more for time, more in zip(times, noise.tolist(), strict=True)]


def as_wall_times(path: Path, times: list[datetime], values: list[float]) -> dict[str, Any]:
    lines = [f"{time:%Y-%m-%d %H:%M:%S},{value!r}" for time, value in zip(times, values, strict=True)]
    path.write_text("\n".join(["ds,y", *lines]) + "\n")
    return {"zone": "Europe/Berlin"}


def with_offsets(path: Path, times: list[datetime], values: list[float]) -> dict[str, Any]:
    lines = [f"{time.isoformat()},{value!r}" for time, value in zip(times, values, strict=True)]
    path.write_text("\n".join(["ds,y", *lines]) + "\n")
    return {"zone": "Europe/Berlin"}


def as_parquet(path: Path, times: list[datetime], values: list[float]) -> dict[str, Any]:
    parquet.write_table(table_of(times, values, "Europe/Berlin"), path)
    return {}


def table_of(times: list[datetime], values: list[float], zone: str) -> pa.Table:
    return pa.table({"ds": pa.array(times, pa.timestamp("us", zone)), "y": values})


@pytest.mark.parametrize(
    ("write", "suffix"),
    [(as_wall_times, "csv"), (with_offsets, "csv"), (as_parquet, "parquet")],
    ids=("wall times", "offsets", "parquet"),
)
def test_the_peak_of_eight_is_forecast_at_eight_after_the_clock_was_put_back(
    write: Write, suffix: str, tmp_path: Path
) -> None:
    data = tmp_path / f"input.{suffix}"
    times = moments(BERLIN, "2024-10-14", "2024-10-27", 60)
    options = write(data, times, peaks(times))
    model = rnncli.train(data, **SMALL, **options)
    assert model.model.spec.wall
    found = rnncli.predict(data, model).to_json()["series"][0]
    ahead = moments(BERLIN, "2024-10-27", "2024-10-27 23:00", 60)
    assert len(found["time"]) == len(ahead) == 24
    above = [time.isoformat() for time, value in zip(ahead, found["forecast"], strict=True) if value > 55]
    assert above == ["2024-10-27T08:00:00+01:00"]


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of half-hourly rows, trained on a part of the year without a change."""
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    times = moments(MELBOURNE, "2024-03-24", "2024-04-02", 30)
    rnncli.train(table_of(times, peaks(times), "Australia/Melbourne"), output=path, **SMALL)
    return path


def cut(table: pa.Table, *edges: str) -> list[pa.Table]:
    """The rows before the first of some moments, from it to the next one, and so on."""
    moments = [pa.scalar(datetime.fromisoformat(edge), table.schema.field("ds").type) for edge in edges]
    after = [compute.greater_equal(table["ds"], moment) for moment in moments]
    parts = np.sum([np.asarray(flags.to_pylist(), int) for flags in after], axis=0)
    return [table.filter(pa.array(parts == part)) for part in range(len(edges) + 1)]


AUTUMN = ("2024-04-01", "2024-04-08", "2024-04-07T02:00+11:00", "2024-04-07T03:30+10:00")
SPRING = ("2024-10-01", "2024-10-07", "2024-10-06T01:00+10:00", "2024-10-06T03:30+11:00")


@pytest.mark.parametrize(("begin", "end", "first", "last"), [AUTUMN, SPRING])
def test_a_state_over_a_change_in_pieces_is_that_of_one_run(
    halves: Path, tmp_path: Path, begin: str, end: str, first: str, last: str
) -> None:
    times = moments(MELBOURNE, begin, end, 30)
    table = table_of(times, peaks(times), "Australia/Melbourne")
    one, many = tmp_path / "one.safetensors", tmp_path / "many.safetensors"
    whole = rnncli.predict(table, halves, state=one)
    hour = moments(MELBOURNE, first[:16], last[:16], 30)
    edges = [time.astimezone(UTC).isoformat() for time in hour]
    for piece in cut(table, *edges):
        seen = rnncli.predict(piece, halves, state=many)
        assert seen.table.times[0, 0] - piece["ds"][-1].cast(pa.int64()).as_py() == 30 * 60_000_000
    assert many.read_bytes() == one.read_bytes()
    assert seen.encode() == whole.encode()
    again = rnncli.predict(table, halves, state=many)
    assert again.encode() == whole.encode()
    assert many.read_bytes() == one.read_bytes()


def test_a_file_that_begins_in_the_hour_that_comes_twice_goes_on_from_a_state_and_a_gap_in_it_is_refused(
    halves: Path, tmp_path: Path
) -> None:
    begin, end, first, _ = AUTUMN
    times = moments(MELBOURNE, begin, end, 30)
    table = table_of(times, peaks(times), "Australia/Melbourne")
    state = tmp_path / "state.safetensors"
    before, _, later = cut(table, "2024-04-07T02:30+11:00", "2024-04-07T02:00+10:00")
    rnncli.predict(before, halves, state=state)
    with pytest.raises(InputRefused, match="1 rows are missing between the state and the data"):
        rnncli.predict(later, halves, state=state)
    whole = rnncli.predict(table, halves, state=state)
    rest = cut(table, first)[1]
    for edge in ("2024-04-07T02:30+11:00", "2024-04-07T02:00+10:00", "2024-04-07T02:30+10:00"):
        assert rnncli.predict(cut(rest, edge)[1], halves, state=state).encode() == whole.encode()


def test_a_state_and_a_window_that_have_seen_the_same_rows_forecast_alike(halves: Path, tmp_path: Path) -> None:
    """Over a change, and longer than the trained horizon."""
    times = moments(MELBOURNE, "2024-04-06 12:00", "2024-04-07 01:30", 30)[-8:]
    table = table_of(times, peaks(times), "Australia/Melbourne")
    streamed = rnncli.predict(table, halves, state=tmp_path / "state.safetensors", horizon=30)
    plain = rnncli.predict(table, halves, horizon=30)
    np.testing.assert_allclose(streamed.table.point, plain.table.point, rtol=1e-3)
    assert streamed.table.times.tolist() == plain.table.times.tolist()


def test_both_rows_of_a_time_that_comes_twice_are_forecast(halves: Path) -> None:
    times = moments(MELBOURNE, "2024-04-01", "2024-04-07", 30)
    found = rnncli.predict(table_of(times, peaks(times), "Australia/Melbourne"), halves).table
    assert (np.diff(found.times[0]) == 30 * 60_000_000).all()
    np.testing.assert_array_equal(found.quantiles[0, 4:6], found.quantiles[0, 6:8])


def test_gradients_are_inspected_on_the_grid_that_was_trained_on(halves: Path) -> None:
    times = moments(MELBOURNE, "2024-04-01", "2024-04-12", 30)
    table = table_of(times, peaks(times), "Australia/Melbourne")
    found = rnncli.inspect_gradients(table, halves, quick=True)
    assert found.report.to_json()


def test_data_that_end_before_the_state_are_forecast_from_where_the_state_is(halves: Path, tmp_path: Path) -> None:
    begin, end, *_ = AUTUMN
    times = moments(MELBOURNE, begin, end, 30)
    table = table_of(times, peaks(times), "Australia/Melbourne")
    for edge in ("2024-04-07T02:30+11:00", "2024-04-07T02:30+10:00", "2024-04-07T05:00+10:00"):
        state = tmp_path / f"{edge[:13]}{edge[-5:-3]}.safetensors"
        seen = cut(table, edge)[0]
        made, before = rnncli.predict(seen, halves, state=state), state.read_bytes()
        older = cut(seen, "2024-04-06T12:00+11:00")[0]
        assert rnncli.predict(older, halves, state=state).encode() == made.encode()
        assert state.read_bytes() == before


def test_covariates_that_are_known_ahead_are_read_on_the_grid_too(tmp_path: Path) -> None:
    """Values are a covariate that is known ahead, on either side of a change and in the horizon over it."""
    times = moments(BERLIN, "2024-03-20", "2024-04-02", 60)
    known = np.random.default_rng(0).uniform(5, 50, len(times))
    target = pa.array([value if time.day != 31 else None for time, value in zip(times, known.tolist(), strict=True)])
    table = table_of(times, known.tolist(), "Europe/Berlin").rename_columns(["ds", "x"]).append_column("y", target)
    past, ahead = cut(table, "2024-03-31T00:00+01:00", "2024-04-01T00:00+02:00")[:2]
    options = SMALL | {"hidden": 16, "steps": 60, "horizon": 6, "learning_rate": 0.03}
    model = rnncli.train(past, target="y", future=["x"], keep_covariates=True, **options)
    made = rnncli.predict(pa.concat_tables([past, ahead]), model).table.point[0]
    assert np.corrcoef(made, ahead["x"].to_numpy()[:6])[0, 1] > 0.9
