"""The list of cells, and what sharing weights saves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import rnncli
from rnncli.cli.cells import shown
from rnncli.registry import CELLS
from rnncli.workflows.list_cells import sharing


def test_every_cell_is_listed_with_its_formula_and_its_source() -> None:
    document = json.loads(json.dumps(rnncli.list_cells().to_json()))
    assert [cell["name"] for cell in document["cells"]] == list(CELLS)
    for cell in document["cells"]:
        assert "_t = " in cell["formula"]
        assert any(year in cell["source"] for year in ("19", "20"))
    assert [wrapper["name"] for wrapper in document["wrappers"]] == [
        "fir:STEPS",
        "dilated:CELL",
        "bidirectional:CELL",
        "conv:KERNEL:CELL",
    ]


def test_sizes_are_those_of_the_textbook() -> None:
    found = {cell.name: cell for cell in rnncli.list_cells(inputs=10, hidden=20).cells}
    assert found["lstm"].parameters == 4 * (20 * (10 + 20) + 20)
    assert found["lstm"].cost == 4 * 20 * (10 + 20)
    assert (found["lstm"].state, found["gru"].state) == (40, 20)
    assert found["lru"].state == 40  # what it puts out is not carried on
    assert found["gru"].parameters == 3 * (20 * (10 + 20) + 20) + 20
    assert found["mingru"].parameters == 2 * (20 * 10 + 20)
    assert found["mlstm"].parameters == 6 * (20 * 10 + 20)
    assert found["mlstm"].state == 20 * (4 + 4 + 1)  # memory, normaliser and stabiliser of each unit
    assert found["mamba"].parameters == 5 * (20 * 10 + 20) + 20 * (8 + 1)
    assert found["mamba"].state == 20 * 8


def test_the_text_names_every_cell_in_lines_that_fit() -> None:
    lines = shown(rnncli.list_cells())
    assert set(CELLS) <= set(lines)
    assert max(map(len, lines)) <= 130


@pytest.mark.parametrize("sizes", [{"inputs": 0}, {"hidden": -1}])
def test_a_size_that_cannot_be_is_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(rnncli.UsageError):
        rnncli.list_cells(**sizes)


def test_weights_that_are_not_shared_grow_with_the_steps_and_a_dense_window_with_their_square() -> None:
    found = sharing("rnn", 1, (3, 4), 10)
    assert found == {"recurrent": 4 * 3 + 4 * 4 + 4, "untied": 10 * 32, "dense_window": (10 * 3 + 1) * 10 * 4}


def test_info_says_what_sharing_saves(small_model: Path) -> None:
    found = rnncli.info(small_model)
    assert found.to_json()["sharing"]["untied"] > 10 * found.sharing["recurrent"]
    assert "recurrent parameters" in dict(found.facts)["shared weights"]
