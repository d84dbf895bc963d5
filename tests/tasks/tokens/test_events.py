"""Events with times: what comes next follows from what stands beside events, and when it comes follows its law."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import rnncli
from rnncli import checkpoint
from rnncli import model as models
from rnncli.errors import ModelRefused, SeriesRefused, UsageError
from tests.tasks.tokens.conftest import Trained

Change = Callable[[dict[str, Any], dict[str, Any]], None]
BEGUN = datetime(2024, 3, 4, tzinfo=UTC).replace(tzinfo=None)
ENDS = "<end>"
CASES = 240
WAIT = {"fast": 0.5, "slow": 4.0}  # days on average, from none to twice so many


def events(seed: int, cases: int = CASES) -> list[dict[str, Any]]:
    """Cases that are opened, worked on by somebody fast or slow, who decides how long the next event takes, and closed
    in the way of their kind, which is in every row; `note` says nothing.
    """
    rng, rows = np.random.default_rng(seed), list[dict[str, Any]]()
    for case in range(cases):
        kind, time = "AB"[int(rng.integers(2))], BEGUN + timedelta(days=float(rng.uniform(0, 300)))
        for activity in ("open", "work", "work", f"close {kind}"):
            who = ("fast", "slow")[int(rng.integers(2))]
            row = {"case": f"c{case}", "activity": activity, "ds": time, "kind": kind, "who": who}
            rows.append(row | {"note": float(rng.normal())})
            time += timedelta(seconds=round(86_400 * WAIT[who] * rng.uniform(0, 2)))
    return rows


@pytest.fixture(scope="module")
def log_model(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    path = tmp_path_factory.mktemp("events") / "log.safetensors"
    table = pa.Table.from_pylist(events(0))
    options = {"hidden": 16, "members": 1, "steps": 250, "dropout": 0, "batch": 16, "learning_rate": 0.02}
    made = rnncli.train(table, token="activity", id="case", time="ds", output=path, **options)
    return Trained(path, made.model)


@pytest.fixture(scope="module")
def scored(log_model: Trained) -> dict[str, list[Any]]:
    """What is said of every event of other cases."""
    table = pa.Table.from_pylist(events(1))
    return pa.table(rnncli.predict(table, str(log_model.path), score="token")).to_pydict()


def test_what_stands_beside_events_is_taken_for_what_it_is(log_model: Trained) -> None:
    roles = {channel.name: channel.role for channel in log_model.model.known.beside}
    assert roles == {"kind": "static", "who": "input", "note": "input"}


def test_how_a_case_ends_is_known_from_what_is_constant_in_it(scored: dict[str, list[Any]]) -> None:
    closed = [row for row, token in enumerate(scored["token"]) if token.startswith("close")]
    assert len(closed) == CASES
    assert np.mean([scored["rank"][row] == 1 for row in closed]) > 0.97


def test_the_median_of_the_time_follows_from_who_works(scored: dict[str, list[Any]]) -> None:
    rows = events(1)
    waits = [scored["q0.5"][5 * (place // 4) + place % 4 + 1] for place in range(len(rows))]
    for who, mean in WAIT.items():
        own = [wait for wait, row in zip(waits, rows, strict=True) if row["who"] == who and wait is not None]
        assert mean / 2 < np.median(own) < 2 * mean  # the two are eight times apart


def test_quantiles_of_the_time_cover_as_many_times_as_they_say(scored: dict[str, list[Any]]) -> None:
    days = np.array([np.nan if wait is None else wait for wait in scored["days"]])
    came = ~np.isnan(days)
    assert came.sum() == 3 * CASES
    for level in (0.1, 0.5, 0.9):
        quantile = np.array(scored[f"q{level:g}"], float)
        assert (days <= quantile)[came].mean() == pytest.approx(level, abs=0.08)
    levels = np.array(scored["level"], float)[came]
    assert ((levels > 0) & (levels < 1)).all()
    assert levels.mean() == pytest.approx(0.5, abs=0.05)


def test_no_time_is_said_of_a_first_event_and_of_an_end(scored: dict[str, list[Any]]) -> None:
    for token, position, days in zip(scored["token"], scored["position"], scored["days"], strict=True):
        assert (days is None) == (position == 1 or token == ENDS)


def test_the_next_events_are_written_with_the_time_at_which_they_are_expected(log_model: Trained) -> None:
    rows = [row for row in events(2, 3) if row["activity"] != "close A" and row["activity"] != "close B"]
    table = pa.Table.from_pylist(rows)
    answer = rnncli.predict(table, str(log_model.path), top=2)
    found = pa.table(answer).to_pydict()
    assert list(found)[:6] == ["case", "rank", "token", "p", "ds", "days"]
    assert found["token"][::2] == [f"close {row['kind']}" for row in rows[2::3]]
    for row, ds, days in zip(rows[2::3], found["ds"][::2], found["days"][::2], strict=True):
        assert (ds - row["ds"]).total_seconds() == pytest.approx(86_400 * days, abs=1)
    (first,) = [row for row in csv.DictReader(io.StringIO(answer.encode("csv").decode())) if row["rank"] == "1"][:1]
    assert datetime.fromisoformat(first["ds"]) == found["ds"][0]


def test_a_case_that_goes_on_from_a_state_is_said_the_same(log_model: Trained, tmp_path: Path) -> None:
    rows = events(3, 6)
    whole = pa.Table.from_pylist(rows)
    parts = [
        pa.Table.from_pylist([row for place, row in enumerate(rows) if (place % 4 < 2) == early]) for early in (1, 0)
    ]
    state = tmp_path / "state"
    rnncli.predict(parts[0], str(log_model.path), state=state)
    later = pa.table(rnncli.predict(parts[1], str(log_model.path), score="token", state=state)).to_pydict()
    together = pa.table(rnncli.predict(whole, str(log_model.path), score="token")).to_pydict()
    wanted = [
        place
        for place, (at, token) in enumerate(zip(together["position"], together["token"], strict=True))
        if at > 2 and token != ENDS
    ]
    for name in ("token", "log_p", "days", "q0.5", "level"):
        assert later[name] == [together[name][place] for place in wanted]
    with pytest.raises(SeriesRefused, match="before"):
        rnncli.predict(parts[0], str(log_model.path), state=state)


def test_events_are_generated_with_their_times(log_model: Trained, tmp_path: Path) -> None:
    table = pa.Table.from_pylist(events(4, 1)[:1])
    made = rnncli.predict(table, str(log_model.path), generate=9, state=tmp_path / "state")
    lines = list(csv.DictReader(io.StringIO(str(made))))
    assert [line["activity"] for line in lines[:2]] == ["work", "work"]
    times = [table["ds"][0].as_py(), *(datetime.fromisoformat(line["ds"]) for line in lines)]
    assert times == sorted(times)


def test_the_model_is_better_than_the_medians_of_times(log_model: Trained) -> None:
    data = [pa.Table.from_pylist(events(seed)) for seed in (1, 0)]
    report = rnncli.evaluate(data[0], str(log_model.path), trained_on=data[1]).report
    for rival in ("time", "time-after"):
        assert report.against(rival).metric == "mae_days"
        assert report.against(rival).better(0.01)
    assert report.model_scores["coverage_80"] == pytest.approx(0.8, abs=0.08)
    assert np.isnan(report.scores["bigram"].overall["mae_days"])
    assert np.isnan(report.scores["time"].overall["accuracy"])


def test_channels_can_be_named_and_events_need_no_times(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(events(0, 30))
    options = {"hidden": 4, "members": 1, "steps": 2, "output": tmp_path / "m"}
    made = rnncli.train(table, token="activity", id="case", channels=("kind",), **options).model
    assert [channel.name for channel in made.known.beside] == ["kind"]
    assert made.spec.timing is None
    assert rnncli.predict(table, str(tmp_path / "m"), generate=None, top=1).rows == 30
    with pytest.raises(UsageError, match="texts have none"):
        rnncli.train("book.txt", channels=("kind",), split="char")


def test_where_no_time_is_named_events_are_their_tokens_alone() -> None:
    table = pa.Table.from_pylist(events(0, 30))
    made = rnncli.train(table, token="activity", id="case", hidden=4, members=1, steps=2).model
    assert made.spec.plain
    assert made.known.beside == ()


def test_times_that_are_counted_are_said_in_steps(tmp_path: Path) -> None:
    rows = [row | {"ds": int((row["ds"] - BEGUN).total_seconds() // 3_600)} for row in events(0, 40)]
    table = pa.Table.from_pylist(rows)
    made = rnncli.train(
        table, token="activity", id="case", time="ds", hidden=4, members=1, steps=2, output=tmp_path / "m"
    )
    assert made.model.spec.timing is not None
    assert (made.model.spec.timing.count, made.model.spec.timing.clock) == (True, False)
    found = pa.table(rnncli.predict(table, str(tmp_path / "m"), top=1)).to_pydict()
    assert "steps" in found
    assert {type(ds) for ds in found["ds"]} <= {int, type(None)}
    report = rnncli.evaluate(table, str(tmp_path / "m"), trained_on=table).report
    assert "mae_steps" in report.metrics
    assert "mae_days" not in report.metrics


def _timing(name: str, value: Any) -> Change:
    return lambda _, meta: meta["tokens"]["timing"].__setitem__(name, value)


def _beside(place: int, name: str, value: Any) -> Change:
    return lambda _, meta: meta["tokens"]["beside"][place].__setitem__(name, value)


def _two_alike(tensors: dict[str, Any], _: dict[str, Any]) -> None:
    text = tensors["beside.text"].copy()
    text[1] = text[0]
    tensors["beside.text"] = text


@pytest.mark.parametrize(
    "change",
    [
        _timing("levels", [0.1, 0.9]),
        _timing("unit", 0.0),
        _timing("count", True),
        _beside(0, "static", False),
        _beside(0, "categories", 3),
        _beside(2, "scale", 0.0),
        lambda _, meta: meta["beside"][0].__setitem__(0, "case"),
        lambda _, meta: meta["beside"][0].__setitem__(2, "time"),
        lambda _, meta: meta["beside"].pop(),
        lambda _, meta: meta["columns"].__setitem__("time", None),
        _two_alike,
    ],
)
def test_a_file_whose_events_contradict_themselves_is_refused(log_model: Trained, change: Change) -> None:
    tensors, meta = log_model.model.task.to_file(models.load(log_model.path))
    meta = json.loads(json.dumps(meta))
    assert models.from_bytes(checkpoint.to_bytes(tensors, meta), "as it is").known == log_model.model.known
    change(tensors, meta)
    with pytest.raises(ModelRefused):
        models.from_bytes(checkpoint.to_bytes(tensors, meta), "forged")


def test_quantiles_are_those_of_training(log_model: Trained, tmp_path: Path) -> None:
    table = pa.Table.from_pylist(events(0, 12))
    small = {"hidden": 4, "members": 1, "steps": 2, "output": tmp_path / "m", "token": "activity", "id": "case"}
    made = rnncli.train(table, time="ds", quantiles=(0.25, 0.75), **small).model
    assert made.spec.timing is not None
    assert made.spec.timing.levels == (0.25, 0.5, 0.75)
    with pytest.raises(UsageError, match="no time is named"):
        rnncli.train(table, quantiles=(0.25, 0.75), **small)
    with pytest.raises(UsageError, match="those of training"):
        rnncli.predict(table, str(log_model.path), quantiles=(0.5,))
