"""Large Parquet data are scored some series at a time, with the scores and the files of all of them at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import rnncli
from rnncli.data import parts
from rnncli.errors import InputRefused, UsageError
from rnncli.events import Noted, unheard
from rnncli.tasks.forecast import evaluate as at_once
from rnncli.tasks.forecast import rehearsal, scored_parts
from rnncli.workflows.dry_run import dry_evaluate
from rnncli.workflows.evaluate import Evaluation, Scoring, evaluated

HOUR = np.timedelta64(1, "h")
SERIES, ROWS, LEARNT = 30, 60, 40
Told = tuple[Evaluation, list[str]]


def columns(series: int = SERIES, rows: int = ROWS) -> dict[str, Any]:
    """Hours of so many series, some values of which are missing."""
    place = np.arange(series * rows)
    y = np.round(20 + 5 * np.sin(2 * np.pi * place / 24) + np.cos(place * 1.7) + place // rows, 2)
    y[place % 17 == 3] = np.nan
    ids = np.repeat([f"s{(number * 7) % series:03}" for number in range(series)], rows)
    return {"unique_id": ids, "ds": np.datetime64("2024-01-01", "us") + (place % rows) * HOUR, "y": y}


def of(found: dict[str, Any]) -> pa.Table:
    return pa.table({name: pa.array(column, from_pandas=False) for name, column in found.items()})


def saved(found: dict[str, Any], path: Path) -> Path:
    parquet.write_table(of(found), path, row_group_size=128)
    return path


def first(found: dict[str, Any], rows: int) -> dict[str, Any]:
    """The first rows of each series."""
    chosen = np.arange(len(found["y"])) % ROWS < rows
    return {name: column[chosen] for name, column in found.items()}


@pytest.fixture(scope="module")
def model() -> Any:
    return rnncli.train(of(first(columns(), LEARNT)), horizon=6, steps=2).model


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(columns(), tmp_path_factory.mktemp("data") / "data.parquet")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "FROM", 1)
    monkeypatch.setattr(parts, "PART", 300)
    monkeypatch.setattr(scored_parts, "AT_ONCE", 3)
    monkeypatch.setattr(scored_parts, "FOLDED", 4)


@pytest.fixture
def never_as_one(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def refused(*_: Any) -> None:
        raise AssertionError("the data were read as one")

    return lambda: monkeypatch.setattr(at_once, "evaluated", refused)


def told_of(data: Path, model: Any, *, in_parts: bool, asked: dict[str, Any]) -> Told:
    """The scores, and what was told on the way."""
    said = {name: value for name, value in asked.items() if name not in ("must_beat", "fail_if", "on_bad_series")}
    options: Any = {name: value for name, value in asked.items() if name not in said}
    lines: list[str] = []

    def hear(event: object) -> None:
        if isinstance(event, Noted) and not event.detail:
            lines.append(event.text)

    done = evaluated(data, model, Scoring(**said), options, hear, in_parts=in_parts)  # type: ignore[arg-type]
    return done, lines


def same(data: Path, model: Any, never_as_one: Callable[[], None] | None = None, **asked: Any) -> Evaluation:
    """The scores in parts, which are those of all series at once, as is what is told of them."""
    plain, lines = told_of(data, model, in_parts=False, asked=asked)
    if never_as_one is not None:
        never_as_one()
    found, heard = told_of(data, model, in_parts=True, asked=asked)
    assert found.to_json() == plain.to_json()
    assert heard == lines
    assert found.report.headline() == plain.report.headline()
    assert found.report.tables() == plain.report.tables()
    assert found.outline() == plain.outline()
    return found


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"windows": 3, "stride": 4},
        {"start": "2024-01-02 18:00", "until": "2024-01-03 09:00"},
        {"horizon": 9},
        {"windows": 2, "must_beat": ["seasonal-naive", "naive"], "fail_if": ["mase>0.1"]},
        {"windows": 6, "horizon": 3, "stride": 3, "refit": False, "threads": 2},
    ],
)
def test_scores_and_what_is_told_are_those_of_all(
    model: Any, data: Path, never_as_one: Callable[[], None], asked: dict[str, Any]
) -> None:
    assert same(data, model, never_as_one, **asked).report.series == SERIES


def test_rows_that_training_has_seen_are_marked(model: Any, data: Path, never_as_one: Callable[[], None]) -> None:
    assert same(data, model, never_as_one, windows=5, refit=False).report.in_sample


def test_series_of_every_length_are_counted_as_in_all(
    model: Any, tmp_path: Path, never_as_one: Callable[[], None]
) -> None:
    found = columns()
    place = np.arange(SERIES * ROWS)
    gone = np.flatnonzero((place // ROWS > 3) & (place % ROWS < (place // ROWS * 13) % 59))
    path = saved({name: np.delete(column, gone) for name, column in found.items()}, tmp_path / "data.parquet")
    asked = {"windows": 4, "stride": 3, "must_beat": ["naive"]}
    assert sum(window.skipped for window in same(path, model, never_as_one, **asked).report.windows) > 10


def test_series_without_a_window_are_named_as_in_all(
    model: Any, tmp_path: Path, never_as_one: Callable[[], None]
) -> None:
    found = columns()
    place = np.arange(SERIES * ROWS)
    gone = np.flatnonzero((place // ROWS % 4 == 1) & (place % ROWS > 45))
    path = saved({name: np.delete(column, gone) for name, column in found.items()}, tmp_path / "data.parquet")
    notes = same(path, model, never_as_one, start="2024-01-03").report.to_json()["notes"]
    assert "8 series without a whole window" in str(notes)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "arrow"])
def test_the_forecasts_that_are_kept_are_the_same_bytes(
    model: Any,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    never_as_one: Callable[[], None],
    suffix: str,
) -> None:
    monkeypatch.setattr("rnncli.data.writers.forecasts.BLOCK", 200)
    one, other = tmp_path / f"one.{suffix}", tmp_path / f"parts.{suffix}"
    asked = {"windows": 3, "stride": 2}
    _, plain = told_of(data, model, in_parts=False, asked={**asked, "keep_forecasts": one})
    never_as_one()
    found, heard = told_of(data, model, in_parts=True, asked={**asked, "keep_forecasts": other})
    assert one.read_bytes() == other.read_bytes()
    assert [line.replace("one.", "parts.") for line in plain] == heard
    assert found.report.series == SERIES


def test_what_cannot_be_written_in_parts_is_scored_as_one(model: Any, data: Path, tmp_path: Path) -> None:
    pytest.importorskip("xlsxwriter")
    told_of(data, model, in_parts=True, asked={"keep_forecasts": tmp_path / "kept.xlsx"})
    assert (tmp_path / "kept.xlsx").stat().st_size


def test_series_that_are_apart_are_scored_as_one(model: Any, tmp_path: Path) -> None:
    found = columns()
    order = np.lexsort((found["unique_id"], found["ds"]))
    path = saved({name: column[order] for name, column in found.items()}, tmp_path / "data.parquet")
    asked = {"keep_forecasts": tmp_path / "kept.csv"}
    same(path, model, **asked)
    assert (tmp_path / "kept.csv").read_text().count("\n") == SERIES * 6 + 1


def test_what_must_be_trained_once_more_is_scored_as_one(model: Any, data: Path) -> None:
    assert same(data, model, windows=5).refitted


def test_scores_by_series_are_those_of_all(model: Any, data: Path) -> None:
    done, _ = told_of(data, model, in_parts=True, asked={"by": "series"})
    assert len(done.to_json(by="series")["by_series"]) == SERIES * len(done.report.to_json()["scores"])


LONG = 130  # rows, more than a network with a context of 8 looks back on, seasons and all


def broken(*bad: int, beyond: bool = False) -> dict[str, Any]:
    """Data with series of which nothing is known up to the origin, or with a value beyond what there can be."""
    found = columns(SERIES, LONG)
    place = np.arange(SERIES * LONG)
    hit = np.isin(place // LONG, bad) & (place % LONG >= 1) & (place % LONG < LONG - 6)
    found["y"] = np.where(hit, -5.0 if beyond else np.nan, found["y"])
    return found


@pytest.fixture(scope="module")
def narrow() -> Any:
    """A model that sees little of the past, and nothing below 0."""
    found = columns(SERIES, LONG)
    chosen = np.arange(SERIES * LONG) % LONG < 110
    learnt = of({name: column[chosen] for name, column in found.items()})
    return rnncli.train(learnt, horizon=6, steps=2, context=8, min=0.0).model


@pytest.mark.parametrize("beyond", [False, True], ids=["unseen", "bounds"])
def test_series_that_cannot_be_used_are_counted_over_all_parts(
    narrow: Any, tmp_path: Path, never_as_one: Callable[[], None], beyond: bool
) -> None:
    path = saved(broken(4, 17, 18, 29, beyond=beyond), tmp_path / "data.parquet")
    with pytest.raises(InputRefused) as plain:
        told_of(path, narrow, in_parts=False, asked={})
    skipped = same(path, narrow, on_bad_series="skip").skipped
    assert len(skipped) == 4
    never_as_one()
    with pytest.raises(InputRefused, match="3 more series") as found:
        told_of(path, narrow, in_parts=True, asked={"keep_forecasts": tmp_path / "kept.csv"})
    assert (str(found.value), found.value.hint) == (str(plain.value), plain.value.hint)
    assert not (tmp_path / "kept.csv").exists()


@pytest.mark.parametrize("beyond", [False, True], ids=["unseen", "bounds"])
def test_where_no_series_is_left_it_is_said_as_of_all(narrow: Any, tmp_path: Path, beyond: bool) -> None:
    path = saved(broken(*range(SERIES), beyond=beyond), tmp_path / "data.parquet")
    said = []
    for in_parts in (False, True):
        with pytest.raises(InputRefused) as caught:
            told_of(path, narrow, in_parts=in_parts, asked={"on_bad_series": "skip"})
        said.append(str(caught.value))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ({"horizon": 60}, InputRefused),
        ({"start": "2024-02-01", "until": "2024-02-02"}, InputRefused),
        ({"start": "2024-02-01", "until": "2024-01-02"}, UsageError),
    ],
)
def test_what_is_refused_of_all_is_refused_in_the_same_words(
    model: Any, data: Path, asked: dict[str, Any], kind: type[Exception]
) -> None:
    said = []
    for in_parts in (False, True):
        with pytest.raises(kind) as caught:
            told_of(data, model, in_parts=in_parts, asked=asked)
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_covariates_that_are_known_ahead_are_seen_in_parts_too(
    tmp_path: Path, never_as_one: Callable[[], None]
) -> None:
    found, place = columns(), np.arange(SERIES * ROWS)
    found |= {"promo": np.cos(place * 0.9).round(2), "size": (place // ROWS % 4).astype(float)}
    promoted = rnncli.train(of(first(found, LEARNT)), horizon=6, steps=2, future=("promo",), static=("size",)).model
    found["y"] = np.where(place % ROWS < ROWS - 4, found["y"], np.nan)
    same(saved(found, tmp_path / "data.parquet"), promoted, never_as_one, windows=2, stride=3)


WINDOWS = {"windows": 2, "start": None, "until": None, "stride": None, "horizon": None}


@pytest.mark.parametrize("refit", [False, True])
def test_a_dry_run_counts_in_parts_what_would_be_scored(
    model: Any, data: Path, monkeypatch: pytest.MonkeyPatch, refit: bool
) -> None:
    def refused(*_: Any) -> None:
        raise AssertionError("the data were read as one")

    monkeypatch.setattr(rehearsal, "load_until", refused)
    found = dry_evaluate(data, model, None, {**WINDOWS, "refit": refit}, {}, unheard)
    assert (found.rows, found.series) == (SERIES * ROWS, SERIES)
    assert found.does == "score 60 forecasts of 6 rows"


def test_a_dry_run_refuses_as_of_all(narrow: Any, tmp_path: Path) -> None:
    path = saved(broken(4, 17, 18, 29, beyond=True), tmp_path / "data.parquet")
    with pytest.raises(InputRefused, match="3 more series"):
        dry_evaluate(path, narrow, None, {**WINDOWS, "refit": False}, {}, unheard)


def test_drift_is_told_as_of_all(model: Any, tmp_path: Path, never_as_one: Callable[[], None]) -> None:
    found = columns()
    found["y"] = np.where(np.arange(SERIES * ROWS) >= 1200, found["y"] * 50, found["y"])
    done = same(saved(found, tmp_path / "data.parquet"), model, never_as_one)
    assert done.drift is not None
    assert done.drift.has_drifted
