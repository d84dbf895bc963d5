"""A training that is broken off and gone on with ends in the same bytes."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import rnncli
from rnncli import model as models
from rnncli.errors import ModelRefused, UsageError
from rnncli.events import Noted
from rnncli.training.events import Finished, Started, Stepped

SMALL = {"horizon": 6, "hidden": 4, "layers": 2, "steps": 8, "batch": 8, "members": 2, "threads": 1}


class Broken(BaseException):
    """What the listener raises to stop a training."""


def stop_at(event: int) -> Callable[[object], None]:
    """A listener that stops the training at its n-th event."""
    count = itertools.count(1)

    def listener(told: object) -> None:
        if isinstance(told, (Started, Stepped, Finished)) and next(count) == event:
            raise Broken

    return listener


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def jobs(sample_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Employment in two sectors."""
    path = tmp_path_factory.mktemp("jobs") / "jobs.csv"
    rows = (sample_data / "us_employment.csv").read_text().splitlines(keepends=True)
    path.write_text("".join(rows[: 1 + 2 * 120]))
    return path


@pytest.fixture(scope="module")
def unbroken(jobs: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("unbroken") / "m.safetensors"
    rnncli.train(jobs, output=path, **SMALL)
    return digest(path)


@pytest.mark.parametrize("event", [1, 2, 5, 10, 11, 12, 13, 14, 18, 24, 28])
def test_a_training_stopped_at_any_event_ends_in_the_same_bytes(
    jobs: Path, unbroken: str, tmp_path: Path, event: int
) -> None:
    path = tmp_path / "m.safetensors"
    with pytest.raises(Broken) as stop:
        rnncli.train(jobs, output=path, on_event=stop_at(event), **SMALL)
    assert not path.exists()
    assert str(path) in stop.value.__notes__[0]
    notes: list[str] = []
    rnncli.train(jobs, output=path, on_event=lambda e: notes.append(str(getattr(e, "text", ""))), **SMALL)
    assert any("going on from" in note for note in notes)
    assert digest(path) == unbroken
    assert sorted(file.name for file in tmp_path.iterdir()) == [".m.safetensors.lock", "m.safetensors"]


def test_a_training_stopped_at_every_second_step_ends_in_the_same_bytes(
    jobs: Path, unbroken: str, tmp_path: Path
) -> None:
    path, tries = tmp_path / "m.safetensors", 0
    while not path.exists():
        tries += 1
        try:
            rnncli.train(jobs, output=path, on_event=stop_at(4), **SMALL)
        except Broken:
            continue
    assert tries > 5
    assert digest(path) == unbroken


@pytest.mark.parametrize("cell", ["lstm,dilated:3:gru", "lru"])
def test_a_training_that_carries_its_state_goes_on_with_it(jobs: Path, tmp_path: Path, cell: str) -> None:
    """Each step begins with the state that the one before it left."""
    whole, path = tmp_path / "whole.safetensors", tmp_path / "m.safetensors"
    carrying = SMALL | {"cell": cell, "tbptt": 5}
    rnncli.train(jobs, output=whole, **carrying)
    while not path.exists():
        with contextlib.suppress(Broken):
            rnncli.train(jobs, output=path, on_event=stop_at(4), **carrying)
    assert digest(path) == digest(whole)


def test_a_training_of_something_else_is_not_gone_on_with(jobs: Path, unbroken: str, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    with pytest.raises(Broken):
        rnncli.train(jobs, output=path, on_event=stop_at(5), **(SMALL | {"seed": 5}))
    notes: list[str] = []
    rnncli.train(jobs, output=path, on_event=lambda e: notes.append(str(getattr(e, "text", ""))), **SMALL)
    assert any("other data, settings or versions" in note for note in notes)
    assert digest(path) == unbroken


@pytest.mark.parametrize("what", ["flipped", "cut", "empty", "a model"])
def test_a_damaged_partial_file_is_told_and_not_used(
    jobs: Path, unbroken: str, tmp_path: Path, small_model: Path, what: str
) -> None:
    path, partial = tmp_path / "m.safetensors", tmp_path / "m.safetensors.partial"
    with pytest.raises(Broken):
        rnncli.train(jobs, output=path, on_event=stop_at(5), **SMALL)
    data = partial.read_bytes()
    middle = len(data) // 2
    damaged = {
        "flipped": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        "cut": data[:middle],
        "empty": b"",
        "a model": small_model.read_bytes(),
    }
    partial.write_bytes(damaged[what])
    notes: list[str] = []
    rnncli.train(jobs, output=path, on_event=lambda e: notes.append(str(getattr(e, "text", ""))), **SMALL)
    assert any("starts over" in note for note in notes)
    assert digest(path) == unbroken


def test_an_unfinished_training_is_no_model(jobs: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    with pytest.raises(Broken):
        rnncli.train(jobs, output=path, on_event=stop_at(5), **SMALL)
    with pytest.raises(ModelRefused, match="training that has not ended"):
        rnncli.info(f"{path}.partial")


def test_the_same_request_again_is_up_to_date_and_a_fresh_one_is_done(jobs: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    quick = SMALL | {"steps": 2, "members": 1}
    first = rnncli.train(jobs, output=path, **quick)
    written = path.stat().st_mtime_ns
    again = rnncli.train(jobs, output=path, **quick)
    assert (first.up_to_date, again.up_to_date) == (False, True)
    assert path.stat().st_mtime_ns == written
    assert again.validation == first.validation
    assert again.verdict == first.verdict
    assert not rnncli.train(jobs, output=path, fresh=True, **quick).up_to_date
    assert path.stat().st_mtime_ns > written


def test_other_data_or_settings_are_not_up_to_date(jobs: Path, tmp_path: Path) -> None:
    path, data = tmp_path / "m.safetensors", tmp_path / "jobs.csv"
    lines = jobs.read_text().splitlines(keepends=True)
    data.write_text("".join(lines))
    quick = SMALL | {"steps": 2, "members": 1}
    rnncli.train(data, output=path, **quick)
    assert not rnncli.train(data, output=path, **(quick | {"seed": 1})).up_to_date
    sector, month, _ = lines[-1].split(",")
    data.write_text("".join([*lines[:-1], f"{sector},{month},1\n"]))
    assert not rnncli.train(data, output=path, **(quick | {"seed": 1})).up_to_date


def test_a_time_budget_becomes_steps_that_repeat_the_training(jobs: Path) -> None:
    plain = SMALL | {"members": 1, "steps": 5_000}
    begun = time.monotonic()
    rnncli.train(jobs, **plain | {"steps": 1})
    budget = 1 + 4 * (time.monotonic() - begun)  # seconds that this machine can keep, however slow or busy it is
    phases: list[list[int]] = [[], []]
    keep = [lambda event, to=to: to.append(event.step) if isinstance(event, Finished) else None for to in phases]
    timed = rnncli.train(jobs, time_budget=budget, on_event=keep[0], **plain).model
    assert timed.training.steps < 5_000
    repeated = rnncli.train(jobs, on_event=keep[1], **(plain | {"steps": timed.training.steps})).model
    if phases[0] == phases[1]:  # unless the machine slowed down on the way
        assert all(np.array_equal(timed.weights[name], repeated.weights[name]) for name in timed.weights)


def test_a_warm_start_keeps_the_network_and_learns_from_new_rows(jobs: Path, tmp_path: Path) -> None:
    old, new = tmp_path / "old.safetensors", tmp_path / "new.safetensors"
    quick = SMALL | {"steps": 10, "members": 1}
    rnncli.train(jobs, output=old, as_of="2010-01-01", **quick)
    done = rnncli.train(jobs, output=new, warm_start=old, threads=1)
    before, after = models.load(old), models.load(new)
    assert (after.network, after.spec.horizon) == (before.network, 6)
    assert after.training.steps < 400
    assert done.rows > before.record["rows"]
    weight = "layer0.weight_hh"
    change = np.abs(after.weights[weight] - before.weights[weight]).mean()
    assert 0 < change < np.abs(before.weights[weight]).mean()


def test_a_model_that_goes_on_in_its_own_place_does_so_once_for_the_same_data(jobs: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    rnncli.train(jobs, output=path, as_of="2010-01-01", **(SMALL | {"steps": 4, "members": 1}))
    weekly = {"output": path, "warm_start": path, "steps": 4, "threads": 1}
    first = rnncli.train(jobs, as_of="2012-01-01", **weekly)
    written = digest(path)
    again = rnncli.train(jobs, as_of="2012-01-01", **weekly)
    assert (first.up_to_date, again.up_to_date, digest(path)) == (False, True, written)
    assert not rnncli.train(jobs, as_of="2012-02-01", **weekly).up_to_date
    assert not rnncli.train(jobs, as_of="2012-02-01", fresh=True, **weekly).up_to_date


def test_a_warm_start_in_place_that_is_broken_off_goes_on_from_there(jobs: Path, tmp_path: Path) -> None:
    path, other = tmp_path / "m.safetensors", tmp_path / "other.safetensors"
    rnncli.train(jobs, output=path, as_of="2010-01-01", **(SMALL | {"steps": 4, "members": 1}))
    other.write_bytes(path.read_bytes())
    rnncli.train(jobs, output=other, warm_start=other, steps=4, threads=1)
    with pytest.raises(Broken):
        rnncli.train(jobs, output=path, warm_start=path, steps=4, threads=1, on_event=stop_at(3))
    assert rnncli.train(jobs, output=path, warm_start=path, steps=4, threads=1).output == str(path)
    assert digest(path) == digest(other)


def test_a_warm_start_refuses_another_network(jobs: Path, small_model: Path) -> None:
    with pytest.raises(UsageError, match="--hidden describes a model"):
        rnncli.train(jobs, warm_start=small_model, hidden=8)


def test_as_of_sees_no_later_row(jobs: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.csv"
    lines = jobs.read_text().splitlines(keepends=True)
    cut.write_text("".join([lines[0], *(line for line in lines[1:] if line.split(",")[1] <= "2010-05-01")]))
    quick = SMALL | {"steps": 2, "members": 1}
    whole, part = rnncli.train(jobs, as_of="2010-05-01", **quick), rnncli.train(cut, **quick)
    assert whole.model.record["request"] == part.model.record["request"]


def test_what_is_noticed_is_told_once_per_run(jobs: Path) -> None:
    told: list[object] = []
    rnncli.train(jobs, on_event=told.append, **(SMALL | {"steps": 1, "members": 1}))
    lines = [event.text for event in told if isinstance(event, Noted) and not event.detail]
    assert len(lines) == len(set(lines))
