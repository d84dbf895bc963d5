"""What every registered task keeps to, on data and options of each kind that it has."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from numpy.typing import NDArray
from pyarrow import compute, parquet
from torch import Tensor

from rnncli import checkpoint, registry
from rnncli import model as models
from rnncli.arrays import Ints
from rnncli.data.load import Loaded
from rnncli.data.panel import Panel
from rnncli.errors import ModelRefused, UsageError
from rnncli.events import SEARCH, Budgeted, Phase, unheard
from rnncli.layers.encoder import outputs
from rnncli.registry import TASKS, find
from rnncli.spec import ColumnChoices
from rnncli.tasks.plan import Plan, Trained
from rnncli.tasks.seen import HEAD, Seen, head_weights
from rnncli.tasks.task import Task
from rnncli.training.events import Evaluated, Stepped
from rnncli.training.objective import forward, on
from rnncli.training.progress import Progress
from rnncli.training.session import initial_weights, objective_for, train
from rnncli.training.unfinished import Unfinished
from rnncli.workflows.probe import Probe
from rnncli.workflows.watching import origin_of

Said = list[tuple[int, NDArray[np.float32]]]
Run = Callable[..., subprocess.CompletedProcess[str]]
SMALL: dict[str, Any] = {"hidden": 4, "layers": 1, "steps": 4, "batch": 4, "members": 2}
NAMED = {"id": [f"s{s}" for s in range(12)], "kind": ["a", "b"] * 6}
BEGUN = datetime(2024, 10, 20, tzinfo=UTC)


def days(*lengths: int, covariates: bool = False) -> pa.Table:
    """Daily series of a weekly wave, with covariates of every role if these are wanted."""
    rng, rows = np.random.default_rng(0), []
    for s, length in enumerate(lengths):
        for i in range(length):
            wave = float(10 + 3 * np.sin(2 * np.pi * i / 7) + rng.normal())
            row = {"id": f"s{s}", "ds": BEGUN.replace(tzinfo=None) + timedelta(i), "y": None if i == 9 else wave}
            beside = {
                "past": rng.normal(),
                "future": wave / 2,
                "kind": "ab"[i % 2],
                "place": "wxyz"[s],
                "size": s + 0.5,
            }
            rows.append(row | (beside if covariates else {}))
    return pa.Table.from_pylist(rows)


def hours() -> pa.Table:
    """A series that follows the wall clock of Berlin, which is put back on its eighth day."""
    times = [BEGUN + timedelta(hours=i) for i in range(24 * 9)]
    values = np.random.default_rng(0).normal(10, 1, len(times)) + 5 * (np.arange(len(times)) % 24 == 8)
    return pa.table({"ds": pa.array(times, pa.timestamp("us", "Europe/Berlin")), "y": values})


def sequences(*, steps: int = 7, gaps: bool = False, words: int = 0) -> pa.Table:
    """Sequences with labels of many kinds, up to three times so long as `steps`."""
    rng, rows = np.random.default_rng(1), []
    for s in range(12):
        for i in range(steps + int(rng.integers(2 * steps))):
            row = {"id": f"s{s}", "kind": "abc"[s % 3], "size": s / 2 + 0.25, "who": f"g{s // 2}"}
            row |= {"up": "yes" if i % (s + 2) else "no", "height": float(i + rng.normal())}
            row |= {"x": None if gaps and rng.random() < 0.3 else float(rng.normal(s % 3)), "y": float(rng.normal())}
            rows.append(row | ({"word": f"w{rng.integers(words)}"} if words else {}))
    return pa.Table.from_pylist(rows)


def rows_of_steps() -> pa.Table:
    """Sequences of ten steps, one a row."""
    values = np.random.default_rng(2).normal(size=(12, 10)) + np.arange(12)[:, None] % 2
    return pa.table(NAMED | {str(i): values[:, i] for i in range(10)})


def images() -> pa.Table:
    """Images of six rows of eight values, whose rows are alike, one image a row."""
    rng = np.random.default_rng(3)
    values = np.tile(rng.normal(size=(12, 8)), 6) + 0.2 * rng.normal(size=(12, 48))
    return pa.table(NAMED | {str(i): values[:, i] for i in range(48)})


def documents(*, ending: bool = True) -> pa.Table:
    """Documents of a few kinds of tokens, each of which mostly follows from the one before; or a single one."""
    rng, rows = np.random.default_rng(4), []
    for s in range(12 if ending else 1):
        token = 0
        for _ in range(5 + int(rng.integers(20)) if ending else 90):
            token = int((token + rng.choice([1, 2], p=[0.9, 0.1])) % 7)
            rows.append({"id": f"s{s}", "word": f"w{token}"})
    return pa.Table.from_pylist(rows)


def clips(*lengths: int, amounts: bool = False) -> pa.Table:
    """Clips of a square that moves on through a small frame; of amounts, with a frame that is missing."""
    rng, rows = np.random.default_rng(6), []
    for s, length in enumerate(lengths):
        place, speed = rng.integers(0, 4, 2), rng.integers(0, 2, 2)
        for i in range(length):
            frame = np.zeros((5, 6), np.float32)
            row, column = (place + speed * i) % (4, 5)
            frame[row : row + 2, column : column + 2] = 1 + (rng.gamma(1) if amounts else 0)
            cell = frame.ravel().tolist() if amounts else frame.astype(np.uint8).tobytes()
            if not (amounts and (s, i) == (1, 4)):
                rows.append({"id": f"s{s}", "t": i, "frame": cell})
    return pa.Table.from_pylist(rows)


@dataclass(frozen=True)
class Kind:
    """Data, and the options beside `SMALL` with which they are learnt from."""

    table: pa.Table
    options: dict[str, Any]


AHEAD = {"horizon": 3, "context": 6, "season": (7,)}
WHOLE = {"label": "kind", "channels": ("x", "y")}
STEPS = {"label": "up", "per_step": True, "channels": ("x", "y")}
ALL_ROLES = {"past": ("past",), "future": ("future", "kind"), "static": ("place", "size")}
WORDS = {"token": "word", "id": ("id",)}
RELU = {"cell": "rnn", "activation": "relu", "hidden": 3}
FRAMES = {"frame": "frame", "grid": "5x6", "id": ("id",), "context": 4, "horizon": 3}
LENGTHS = 14, 9, 8, 10, 7, 9, 8, 9, 7, 8, 9, 3
COARSER = {"cell": "conv:3/2:lstm,conv:3+2:gru", "layers": 2}
KINDS: dict[str, dict[str, Kind]] = {
    "forecast": {
        "plain": Kind(days(40, 47, 55, 4), AHEAD),
        "covariates": Kind(days(40, 47, 55, 4, covariates=True), AHEAD | ALL_ROLES),
        "wall clock": Kind(hours(), {"horizon": 3, "context": 6, "season": (24,)}),
        "tbptt": Kind(days(40, 47, 55, 4), AHEAD | {"tbptt": 5, "cell": "lstm,dilated:3:gru", "layers": 2}),
        "relu": Kind(days(40, 47, 55, 4), AHEAD | RELU),
    },
    "labels": {
        "classes": Kind(sequences(), WHOLE),
        "numbers": Kind(sequences(), WHOLE | {"label": "size", "label_kind": "number"}),
        "balanced": Kind(sequences(), WHOLE | {"class_weights": "balanced", "label_smoothing": 0.2}),
        "last": Kind(sequences(), WHOLE | {"pooling": "last"}),
        "mean": Kind(sequences(), WHOLE | {"pooling": "mean"}),
        "max": Kind(sequences(), WHOLE | {"pooling": "max"}),
        "attention": Kind(sequences(), WHOLE | {"pooling": "attention"}),
        "causal": Kind(sequences(), WHOLE | {"cell": "lstm"}),
        "relu": Kind(sequences(), WHOLE | RELU | {"pooling": "last"}),
        "gaps": Kind(sequences(gaps=True), WHOLE | {"layer_norm": True}),
        "words": Kind(sequences(words=80), WHOLE | {"channels": ("x", "word")}),
        "frames": Kind(sequences(steps=60), WHOLE),
        "rows": Kind(rows_of_steps(), {"label": "kind", "row_per_sequence": True, "id": ("id",)}),
        "images": Kind(images(), {"label": "kind", "row_per_sequence": True, "id": ("id",)}),
        "groups": Kind(sequences(), WHOLE | {"group": "who"}),
        "steps": Kind(sequences(), STEPS),
        "step numbers": Kind(sequences(), STEPS | {"label": "height", "label_kind": "number"}),
        "step words": Kind(sequences(words=80), STEPS | {"channels": ("x", "word")}),
        "online": Kind(sequences(gaps=True), STEPS | {"online": True}),
        "tbptt": Kind(sequences(), STEPS | {"online": True, "tbptt": 3, "cell": "lstm", "layers": 2}),
    },
    "tokens": {
        "documents": Kind(documents(), WORDS),
        "one document": Kind(documents(ending=False), WORDS | {"cell": "gru"}),
        "tbptt": Kind(documents(), WORDS | {"tbptt": 3, "cell": "lstm,dilated:2:gru", "layers": 2}),
        "relu": Kind(documents(), WORDS | RELU),
    },
    "frames": {
        "shares": Kind(clips(*LENGTHS), FRAMES | {"cell": "conv:3:lstm"}),
        "means": Kind(clips(*LENGTHS, amounts=True), FRAMES | {"cell": "conv:1:gru"}),
        "medians": Kind(clips(*LENGTHS, amounts=True), FRAMES | {"loss": "absolute", "layer_norm": True}),
        "quantiles": Kind(clips(*LENGTHS, amounts=True), FRAMES | {"quantiles": (0.1, 0.5, 0.9)}),
        "coarser": Kind(clips(*LENGTHS), FRAMES | COARSER),
        "few clips": Kind(clips(30, 22), FRAMES),
        "relu": Kind(clips(*LENGTHS), FRAMES | RELU | {"horizon": 1, "context": 6}),
    },
}
CASES = [(task, kind) for task, kinds in KINDS.items() for kind in kinds]
FIRST = [(task, next(iter(kinds))) for task, kinds in KINDS.items()]


def where(**wanted: Any) -> list[tuple[str, str]]:
    """The cases with these options; True stands for any."""

    def fits(options: dict[str, Any]) -> bool:
        return all(name in options if value is True else options.get(name) == value for name, value in wanted.items())

    return [(task, kind) for task, kind in CASES if fits(KINDS[task][kind].options)]


def of(cases: list[tuple[str, str]]) -> Any:
    return pytest.mark.parametrize(("task", "kind"), cases, ids=[f"{task}: {kind}" for task, kind in cases])


every_case, first_cases = of(CASES), of(FIRST)
stopping = of([*FIRST, *where(tbptt=True), *where(static=True), *where(label_kind=True)])


@dataclass(frozen=True)
class Made:
    """A task on its data, with a plan and weights of one member that nothing hides behind."""

    task: Task[Any]
    loaded: Loaded
    panel: Panel
    plan: Plan[Any]
    weights: dict[str, Tensor]


@cache
def made(name: str, kind: str) -> Made:
    task, options = find(TASKS, name, "task"), SMALL | KINDS[name][kind].options
    task.refuse_senseless(options)
    choices = ColumnChoices(**{key: options[key] for key in ("id", *ALL_ROLES) if key in options})
    loaded = task.load_to_train(KINDS[name][kind].table, choices, options, None, unheard)
    plan = task.planned(loaded, options)
    generator = torch.Generator().manual_seed(5)
    start = initial_weights(plan, 0)
    weights = {key: one + 0.2 * torch.randn(one.shape, generator=generator) for key, one in start.items()}
    return Made(task, loaded, task.seen_rows(loaded.panel, plan.spec), plan, weights)


def trained(one: Made, plan: Plan[Any] | None = None, progress: Progress | None = None) -> Iterator[Any]:
    return train(one.panel, plan or one.plan, progress=progress)


def settled(one: Made, found: Trained[Any]) -> Any:
    return one.task.settled(one.loaded, one.plan, found, None)


@cache
def model_of(name: str, kind: str) -> Any:
    one = made(name, kind)
    return settled(one, list(trained(one))[-1])


def answered(name: str, model: Any, table: pa.Table) -> list[str]:
    """The lines of what a model says of a table."""
    answer = find(TASKS, name, "task").answer(table, model, ColumnChoices(), {}, unheard, None)
    text: str = answer.encode("csv", raw=True).decode()
    return text.splitlines()


def seen_by(one: Made, panel: Panel | None = None) -> list[Seen]:
    """A batch, and questions about series of several lengths at their ends."""
    lesson = one.task.lesson(panel or one.panel, one.plan.spec, one.panel.lengths)
    batch = [] if one.plan.training.tbptt else [lesson.drawn(np.random.default_rng(0), 5)]
    return [*batch, *lesson.at(np.arange(len(one.panel)), one.panel.lengths)]


def said_in_numpy(one: Made, seen: Seen) -> NDArray[np.float32]:
    weights = {name: weight.numpy() for name, weight in one.weights.items()}
    head, task, spec = head_weights(weights), one.task, one.plan.spec
    states = outputs(one.plan.network, weights, task.enter(spec, head, seen, np), seen.lengths)
    said = task.head(spec, head, task.read(spec, head, states, seen, np), seen.beside, np)
    return np.asarray(said)


def said_of_each(one: Made, series: Ints, ends: Ints | None = None, panel: Panel | None = None) -> Said:
    """The series of each question and what is said to it, where these are asked about together."""
    lesson = one.task.lesson(panel or one.panel, one.plan.spec, one.panel.lengths)
    ends = one.panel.lengths[series] if ends is None else ends
    found = [(seen, said_in_numpy(one, seen)) for seen in lesson.at(series, ends)]
    return [pair for seen, said in found for pair in zip(seen.series[seen.rows].tolist(), said, strict=True)]


def of_series(said: Said, s: int) -> NDArray[np.float32]:
    return np.stack([one for series, one in said if series == s])


def parts(seen: Seen) -> dict[str, Any]:
    """Everything that a batch or a crop consists of, by name."""
    found: dict[str, Any] = {}
    for field in fields(seen):
        value = getattr(seen, field.name)
        found |= {f"{field.name}.{k}": v for k, v in value.items()} if isinstance(value, dict) else {field.name: value}
    return {name: np.asarray(value) for name, value in found.items() if value is not None}


def same_bits(ours: Seen, theirs: Seen, *but: str) -> bool:
    a, b = parts(ours), parts(theirs)
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k], equal_nan=True) for k in a if k not in but)


def exact(seen: Seen, dtype: Any = np.float64) -> Seen:
    """What is seen in another precision."""
    beside = {name: part.astype(dtype) for name, part in seen.beside.items()}
    return replace(seen, inputs=seen.inputs.astype(dtype), targets=seen.targets.astype(dtype), beside=beside)


def otherwise(panel: Panel, ends: Ints, roles: tuple[str, ...], *, labels: bool) -> Panel:
    """The panel with other values of channels in these roles behind the first `ends` rows; or of labels everywhere."""
    behind = np.arange(len(panel.values)) - np.repeat(panel.offsets[:-1], panel.lengths) >= np.repeat(
        ends, panel.lengths
    )
    values = panel.values.copy()
    for place, channel in enumerate(panel.channels):
        if channel.role in roles:
            rows = np.ones_like(behind) if labels and channel.role == "label" else behind
            old = values[rows, place]
            kinds = len(channel.vocabulary)
            if channel.kind == "frame":  # a value is the place of a frame
                values[rows, place] = old[::-1]
            else:
                values[rows, place] = 3 * old[::-1] + 50 if channel.kind == "number" else (old + 1) % kinds
    return replace(panel, values=values)


KNOWN_LATE = ("target", "past", "input", "label")


def test_every_task_is_held_to_the_contract() -> None:
    assert KINDS.keys() == TASKS.keys() == registry.METRICS.keys() == registry.BASELINES.keys()


def test_the_kinds_are_what_they_are_called() -> None:
    forecasts, labels = (lambda kind, task=task: made(task, kind).plan.spec for task in ("forecast", "labels"))
    assert forecasts("wall clock").wall
    assert {one.role for one in forecasts("covariates").covariates} == {"past", "future", "static"}
    assert made("forecast", "covariates").plan.rivals
    assert labels("words").words
    assert labels("frames").stride > 1
    assert labels("images").raster == 8
    assert any(channel.gaps for channel in labels("gaps").inputs)
    assert [labels(kind).both_ways for kind in ("classes", "causal", "online")] == [True, False, False]


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-6), (np.float32, 1e-5)])
@every_case
def test_formulas_say_the_same_in_torch_and_in_numpy(task: str, kind: str, dtype: Any, tolerance: float) -> None:
    one = made(task, kind)
    weights = {key: w.numpy().astype(dtype) for key, w in head_weights(one.weights).items()}
    tensors, spec, rng = (
        {key: torch.from_numpy(w) for key, w in weights.items()},
        one.plan.spec,
        np.random.default_rng(0),
    )
    for seen in (exact(part, dtype) for part in seen_by(one)):
        states = rng.normal(size=(*seen.inputs.shape[:-1], one.plan.network.hidden)).astype(dtype)
        found = []
        for xp, w, s, h in ((np, weights, seen, states), (torch, tensors, on(seen), torch.from_numpy(states))):
            read = one.task.read(spec, w, h, s, xp)
            said = one.task.head(spec, w, read, s.beside, xp)
            found.append((one.task.enter(spec, w, s, xp), read, said, one.task.loss(spec, said, s.targets, xp)))
        assert [part.dtype for part in found[0][:3]] == [dtype] * 3
        for ours, theirs in zip(*found, strict=True):
            np.testing.assert_allclose(ours, theirs.numpy(), rtol=tolerance, atol=tolerance)


@every_case
def test_a_network_says_the_same_in_training_and_in_prediction(task: str, kind: str) -> None:
    one = made(task, kind)
    assert len(set(one.panel.lengths.tolist())) > 1 or kind in ("wall clock", "rows", "images", "one document")
    for seen in seen_by(one):
        with torch.no_grad():
            theirs = forward(one.weights, one.plan, on(seen)).numpy()
        np.testing.assert_allclose(said_in_numpy(one, seen), theirs, rtol=1e-5, atol=1e-5)


@every_case
def test_an_answer_does_not_look_behind_the_row_where_it_is_asked(task: str, kind: str) -> None:
    one = made(task, kind)
    series, ends = np.arange(len(one.panel)), np.maximum(one.panel.lengths * 2 // 3, 1)
    other = otherwise(one.panel, ends, KNOWN_LATE, labels=True)
    assert not np.array_equal(other.values, one.panel.values, equal_nan=True)
    lessons = [one.task.lesson(panel, one.plan.spec, panel.lengths) for panel in (one.panel, other)]
    for ours, theirs in zip(*(lesson.at(series, ends) for lesson in lessons), strict=True):
        assert same_bits(ours, theirs, "targets", "units.next")
        assert np.array_equal(said_in_numpy(one, ours), said_in_numpy(one, theirs))


@of(where(label=True))
def test_a_label_is_no_input(task: str, kind: str) -> None:
    one = made(task, kind)
    other = otherwise(one.panel, one.panel.lengths, ("label",), labels=True)
    for ours, theirs in zip(seen_by(one), seen_by(one, other), strict=True):
        assert same_bits(ours, theirs, "targets")
        assert not np.array_equal(ours.targets, theirs.targets)


@of(where(online=True))
def test_an_online_answer_does_not_change_with_later_rows(task: str, kind: str) -> None:
    one = made(task, kind)
    series, ends = np.arange(len(one.panel)), np.maximum(one.panel.lengths // 2, 1)
    other = otherwise(one.panel, ends, ("input",), labels=False)
    before, after = said_of_each(one, series), said_of_each(one, series, panel=other)
    for s in series.tolist():
        ours, theirs = of_series(before, s), of_series(after, s)
        assert np.array_equal(ours[: ends[s]], theirs[: ends[s]])
        assert not np.array_equal(ours[ends[s]], theirs[ends[s]])


@every_case
def test_what_is_held_out_never_reaches_a_batch(task: str, kind: str) -> None:
    one = made(task, kind)
    holdout = one.task.hold_out(one.panel, one.plan.spec)
    assert len(holdout)
    other = otherwise(one.panel, holdout.ends(one.panel.lengths), KNOWN_LATE, labels=False)
    assert not np.array_equal(other.values, one.panel.values, equal_nan=True)
    objectives = [objective_for(panel, one.plan, "cpu", holdout, 0) for panel in (one.panel, other)]
    for step in range(6):
        assert same_bits(*(objective.sample(step) for objective in objectives))


@of(where(label=True))
def test_a_sequence_is_held_out_whole_or_learnt_from_whole(task: str, kind: str) -> None:
    one = made(task, kind)
    holdout = one.task.hold_out(one.panel, one.plan.spec)
    ends = holdout.ends(one.panel.lengths)
    held = np.isin(np.arange(len(one.panel)), holdout.series)
    assert np.array_equal(ends, np.where(held, 0, one.panel.lengths))
    batches = [objective_for(one.panel, one.plan, "cpu", holdout, 0).sample(step).series for step in range(60)]
    assert set(np.concatenate(batches).tolist()) == set(np.flatnonzero(~held).tolist())


@of(where(group=True))
def test_groups_stay_together(task: str, kind: str) -> None:
    one = made(task, kind)
    held = one.task.hold_out(one.panel, one.plan.spec).series
    assert one.panel.groups is not None
    assert not set(one.panel.groups[held]) & set(np.delete(one.panel.groups, held))


@every_case
def test_a_series_is_answered_with_the_same_bits_alone_and_among_others_in_any_order(task: str, kind: str) -> None:
    one = made(task, kind)
    series = np.arange(len(one.panel))
    together, backwards = said_of_each(one, series), said_of_each(one, series[::-1])
    for s in series.tolist():
        alone = of_series(said_of_each(one, np.array([s])), s)
        assert np.array_equal(alone, of_series(together, s))
        assert np.array_equal(alone, of_series(backwards, s))


@every_case
def test_a_series_is_answered_with_the_same_bits_at_any_place_of_a_batch(task: str, kind: str) -> None:
    one = made(task, kind)
    lengths = one.panel.lengths
    s, longest = int(np.argmin(lengths)), int(np.argmax(lengths))
    alone = of_series(said_of_each(one, np.array([s])), s)
    for place in range(10 if s != longest else 0):
        company = np.full(10, longest)
        company[place] = s
        assert np.array_equal(of_series(said_of_each(one, company), s), alone)


@of(where(horizon=3))
def test_a_series_is_answered_with_the_same_bits_from_one_row_and_from_several(task: str, kind: str) -> None:
    one = made(task, kind)
    ends = one.panel.lengths[0] - np.arange(9, -1, -1)
    together = said_of_each(one, np.zeros(10, np.int64), ends)
    for end, (_, said) in zip(ends, together, strict=True):
        assert np.array_equal(said_of_each(one, np.array([0]), np.array([end]))[0][1], said)


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


@every_case
def test_the_loss_is_differentiable_as_finite_differences_say(task: str, kind: str) -> None:
    one = made(task, kind)
    seen, spec = on(exact(seen_by(one)[0])), one.plan.spec
    head = {name: weight.double().requires_grad_() for name, weight in head_weights(one.weights).items()}
    shape = (*seen.inputs.shape[:-1], one.plan.network.hidden)
    states = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    targets = torch.where(seen.targets.isnan(), torch.zeros_like(seen.targets), seen.targets)

    def losses(h: Tensor, *values: Tensor) -> tuple[Tensor, ...]:
        weights = dict(zip(head, values, strict=True))
        x = one.task.enter(spec, weights, seen, torch)
        said = one.task.head(spec, weights, one.task.read(spec, weights, h, seen, torch), seen.beside, torch)
        return (one.task.loss(spec, said, targets, torch), *([x] if x.requires_grad else []))

    assert torch.autograd.gradcheck(losses, (states, *head.values()), fast_mode=True)


@every_case
def test_where_nobody_knows_what_came_there_is_no_loss_and_no_gradient(task: str, kind: str) -> None:
    one = made(task, kind)
    seen = on(seen_by(one)[0])
    weights = {name: weight.clone().requires_grad_() for name, weight in one.weights.items()}
    said = forward(weights, one.plan, seen)
    known = one.task.loss(one.plan.spec, said, seen.targets, torch)
    hidden = seen.targets.clone()
    hidden[::2] = torch.nan
    loss = one.task.loss(one.plan.spec, said, hidden, torch)
    assert torch.equal(loss[1::2], known[1::2])
    assert not loss[::2].any()
    gradients = torch.autograd.grad(loss[::2].sum(), list(weights.values()), allow_unused=True, materialize_grads=True)
    assert not any(gradient.any() or gradient.isnan().any() for gradient in gradients)


@every_case
def test_the_head_begins_in_the_shapes_that_it_has(task: str, kind: str) -> None:
    one = made(task, kind)
    shapes = one.task.head_shapes(one.plan.spec, one.plan.network)
    start = initial_weights(one.plan, 3)
    own = {name.removeprefix(HEAD): weight for name, weight in start.items() if name.startswith(HEAD)}
    assert {name: tuple(weight.shape) for name, weight in own.items()} == shapes
    assert all(weight.isfinite().all() for weight in own.values())
    again, other = initial_weights(one.plan, 3), initial_weights(one.plan, 4)
    assert all(torch.equal(start[name], again[name]) for name in start)
    assert any(not torch.equal(own[name], other[HEAD + name]) for name in own)


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


@every_case
def test_the_diagnosis_takes_it(task: str, kind: str) -> None:
    one = made(task, kind)
    flow = Probe(one.panel, one.plan, one.weights, trained=False).flow(2, 2)
    assert {tensor.tensor for tensor in flow.tensors} == set(one.weights)
    assert np.isfinite(flow.losses).all()
    for layer in flow.layers:
        assert np.isfinite(layer.norms["state"]).all()
        assert (layer.norms["state"] > 0).any()


@every_case
def test_the_series_is_named_whose_gradient_is_no_number(task: str, kind: str) -> None:
    one = made(task, kind)
    phase = Phase(SEARCH)
    finite = origin_of(one.panel, one.plan, "cpu", phase, one.weights, 1)
    assert finite is not None
    assert finite[0] in one.panel.ids
    assert np.isfinite(finite[2].norm)
    broken = {name: weight * (torch.nan if name.startswith("layer0") else 1) for name, weight in one.weights.items()}
    found = origin_of(one.panel, one.plan, "cpu", phase, broken, 1)
    assert found is not None
    assert (found[0] in one.panel.ids, found[2].layer, found[2].norm) == (True, 0, np.inf)


@of(where(activation="relu"))
def test_a_gradient_that_halves_with_every_step_is_seen_to_do_so(task: str, kind: str) -> None:
    """Of h_t = h_(t-1) / 2 + 1, read at the last step, the gradient is 2^-k at lag k."""
    one = made(task, kind)
    weights = one.weights | {
        "layer0.weight_ih": torch.zeros_like(one.weights["layer0.weight_ih"]),
        "layer0.weight_hh": torch.eye(one.plan.network.hidden) / 2,
        "layer0.bias": torch.ones_like(one.weights["layer0.bias"]),
    }
    (layer,) = Probe(one.panel, one.plan, weights, trained=False).flow(2, 2).layers
    norms = layer.norms["state"]
    assert len(norms) >= 5
    assert (norms[0] > 0).all()
    np.testing.assert_allclose(norms, norms[0] * 0.5 ** np.arange(len(norms))[:, None], rtol=1e-9)


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
