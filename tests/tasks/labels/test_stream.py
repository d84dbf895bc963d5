"""Labels of steps as they come: in any number of runs, with any company, the bits of one run over all rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from rnncli.data.labels.known import known_labels
from rnncli.data.labels.load import load_labels
from rnncli.data.load import Loaded
from rnncli.errors import InputRefused, ModelRefused, UsageError
from rnncli.events import unheard
from rnncli.spec import LabelChoices
from rnncli.tasks.labels import plan as planning
from rnncli.tasks.labels.labeler import Labeler
from rnncli.tasks.labels.stateful import Stream
from rnncli.tasks.labels.task import TASK
from rnncli.tasks.plan import Plan, Sizes
from rnncli.training.session import initial_weights

DIGEST = "a" * 64
LENGTHS = {"a": 200, "b": 1, "c": 33, "d": 130, "e": 64}
ABOUT = 3_600_000_000 * 24 * 365 * 3_000  # microseconds: the sum of a time and a few seconds is no float64
Rows = list[dict[str, Any]]


def table_of(rows: Rows) -> pa.Table:
    times = pa.array([row["t"] for row in rows], pa.int64())
    return pa.Table.from_pylist([{**row, "t": None} for row in rows]).set_column(1, "t", times)


def walks() -> Rows:
    """Sequences of uneven steps of time with two numbers, of which one has gaps, a few kinds and many words."""
    rng, found = np.random.default_rng(3), []
    for name, length in LENGTHS.items():
        times = ABOUT + np.cumsum(rng.integers(1, 9, length))
        x = np.cumsum(rng.normal(size=length))
        for i, time in enumerate(times.tolist()):
            gap = None if rng.random() < 0.2 else float(rng.normal())
            words = {"kind": "pqr"[rng.integers(3)], "word": f"w{rng.integers(90)}"}
            found.append({"id": name, "t": time, "x": float(x[i]), "gap": gap, **words, "y": str(x[i] > 0)})
    return found


ROWS = walks()


def labeler(rows: Rows, cell: str = "gru", **options: Any) -> Labeler:
    """A model with weights far from their beginning, which was not trained."""
    choices = LabelChoices(label="y", per_step=bool(options.get("per_step", True)))
    loaded = load_labels(table_of(rows), labels=choices)
    said = {"per_step": True, "online": True, "cell": cell, **options}
    spec = planning.label_spec(loaded.panel, said)
    sizes = Sizes(cell=cell, hidden=8, layers=2, members=2)
    network = planning.network_spec(loaded.panel, spec, sizes)
    plan = Plan(TASK, network, spec, planning.training_spec(loaded.panel, spec, network, sizes))
    generator = torch.Generator().manual_seed(1)

    def member(seed: int) -> dict[str, np.ndarray]:
        start = initial_weights(plan, seed)
        return {name: (w + 0.2 * torch.randn(w.shape, generator=generator)).numpy() for name, w in start.items()}

    members = [member(seed) for seed in range(2)]
    weights = {name: np.stack([own[name] for own in members]) for name in members[0]}
    assert loaded.labels is not None
    known = known_labels(loaded, loaded.labels)
    return Labeler(network, spec, plan.training, known, weights, loaded.panel.ids, {}, 0.8)


def loaded_by(model: Labeler, rows: Rows) -> Loaded:
    given = rows if model.classes else [{name: cell for name, cell in row.items() if name != "y"} for row in rows]
    return load_labels(table_of(given), known=model.known)


Said = dict[tuple[str, int], bytes]


def run(model: Labeler, path: Path, rows: Rows, *, skip: bool = False) -> Said:
    """A run that goes on from the state: what is said of each row that it labels, by sequence and time."""
    stream = Stream(path, model, DIGEST)
    loaded, said = stream.consume(loaded_by(model, rows), unheard, skip=skip)
    stream.keep()
    owner = np.repeat(np.arange(len(loaded.panel)), loaded.panel.lengths).tolist()
    assert loaded.times is not None
    assert len(loaded.times) == len(said) == len(owner)
    keys = [(loaded.panel.ids[s], time) for s, time in zip(owner, loaded.times.tolist(), strict=True)]
    return dict(zip(keys, [row.tobytes() for row in said], strict=True))


def part(first: int, last: int, names: Sequence[str] = tuple(LENGTHS)) -> Rows:
    """Rows first ... last - 1 of some sequences."""
    found: Rows = []
    for name in names:
        found += [row for row in ROWS if row["id"] == name][first:last]
    return found


@pytest.fixture(scope="module", params=["gru", "lstm,dilated:3:lru", "slstm", "number"])
def model(request: pytest.FixtureRequest) -> Labeler:
    if request.param == "number":
        return labeler([{**row, "y": 3 * row["x"]} for row in ROWS])
    return labeler(ROWS, request.param)


@pytest.fixture(scope="module")
def gru() -> Labeler:
    return labeler(ROWS)


def test_one_run_over_all_rows_says_what_the_model_says_without_a_state(model: Labeler, tmp_path: Path) -> None:
    loaded = loaded_by(model, ROWS)
    assert loaded.times is not None
    owner = np.repeat(np.arange(len(loaded.panel)), loaded.panel.lengths).tolist()
    plain = {
        (loaded.panel.ids[s], time): row.tobytes()
        for s, time, row in zip(owner, loaded.times.tolist(), model.said(loaded.panel), strict=True)
    }
    assert run(model, tmp_path / "s", ROWS) == plain


@pytest.mark.parametrize("cuts", [(1, 2, 3, 4), (31, 32, 33, 64), (40, 41, 97), (64, 128, 192)])
def test_rows_in_pieces_are_labelled_once_with_the_bits_of_all_rows_at_once(
    model: Labeler, tmp_path: Path, cuts: tuple[int, ...]
) -> None:
    whole, pieces = run(model, tmp_path / "whole", ROWS), dict[tuple[str, int], bytes]()
    for first, last in zip((0, *cuts), (*cuts, 1_000), strict=True):
        here = run(model, tmp_path / "pieces", part(first, last))
        assert not here.keys() & pieces.keys()
        pieces |= here
    assert pieces == whole
    assert (tmp_path / "pieces").read_bytes() == (tmp_path / "whole").read_bytes()


def test_the_whole_history_again_and_again_labels_what_is_new(gru: Labeler, tmp_path: Path) -> None:
    whole, pieces = run(gru, tmp_path / "whole", ROWS), dict[tuple[str, int], bytes]()
    for last, new in ((50, 50 + 1 + 33 + 50 + 50), (50, 0), (140, 90 + 80 + 14), (1_000, 60), (30, 0)):
        here = run(gru, tmp_path / "again", part(0, last))
        assert len(here) == new
        pieces |= here
    assert pieces == whole
    assert (tmp_path / "again").read_bytes() == (tmp_path / "whole").read_bytes()


def test_sequences_alone_in_any_order_have_the_bits_of_all_together(gru: Labeler, tmp_path: Path) -> None:
    whole, pieces = run(gru, tmp_path / "whole", ROWS), dict[tuple[str, int], bytes]()
    for names in ("d", "b", "ea", "c"):
        pieces |= run(gru, tmp_path / "alone", part(0, 1_000, names))
    assert pieces == whole
    assert (tmp_path / "alone").read_bytes() == (tmp_path / "whole").read_bytes()


def test_a_run_may_begin_anywhere_in_what_was_consumed(gru: Labeler, tmp_path: Path) -> None:
    whole = run(gru, tmp_path / "whole", ROWS)
    pieces = run(gru, tmp_path / "s", part(0, 150))
    pieces |= run(gru, tmp_path / "s", part(3, 160))  # of a, rows 86 to 149 are kept one by one
    pieces |= run(gru, tmp_path / "s", part(120, 1_000, "a"))
    assert pieces == whole


def test_labels_that_are_given_are_no_part_of_the_state(gru: Labeler, tmp_path: Path) -> None:
    run(gru, tmp_path / "with", ROWS)
    run(gru, tmp_path / "without", [{**row, "y": None} for row in ROWS])
    assert (tmp_path / "with").read_bytes() == (tmp_path / "without").read_bytes()
    assert not run(gru, tmp_path / "without", ROWS)


def changed(name: str, row: int, **values: object) -> Rows:
    found = [dict(item) for item in ROWS]
    [item for item in found if item["id"] == name][row].update(values)
    return found


def without(name: str, row: int) -> Rows:
    gone = [item for item in ROWS if item["id"] == name][row]
    return [item for item in ROWS if item is not gone]


def inserted(name: str, row: int) -> Rows:
    """A row between this one and the one before, at least 2 microseconds before it."""
    own = [item for item in ROWS if item["id"] == name]
    after = next(at for at in range(row, len(own)) if own[at]["t"] - own[at - 1]["t"] > 1)
    return [*ROWS, {**own[after], "t": own[after]["t"] - 1}]


OLD = {
    "older": (changed("a", 5, x=9.0), "a: a row before the last 64 has changed since it was consumed (before "),
    "older time": (changed("a", 5, t=ROWS[5]["t"] + (1 if ROWS[6]["t"] - ROWS[5]["t"] > 1 else -1)), "a: a row before"),
    "number": (changed("d", 120, x=9.0), "d: a row has changed since it was consumed ("),
    "gap": (changed("d", 125, gap=1e3), "d: a row has changed since it was consumed ("),
    "kind": (changed("c", 7, kind="other"), "c: a row has changed since it was consumed ("),
    "only": (changed("b", 0, x=9.0), "b: a row has changed since it was consumed ("),
    "late": (inserted("c", 20), "c: a row came late: rows after it were consumed without it ("),
    "late, old": (inserted("a", 20), "a: a row "),
    "missing": (without("e", 40), "e: a row that was consumed is missing before this one ("),
    "missing, old": (without("a", 20), "a: a row "),
    "before": (
        [{**next(row for row in ROWS if row["id"] == "d"), "t": ABOUT - 7}, *ROWS],
        f"d: 1 rows lie before the first that was consumed ({ABOUT - 7})",
    ),
}


@pytest.mark.parametrize("case", OLD)
def test_a_row_that_changed_came_late_or_is_missing_is_refused_by_name(gru: Labeler, tmp_path: Path, case: str) -> None:
    rows, message = OLD[case]
    path = tmp_path / "s"
    run(gru, path, ROWS)
    before = path.read_bytes()
    with pytest.raises(InputRefused) as refused:
        run(gru, path, rows)
    name, text = message.split(": ", 1)
    assert refused.value.where == f"series {name!r}"
    assert refused.value.message.startswith(text)
    assert refused.value.hint
    assert path.read_bytes() == before
    assert not run(gru, path, rows, skip=True)  # the other sequences have nothing new
    assert path.read_bytes() == before


def test_rows_inserted_where_nothing_is_kept_are_refused_however_many(gru: Labeler, tmp_path: Path) -> None:
    run(gru, tmp_path / "s", ROWS)
    own = [row for row in ROWS if row["id"] == "a"]
    spread = [{**row, "t": (row["t"] - ABOUT) * 10 + ABOUT} for row in own]
    run(gru, tmp_path / "wide", spread)
    many = [{**own[1], "t": spread[0]["t"] + 1 + at} for at in range(spread[100]["t"] - spread[0]["t"] - 1)]
    assert len(many) > 300
    with pytest.raises(InputRefused, match="a row"):
        run(gru, tmp_path / "wide", [*many, *spread[100:]])
    with pytest.raises(InputRefused, match="a row"):
        run(gru, tmp_path / "wide", [spread[0], *many, *spread[100:]])


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ({"online": False}, "labels of its steps", "train with --online"),
        ({"online": False, "per_step": False}, "label of a sequence", "train with --per-step --online"),
    ],
)
def test_a_model_that_looks_ahead_has_no_state(
    tmp_path: Path, options: dict[str, bool], message: str, hint: str
) -> None:
    looks_ahead = labeler([{**row, "y": str(row["id"] > "b")} for row in ROWS], **options)
    with pytest.raises(UsageError, match=message) as refused:
        Stream(tmp_path / "s", looks_ahead, DIGEST)
    assert refused.value.hint == hint


@pytest.mark.parametrize("cell", ["bidirectional:gru", "bidirectional:gru,gru"])
def test_what_is_online_has_no_layer_that_looks_ahead(gru: Labeler, cell: str) -> None:
    with pytest.raises(UsageError, match="must not enter its label"):
        TASK.refuse_senseless({"per_step": True, "online": True, "cell": cell})
    with pytest.raises(UsageError, match="must not enter its label"):
        TASK.head_shapes(gru.spec, replace(gru.network, cell=cell))


def test_without_times_rows_cannot_be_told_apart(gru: Labeler, tmp_path: Path) -> None:
    timeless = replace(gru, known=replace(gru.known, columns=replace(gru.columns, time=None)))
    with pytest.raises(UsageError, match="no column of times") as refused:
        Stream(tmp_path / "s", timeless, DIGEST)
    assert "--time NAME" in refused.value.hint


def test_the_state_of_another_model_is_refused(gru: Labeler, tmp_path: Path) -> None:
    run(gru, tmp_path / "s", ROWS)
    with pytest.raises(ModelRefused, match="this is the state of another model"):
        Stream(tmp_path / "s", gru, "b" * 64)


def test_a_damaged_state_is_refused_at_any_bit(gru: Labeler, tmp_path: Path) -> None:
    path = tmp_path / "s"
    run(gru, path, ROWS)
    data = path.read_bytes()
    for place in np.random.default_rng(0).integers(len(data), size=60).tolist():
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(ModelRefused):
            Stream(path, gru, DIGEST)
