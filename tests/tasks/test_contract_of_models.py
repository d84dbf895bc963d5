"""What the models of every registered task keep to: their files, how they are trained, and what they say of tables."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import compute, parquet

import rnncli
from rnncli import checkpoint
from rnncli import model as models
from rnncli.errors import ModelRefused, UsageError
from rnncli.events import Budgeted
from rnncli.tasks.plan import Trained
from rnncli.training.events import Evaluated, Stepped
from rnncli.training.progress import Progress
from rnncli.training.unfinished import Unfinished
from tests.tasks.contract import CASES, FIRST, KINDS, answered, made, model_of, of, settled, trained, where

Run = Callable[..., subprocess.CompletedProcess[str]]
every_case, first_cases = of(CASES), of(FIRST)
stopping = of([*FIRST, *where(tbptt=True), *where(static=True), *where(label_kind=True)])


@every_case
def test_the_answers_of_a_table_are_those_of_each_series_alone_in_any_order(task: str, kind: str) -> None:
    table, model = KINDS[task][kind].table, model_of(task, kind)
    lines = answered(task, model, table)
    if "id" not in table.column_names:
        assert answered(task, model, table.take(np.arange(len(table))[::-1])) == lines
        return
    names = compute.unique(table["id"]).to_pylist()
    alone = {name: answered(task, model, table.filter(compute.equal(table["id"], name))) for name in names[::3]}
    for name, own in alone.items():
        assert own == [lines[0], *(line for line in lines if line.startswith(f"{name},"))]
    swapped = pa.concat_tables([table.filter(compute.equal(table["id"], name)) for name in names[::-1]])
    assert sorted(answered(task, model, swapped)) == sorted(lines)


@of([*FIRST, *where(label_kind=True), *where(group=True)])
def test_by_what_scores_can_be_split_is_known_before_they_are_made(task: str, kind: str) -> None:
    model = model_of(task, kind)
    done = rnncli.evaluate(KINDS[task][kind].table, model, refit=task != "forecast")
    assert model.task.groupings(model, None) == done.report.groupings


@every_case
def test_a_file_holds_the_tensors_that_it_says(task: str, kind: str) -> None:
    model = model_of(task, kind)
    tensors, meta = model.task.to_file(model)
    declared = model.task.layout(json.loads(json.dumps(meta | {"format": checkpoint.FORMAT})))
    assert declared == {name: (tensor.dtype, tensor.shape) for name, tensor in tensors.items()}


@every_case
def test_a_file_gives_the_same_model_again(task: str, kind: str) -> None:
    model, table = model_of(task, kind), KINDS[task][kind].table
    data = models.to_bytes(model)
    again = models.from_bytes(data, "again")
    assert models.to_bytes(again) == data
    assert answered(task, again, table) == answered(task, model, table)


@every_case
def test_a_file_with_a_byte_changed_is_refused(task: str, kind: str) -> None:
    data = models.to_bytes(model_of(task, kind))
    places = {*range(24), *np.random.default_rng(0).integers(0, len(data), 40).tolist(), len(data) - 1}
    for place in places:
        damaged = bytearray(data)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(ModelRefused):
            models.from_bytes(bytes(damaged), "damaged")


@every_case
def test_a_training_ends_in_the_same_bytes_each_time(task: str, kind: str) -> None:
    one = made(task, kind)
    *events, found = trained(one)
    kinds = [type(event) for event in events]
    assert kinds.count(Stepped) > kinds.count(Evaluated) > 0
    assert models.to_bytes(settled(one, found)) == models.to_bytes(model_of(task, kind))


@stopping
def test_a_training_broken_off_again_and_again_ends_in_the_same_bytes(task: str, kind: str, tmp_path: Path) -> None:
    one = made(task, kind)
    unfinished, told = Unfinished(tmp_path / "m", "request", one.plan), list[Any]()
    for broken in itertools.count():
        progress = unfinished.found("cpu")[0]
        assert (progress is None) == (not broken)
        progress = progress or Progress()
        some = list(itertools.islice(trained(one, progress=progress), 2 + broken % 3))
        told += some
        if isinstance(some[-1], Trained):
            break
        assert unfinished.keep(progress)
    assert broken > 5
    assert {type(event).__name__ for event in told} >= {"Started", "Stepped", "Evaluated", "Finished"}
    assert models.to_bytes(settled(one, told[-1])) == models.to_bytes(model_of(task, kind))


@first_cases
def test_a_training_whose_time_is_spent_leaves_a_model(task: str, kind: str) -> None:
    one = made(task, kind)
    for seconds in (0.5, 4.0, 32.0):  # as much as this machine needs to judge what is trained
        training = replace(one.plan.training, steps=1_000_000, time_budget=seconds)
        try:
            budgeted, *events, found = trained(one, replace(one.plan, training=training))
            break
        except UsageError as error:
            assert "--time-budget" in error.message  # noqa: PT017
    assert isinstance(budgeted, Budgeted)
    assert budgeted.steps < budgeted.planned
    assert any(isinstance(event, Stepped) for event in events)
    model = settled(one, found)
    assert answered(task, models.from_bytes(models.to_bytes(model), "m"), KINDS[task][kind].table)


PREDICTS = """
import sys, rnncli
answer = rnncli.predict(sys.argv[1], model=sys.argv[2])
assert answer.rows > 0
print(*sorted({"torch", "pandas"} & set(sys.modules)))
"""


@first_cases
def test_prediction_imports_neither_torch_nor_pandas(task: str, kind: str, run_python: Run, tmp_path: Path) -> None:
    parquet.write_table(KINDS[task][kind].table, tmp_path / "data.parquet")
    models.save(tmp_path / "m", model_of(task, kind))
    done = run_python("-c", PREDICTS, tmp_path / "data.parquet", tmp_path / "m")
    assert (done.stdout.strip(), done.returncode) == ("", 0), done.stderr


@every_case
def test_a_training_that_is_repeated_is_planned_as_it_was(task: str, kind: str) -> None:
    one, model = made(task, kind), model_of(task, kind)
    again = one.task.planned_again(one.loaded, model)
    assert (again.network, again.spec) == (model.network, model.spec)
    assert again.training == replace(model.training, time_budget=None)
    assert again.refit == one.plan.refit
