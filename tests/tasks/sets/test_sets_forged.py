"""A model file of sets that contradicts itself is refused, with the reason, and never used."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pyarrow as pa
import pytest

import rnncli
from rnncli import checkpoint
from rnncli import model as models
from rnncli.errors import ModelRefused

Change = Callable[[dict[str, Any]], None]


def _of(part: str, name: str, value: Any) -> Change:
    return lambda meta: meta[part].__setitem__(name, value)


def _is(name: str, value: Any) -> Change:
    return lambda meta: meta.__setitem__(name, value)


@pytest.fixture(scope="module")
def small() -> Any:
    """A model of three tokens, hardly trained."""
    notes = [["a"], ["b", "c"], ["a", "c"], ["b"]]
    table = pa.table({"piece": ["x", "x", "y", "y"], "notes": notes})
    return rnncli.train(table, token="notes", multi_hot=True, id="piece", steps=1, hidden=2, members=1).model.model


@pytest.mark.parametrize(
    "change",
    [
        _of("sets", "frequencies", [0.1]),
        _of("sets", "frequencies", [0.1, 0.5, 1.0, 0.5]),
        _of("sets", "frequencies", [0.1, 0.5, 0.5, 0.5, 0.5]),
        _of("sets", "steps", 0),
        _of("sets", "forgotten", 1.5),
        _of("network", "inputs", 7),
        _of("network", "cell", "bidirectional:lstm"),
        _of("choices", "token", "other"),
        _of("choices", "multi_hot", False),
        _of("choices", "set_separator", ""),
        _of("columns", "decimal", "x"),
        _of("record", "validation", {"network": {"accuracy": "low"}}),
        _is("zone", 5),
        _is("vocabulary", "abc"),
        _is("vocabulary", ["<unk>", "a", "a", "b"]),
        _is("vocabulary", ["<unk>", "a", "b"]),
        _is("vocabulary", ["a", "b", "c", "d"]),
        _is("vocabulary", ["<unk>", "a", "b", 5]),
    ],
)
def test_it_is_refused(small: Any, change: Change) -> None:
    tensors, meta = small.task.to_file(small)
    meta = deepcopy(meta)
    assert models.from_bytes(checkpoint.to_bytes(tensors, meta), "as it is").names == ("x", "y")
    change(meta)
    with pytest.raises(ModelRefused):
        models.from_bytes(checkpoint.to_bytes(tensors, meta), "forged")
