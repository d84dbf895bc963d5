"""Data and options of each kind that a registered task has, and what is made of them: for the tests of every task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnncli.arrays import Ints
from rnncli.data.load import Loaded
from rnncli.data.panel import Panel
from rnncli.events import unheard
from rnncli.layers.encoder import outputs
from rnncli.registry import TASKS, find
from rnncli.spec import ColumnChoices
from rnncli.tasks.plan import Plan, Trained
from rnncli.tasks.seen import Seen, head_weights
from rnncli.tasks.task import Task
from rnncli.training.progress import Progress
from rnncli.training.session import initial_weights, train

Said = list[tuple[int, NDArray[np.float32]]]
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


def events(*, whole: bool = False) -> pa.Table:
    """Cases of events with times, channels of numbers and categories with gaps, and what is constant in a case."""
    rng, rows = np.random.default_rng(6), []
    for s in range(12):
        token, time = 0, 100 * s
        for _ in range(5 + int(rng.integers(12))):
            token, time = int((token + rng.choice([1, 2], p=[0.9, 0.1])) % 7), time + int(rng.integers(30))
            moment = time if whole else BEGUN + timedelta(hours=time)
            row = {"id": f"s{s}", "word": f"w{token}", "at": moment, "kind": "ab"[s % 2], "size": s % 5 + 0.5}
            beside = {"who": f"p{rng.integers(4)}", "cost": None if rng.random() < 0.3 else float(rng.normal())}
            rows.append(row | beside)
    return pa.Table.from_pylist(rows)


def sets(*, gaps: bool = False) -> pa.Table:
    """Documents of sets of a few tokens, each of which mostly stays, or goes, as it was; some are missing."""
    rng, rows = np.random.default_rng(5), []
    for s in range(12):
        on = rng.random(5) < 0.4
        for _ in range(5 + int(rng.integers(20))):
            on = np.where(rng.random(5) < 0.2, ~on, on)
            missing = gaps and rng.random() < 0.2
            rows.append({"id": f"s{s}", "notes": None if missing else [f"n{k}" for k in np.flatnonzero(on)]})
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


def mapped(*lengths: int) -> pa.Table:
    """Clips with maps beside them: one known up to now, one known ahead, behind the last frame too, and one that stays;
    some are missing.
    """
    rng, table = np.random.default_rng(9), clips(*lengths, amounts=True)
    rows = table.to_pylist()
    ends = {row["id"]: row["t"] for row in rows}
    rows += [{"id": s, "t": end + lead, "frame": None} for s, end in ends.items() for lead in (1, 2, 3)]
    for place, row in enumerate(sorted(rows, key=lambda row: (row["id"], row["t"]))):
        row["wind"] = None if place == 5 else rng.normal(size=(5, 6, 2)).tolist()
        row["ahead"] = None if place == 2 else (rng.normal(size=30) + row["t"]).tolist()
        row["height"] = rng.integers(0, 9, 30).astype(np.uint8).tobytes() if row["t"] == 0 else None
    return pa.Table.from_pylist(rows)


def labelled_clips() -> pa.Table:
    """Clips whose square moves down or does not, with a number of each; with a frame and a pixel that are missing."""
    rng, rows = np.random.default_rng(8), []
    for s in range(12):
        for i in range(3 + int(rng.integers(4))):
            frame = np.zeros((5, 6), np.float32)
            frame[i % 4 if s % 2 else 1, 2:4] = 1 + rng.random()
            frame[4, 5] = np.nan if (s, i) == (2, 1) else 0
            cell = None if (s, i) == (1, 1) else frame.ravel().tolist()
            rows.append(
                {"id": f"s{s}", "kind": "ab"[s % 2], "size": s + 0.5, "up": "no" if i % 2 else "yes", "x": cell}
            )
    return pa.Table.from_pylist(rows)


@dataclass(frozen=True)
class Kind:
    """Data, and the options beside `SMALL` with which they are learnt from."""

    table: pa.Table
    options: dict[str, Any]


AHEAD = {"horizon": 3, "context": 6, "season": (7,)}
WHOLE = {"label": "kind", "channels": ("x", "y")}
STEPS = {"label": "up", "per_step": True, "channels": ("x", "y")}
CLIPS = {"label": "kind", "id": ("id",), "frame": "x", "grid": "5x6", "frame_missing": "nan", "layers": 2}
ALL_ROLES = {"past": ("past",), "future": ("future", "kind"), "static": ("place", "size")}
WORDS = {"token": "word", "id": ("id",)}
NOTES = {"token": "notes", "multi_hot": True, "id": ("id",)}
RELU = {"cell": "rnn", "activation": "relu", "hidden": 3}
FRAMES = {"frame": "frame", "grid": "5x6", "id": ("id",), "context": 4, "horizon": 3}
MAPS = {"past": ("wind",), "future": ("ahead",), "static": ("height",), "time": "t"}
LENGTHS = 14, 9, 8, 10, 7, 9, 8, 9, 7, 8, 9, 3
COARSER = {"cell": "conv:3/2:lstm,conv:3+2:gru", "layers": 2}
KINDS: dict[str, dict[str, Kind]] = {
    "forecast": {
        "plain": Kind(days(40, 47, 55, 4), AHEAD),
        "covariates": Kind(days(40, 47, 55, 4, covariates=True), AHEAD | ALL_ROLES),
        "wall clock": Kind(hours(), {"horizon": 3, "context": 6, "season": (24,)}),
        "tbptt": Kind(days(40, 47, 55, 4), AHEAD | {"tbptt": 5, "cell": "lstm,dilated:3:gru", "layers": 2}),
        "relu": Kind(days(40, 47, 55, 4), AHEAD | RELU),
        "attention": Kind(days(40, 47, 55, 4), AHEAD | {"attention": True, "cell": "gru"}),
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
        "clips": Kind(labelled_clips(), CLIPS),
        "clips in one direction": Kind(labelled_clips(), CLIPS | {"cell": "conv:3:gru,conv:3/2:lstm", "layers": 2}),
        "numbers of clips": Kind(labelled_clips(), CLIPS | {"label": "size", "label_kind": "number"}),
        "labels of frames": Kind(labelled_clips(), CLIPS | {"label": "up", "per_step": True}),
        "frames as they come": Kind(labelled_clips(), CLIPS | {"label": "up", "per_step": True, "online": True}),
        "flat clips": Kind(labelled_clips(), CLIPS | {"cell": "gru"}),
        "tbptt": Kind(sequences(), STEPS | {"online": True, "tbptt": 3, "cell": "lstm", "layers": 2}),
    },
    "tokens": {
        "documents": Kind(documents(), WORDS),
        "one document": Kind(documents(ending=False), WORDS | {"cell": "gru"}),
        "tbptt": Kind(documents(), WORDS | {"tbptt": 3, "cell": "lstm,dilated:2:gru", "layers": 2}),
        "relu": Kind(documents(), WORDS | RELU),
        "events": Kind(events(), WORDS | {"time": "at"}),
        "counted events": Kind(events(whole=True), WORDS | {"time": "at", "tbptt": 4}),
        "channels": Kind(events(), WORDS | {"channels": ("who", "size")}),
    },
    "sets": {
        "documents": Kind(sets(), NOTES),
        "missing": Kind(sets(gaps=True), NOTES | {"cell": "gru"}),
        "tbptt": Kind(sets(), NOTES | {"tbptt": 3, "cell": "lstm,dilated:2:gru", "layers": 2}),
        "relu": Kind(sets(), NOTES | RELU),
    },
    "frames": {
        "shares": Kind(clips(*LENGTHS), FRAMES | {"cell": "conv:3:lstm"}),
        "means": Kind(clips(*LENGTHS, amounts=True), FRAMES | {"cell": "conv:1:gru"}),
        "medians": Kind(clips(*LENGTHS, amounts=True), FRAMES | {"loss": "absolute", "layer_norm": True}),
        "quantiles": Kind(clips(*LENGTHS, amounts=True), FRAMES | {"quantiles": (0.1, 0.5, 0.9)}),
        "coarser": Kind(clips(*LENGTHS), FRAMES | COARSER),
        "few clips": Kind(clips(30, 22), FRAMES),
        "maps": Kind(mapped(*LENGTHS), FRAMES | MAPS),
        "maps and no grid": Kind(mapped(*LENGTHS), FRAMES | MAPS | {"cell": "gru"}),
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
    choices = ColumnChoices(**{key: options[key] for key in ("id", "time", *ALL_ROLES) if key in options})
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
            if channel.kind == "set":
                values[rows] = values[rows] <= 0
                continue
            if channel.kind == "frame":  # a value is the place of a frame
                values[rows, place] = old[::-1]
                continue
            values[rows, place] = 3 * old[::-1] + 50 if channel.kind == "number" else (old + 1) % kinds
    return replace(panel, values=values)
