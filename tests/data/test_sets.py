"""Tables of sets become documents of zeros and ones, and what is odd about them is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rnncli.data import arrow
from rnncli.data.checks.sets import check_sets
from rnncli.data.load import Loaded
from rnncli.data.sets.load import load_sets
from rnncli.data.tokens.known import known_tokens
from rnncli.registry import SET_CHECKS, find
from rnncli.spec import ColumnChoices, TokenChoices

NOTES = TokenChoices(token="notes", multi_hot=True)
TEXTS = TokenChoices(token="notes", multi_hot=True, set_separator=",")


def sets_of(loaded: Loaded) -> list[set[str] | None]:
    """The set of every row; None where it is missing."""
    panel = loaded.panel
    names = panel.channels[0].vocabulary
    return [None if row[0] < 0 else {names[k] for k in np.flatnonzero(row[1:]) + 1} for row in np.asarray(panel.values)]


def found(data: Any, choices: TokenChoices = NOTES, **model: Any) -> dict[str, Any]:
    return {finding.id: finding for finding in check_sets(data, ColumnChoices(), choices, **model).findings}


CODED = pa.list_(pa.dictionary(pa.int8(), pa.string()))


@pytest.mark.parametrize("kind", [pa.list_(pa.int64()), pa.large_list(pa.int8()), pa.list_(pa.string()), CODED])
def test_lists_of_any_type_are_sets(kind: pa.DataType) -> None:
    text = not pa.types.is_integer(kind.value_type)
    values = [[7, 5, 7], [], None, [5], [12]]
    column = pa.array([None if row is None else [str(k) if text else k for k in row] for row in values], kind)
    table = pa.table({"id": list("aabbb"), "notes": pa.chunked_array([column.slice(0, 2), column.slice(2)])})
    loaded = load_sets(table, None, NOTES)
    assert sets_of(loaded) == [{"5", "7"}, set(), None, {"5"}, {"12"}]
    assert loaded.panel.channels[0].vocabulary == ("<unk>", "5", "12", "7")
    assert loaded.panel.values.dtype == np.int8
    assert any("of 1 step the set is missing" in note for note in loaded.notes)


def test_lists_of_one_size_are_sets() -> None:
    pairs = pa.array([[1, 2], [2, 3]], pa.list_(pa.int64(), 2))
    assert sets_of(load_sets(pa.table({"notes": pairs}), None, NOTES)) == [{"1", "2"}, {"2", "3"}]


def test_a_chunk_that_begins_later_has_its_own_lists() -> None:
    column = pa.array([[1], [2, 3], None, [4]]).slice(1)
    lengths, values = arrow.lists(pa.chunked_array([column]))
    assert lengths.tolist() == [2, -1, 1]
    assert values.to_pylist() == [2, 3, 4]


def test_an_empty_cell_is_the_empty_set_and_what_is_missing_is_written_out(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text('id,notes\na,"x, y,,x"\na,\nb,NA\nb,y\n')
    loaded = load_sets(path, None, TEXTS)
    assert sets_of(loaded) == [{"x", "y"}, set(), None, {"y"}]
    parquet = pa.table({"id": list("ab"), "notes": ["NA", None]})
    assert sets_of(load_sets(parquet, None, TEXTS)) == [{"NA"}, None]


def test_rows_are_in_the_order_of_time() -> None:
    table = pa.table({"id": list("aba"), "t": [2, 1, 1], "notes": [["x"], ["y"], ["z"]]})
    loaded = load_sets(table, ColumnChoices(time="t", id=("id",)), NOTES)
    assert loaded.panel.ids == ("a", "b")
    assert sets_of(loaded) == [{"z"}, {"x"}, {"y"}]


def test_rare_tokens_are_unknown_and_counted() -> None:
    table = pa.table({"notes": [["x", "q", "r"], ["x"], ["x", "q"]]})
    loaded = load_sets(table, None, TokenChoices(token="notes", multi_hot=True, min_count=2))
    assert loaded.panel.channels[0].vocabulary == ("<unk>", "x", "q")
    assert np.asarray(loaded.panel.values)[:, 0].tolist() == [1, 0, 0]
    few = load_sets(table, None, TokenChoices(token="notes", multi_hot=True, vocabulary=2))
    assert few.panel.channels[0].vocabulary == ("<unk>", "x")


def test_a_model_reads_by_its_vocabulary() -> None:
    known = known_tokens(load_sets(pa.table({"notes": [["x"], ["x", "y"]]}), None, NOTES))
    loaded = load_sets(pa.table({"notes": [["y", "n"], ["m", "n"]]}), None, known=known)
    assert np.asarray(loaded.panel.values).tolist() == [[1, 0, 1], [2, 0, 0]]
    assert "3 of 4 tokens are not in the model's vocabulary" in " ".join(loaded.notes)


def test_checks_find_what_is_odd() -> None:
    table = pa.table({"id": list("aabbc"), "notes": ["x,x", "x", "", "", "y"]})
    odd = found(table, TEXTS)
    assert set(odd) == {"set-empty", "set-repeats", "document-short", "token-once"}
    assert odd["set-empty"].examples[0].series == "b"
    assert "separator-unused" in found(table, TokenChoices(token="notes", multi_hot=True, set_separator=";"))
    assert set(found(pa.table({"id": list("aab"), "notes": ["", "", None]}), TEXTS)) >= {"refused", "set-missing"}
    known = known_tokens(load_sets(table, None, TEXTS))
    later = found(pa.table({"id": list("ad"), "notes": ["z", "x,y"]}), TEXTS, known=known, learnt=("a",))
    assert {"token-unknown", "document-learnt"} <= set(later)


def test_every_check_of_sets_is_there() -> None:
    assert all(callable(find(SET_CHECKS, name, "check")) for name in SET_CHECKS)
