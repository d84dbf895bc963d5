"""A `.partial` file that was forged behind a fitting digest is gone on with, or told in a line and not used."""

from __future__ import annotations

import copy
import runpy
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnncli
from rnncli.cli.failure import explained
from rnncli.training.events import Stepped

Parts = tuple[dict[str, Any], dict[str, Any], bytes]

SIGNING = runpy.run_path(str(Path(__file__).parents[1] / "faults" / "fuzz" / "signing.py"))
opened: Callable[[bytes], Parts] = SIGNING["opened"]
signed: Callable[[dict[str, Any], dict[str, Any], bytes], bytes] = SIGNING["signed"]

SMALL: dict[str, Any] = {"horizon": 3, "hidden": 2, "steps": 6, "batch": 4, "members": 2, "threads": 1, "tbptt": 4}
HUGE = 2**62


class Broken(BaseException):
    """What the listener raises to stop a training."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "data.csv"
    rows = [f"{2000 + i // 12}-{i % 12 + 1:02}-01,{10 + (i % 12) + i / 20:.2f}" for i in range(60)]
    path.write_text("month,y\n" + "\n".join(rows) + "\n")
    return path


def stopped_after(steps: int) -> Callable[[object], None]:
    """A listener that stops the training after so many steps."""
    told: list[object] = []

    def listener(event: object) -> None:
        told.extend([event] if isinstance(event, Stepped) else [])
        if len(told) == steps:
            raise Broken

    return listener


def partial_of(data: Path, folder: Path, steps: int) -> bytes:
    with pytest.raises(Broken):
        rnncli.train(data, output=folder / f"m{steps}", on_event=stopped_after(steps), **SMALL)
    return (folder / f"m{steps}.partial").read_bytes()


@pytest.fixture(scope="module")
def searching(data: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """In the middle of the search."""
    return partial_of(data, tmp_path_factory.mktemp("searching"), 3)


@pytest.fixture(scope="module")
def going_on(data: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """One member has been searched."""
    return partial_of(data, tmp_path_factory.mktemp("going_on"), 8)


@pytest.fixture(scope="module")
def unbroken(data: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("unbroken") / "m"
    rnncli.train(data, output=path, **SMALL)
    return path.read_bytes()


def outcome(data: Path, path: Path, partial: bytes, *, stop: bool = False) -> tuple[int, str]:
    """The exit code of the training that finds this file, and what it tells of it; it may stop where it starts over."""
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.partial").write_bytes(partial)
    notes: list[str] = []

    def listener(event: object) -> None:
        notes.append(getattr(event, "text", ""))
        if stop and "starts over" in notes[-1]:
            raise Broken

    try:
        rnncli.train(data, output=path, on_event=listener, **SMALL)
    except Broken:
        return 0, notes[-1]
    except Exception as error:  # noqa: BLE001 whatever it is has a code
        return explained(error).exit_code, str(error)
    return 0, next(note for note in notes if ".partial" in note)


def test_a_file_signed_again_is_gone_on_with(
    data: Path, searching: bytes, going_on: bytes, unbroken: bytes, tmp_path: Path
) -> None:
    for partial in (searching, going_on):
        code, note = outcome(data, tmp_path / "m", signed(*opened(partial)))
        assert (code, "going on from" in note) == (0, True)
        assert (tmp_path / "m").read_bytes() == unbroken


ODD: list[Any] = [None, True, -1, 0, 1, HUGE, 1.5, 1e300, "", "x", [], {}, [None], [1e300]]


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a document, but in the specs of a network and a forecast, which are compared whole."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if key not in ("network", "forecast"):
            yield from paths_of(item, (*path, key))
        else:
            yield (*path, key)


def changed(document: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """A copy with another value at a path; without the key where it is `...`."""
    document = copy.deepcopy(document)
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return document


def test_whatever_is_forged_in_its_description_is_no_bug(
    data: Path, searching: bytes, going_on: bytes, tmp_path: Path
) -> None:
    """Every value replaced by some of the odd ones in turn."""
    tried = 0
    for partial in (searching, going_on):
        document, table, body = opened(partial)
        for number, path in enumerate(paths_of(document)):
            for value in (..., *(ODD[(number * 2 + shift) % len(ODD)] for shift in range(2))):
                forged = signed(changed(document, path, value), table, body)
                code, note = outcome(data, tmp_path / "m", forged, stop=True)
                assert code in (0, 2, 5), (path, value, note)
                tried += 1
    assert tried > 150


FORGED: list[tuple[tuple[Any, ...], Any]] = [
    (("task",), "forecast"),
    (("request",), "0" * 64),
    (("request",), None),
    (("training", "steps"), 2**31),
    (("training", "steps"), 7),
    (("training", "batch"), 0),
    (("training", "tbptt"), None),
    (("training", "time_budget"), 1e-3),
    (("candidates",), []),
    (("candidates", 0, "network", "hidden"), 1 << 20),
    (("candidates", 0, "network", "cell"), ",".join(["dilated:65536:lstm"] * 200)),
    (("candidates", 0, "network", "members"), 1024),
    (("candidates", 0, "forecast", "horizon"), 4),
    (("members",), []),
    (("members", 0), None),
    (("members", 0, "run"), None),
    (("members", 0, "searched"), True),
    (("members", 0, "trained"), True),
    (("members", 0, "best_step"), 7),
    (("members", 0, "best_step"), -1),
    (("members", 0, "run", "step"), 7),
    (("members", 0, "run", "step"), -1),
    (("members", 0, "run", "best_step"), 4),
    (("members", 0, "run", "since_best"), -1),
    (("members", 0, "run", "losses"), [1.0] * 100),
    (("members", 0, "run", "losses"), ["x"]),
    (("members", 0, "run", "best_score"), "good"),
    (("members", 0, "run", "seconds"), -5.0),
    (("members", 0, "run", "carries"), False),
    (("members", 0, "run", "more"), 1),
]


@pytest.mark.parametrize(("path", "value"), FORGED, ids=[f"{path[-1]}-{str(value)[:20]}" for path, value in FORGED])
def test_a_forged_description_is_told_and_not_used(
    data: Path, searching: bytes, tmp_path: Path, path: tuple[Any, ...], value: Any
) -> None:
    document, table, body = opened(searching)
    code, note = outcome(data, tmp_path / "m", signed(changed(document, path, value), table, body), stop=True)
    assert (code, "training starts over" in note) == (0, True)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, -1e30, 1e9, -1.0, 0.0, 123.0])
def test_whatever_is_forged_in_a_tensor_is_no_bug(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    """Of one member: until their answers are averaged, members do not know each other."""
    monkeypatch.setitem(SMALL, "members", 1)
    document, table, body = opened(partial_of(data, tmp_path, 3))
    for name, entry in sorted(table.items()):
        if not name.startswith("0.") or not name.endswith(("weight_ih", "bias_spread", "layer0")):
            continue
        begin, end = entry["data_offsets"]
        forged = body[:begin] + struct.pack("<f", value) * ((end - begin) // 4) + body[end:]
        code, note = outcome(data, tmp_path / "m", signed(document, table, forged), stop=True)
        assert code in (0, 2, 5), (name, value, note)


@pytest.mark.parametrize("change", ["dropped", "renamed", "shorter", "another dtype"])
def test_other_tensors_than_described_are_told_and_training_starts_over(
    data: Path, searching: bytes, unbroken: bytes, tmp_path: Path, change: str
) -> None:
    document, table, body = opened(searching)
    name = max(table, key=lambda name: table[name]["data_offsets"])
    begin, end = table[name]["data_offsets"]
    entry = table.pop(name)
    if change == "renamed":
        table["0.run.worst.x"] = entry
    elif change == "shorter":
        table[name] = entry | {"shape": [1], "data_offsets": [begin, begin + 4]}
    elif change == "another dtype":
        table[name] = entry | {"dtype": "I32"}
    kept = {"dropped": begin, "shorter": begin + 4}.get(change, end)
    code, note = outcome(data, tmp_path / "m", signed(document, table, body[:kept]))
    assert (code, "training starts over" in note) == (0, True)
    assert (tmp_path / "m").read_bytes() == unbroken


def test_the_state_of_a_stream_is_not_replaced(data: Path, tmp_path: Path) -> None:
    rnncli.train(data, output=tmp_path / "m", **SMALL)
    rnncli.predict(data, tmp_path / "m", state=tmp_path / "s")
    state = (tmp_path / "s").read_bytes()
    code, error = outcome(data, tmp_path / "m", state)
    assert (code, "did not write" in error) == (2, True)
    assert (tmp_path / "m.partial").read_bytes() == state


@pytest.mark.parametrize(
    ("change", "goes_on"),
    [
        ({}, True),
        ({"steps": 1, "evaluate_every": 1, "time_budget": 1.0}, True),
        ({"steps": 7}, False),
        ({"time_budget": 1e6}, False),
        ({"time_budget": None}, False),
        ({"learning_rate": 1.0}, False),
    ],
)
def test_a_training_within_a_time_goes_on_in_the_steps_that_it_had_left(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], *, goes_on: bool
) -> None:
    monkeypatch.setitem(SMALL, "time_budget", 600.0)
    document, table, body = opened(partial_of(data, tmp_path, 1))
    document["training"] |= change
    code, note = outcome(data, tmp_path / "m", signed(document, table, body), stop=True)
    assert (code, "going on from" in note) == (0, goes_on)
