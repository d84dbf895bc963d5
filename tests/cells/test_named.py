"""What `--cell` may say."""

from __future__ import annotations

import pytest

from rnncli.cells.name import CellName, parsed
from rnncli.cells.named import (
    asks_for_gaps,
    cell_named,
    cells_of,
    checked,
    layers_of,
    refuse_gaps,
    refuse_unused_activation,
    resolved,
    with_activation,
)
from rnncli.errors import UsageError


@pytest.mark.parametrize(
    ("text", "layers", "seasons", "found"),
    [
        ("lstm", 2, (24, 168), "lstm"),
        ("dilated:lstm", 1, (24,), "dilated:24:lstm"),
        ("dilated:lstm", 3, (168, 24), "dilated:24:lstm,dilated:168:lstm,dilated:336:lstm"),
        ("dilated:gru", 3, (1,), "dilated:2:gru,dilated:4:gru,dilated:8:gru"),
        ("lstm,dilated:gru", 2, (7,), "lstm,dilated:7:gru"),
        ("dilated:3:gru,dilated:gru", 2, (7,), "dilated:3:gru,dilated:7:gru"),
        ("fir:24,dilated:fir:4", 2, (7,), "fir:24,dilated:7:fir:4"),
    ],
)
def test_dilations_without_a_number_are_the_seasons(
    text: str, layers: int, seasons: tuple[int, ...], found: str
) -> None:
    assert resolved(text, layers, seasons) == found
    assert len(cells_of(found, layers)) == layers


def test_one_cell_is_for_every_layer_and_a_list_for_one_each() -> None:
    assert [cell.name for cell in cells_of("gru", 3)] == ["gru"] * 3
    assert [cell.name for cell in cells_of("lstm,dilated:2:gru", 2)] == ["lstm", "dilated:2:gru"]
    assert (layers_of("gru"), layers_of("lstm,gru,gru")) == (None, 3)


def test_a_list_that_does_not_fit_the_layers_is_refused() -> None:
    with pytest.raises(UsageError, match="names 2 layers, but there are 3"):
        cells_of("lstm,gru", 3)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ltsm",
        "os:system",
        "lstm:2",
        "fir:1",
        "fir:",
        "fir:x",
        "fir:9999",
        "wrapped:lstm",
        "dilated:",
        "dilated:lstm",
        "dilated:0:lstm",
        "dilated:-2:lstm",
        "dilated:9999999:lstm",
        "dilated:²:lstm",
        "dilated:2:dilated:3:lstm",
        "dilated:2:bidirectional:lstm",
    ],
)
def test_a_name_that_stands_for_no_cell_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        cell_named(name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("gru", CellName("gru")),
        ("fir:24", CellName("fir", 24)),
        ("dilated:24:gru", CellName("dilated", 24, CellName("gru"))),
        ("dilated:fir:4", CellName("dilated", None, CellName("fir", 4))),
        (
            "bidirectional:dilated:2:fir:4",
            CellName("bidirectional", None, CellName("dilated", 2, CellName("fir", 4))),
        ),
    ],
)
def test_a_name_is_parsed_and_printed_back(text: str, name: CellName) -> None:
    assert parsed(text) == name
    assert str(name) == text


@pytest.mark.parametrize(
    "name", ["bidirectional:bidirectional:gru", "bidirectional:", "bidirectional:ltsm", "gru,dilated:bidirectional:gru"]
)
def test_a_bidirectional_layer_has_a_cell_that_is_none(name: str) -> None:
    with pytest.raises(UsageError):
        checked(name)


def test_bidirectional_layers_are_named_beside_others() -> None:
    text = "lstm,bidirectional:gru"
    assert checked(text) == text
    assert resolved("bidirectional:dilated:gru", 2, (7,)) == "bidirectional:dilated:7:gru,bidirectional:dilated:14:gru"


@pytest.mark.parametrize("cell", ["bidirectional:gru", "lstm,bidirectional:gru"])
def test_no_state_of_a_bidirectional_layer_is_carried_on(cell: str) -> None:
    with pytest.raises(UsageError, match="bidirectional:gru reads a sequence from both ends") as error:
        cells_of(cell, 2)
    assert error.value.hint == "use gru"


@pytest.mark.parametrize(
    ("text", "layers", "found"), [("grud,gru", 2, True), ("dilated:2:grud", 1, True), ("gru", 3, False)]
)
def test_the_first_layer_may_ask_for_gaps(text: str, layers: int, *, found: bool) -> None:
    assert asks_for_gaps(text, layers) == found


@pytest.mark.parametrize(("text", "layers"), [("grud", 2), ("gru,grud", 2), ("grud,dilated:2:grud", 2)])
def test_a_later_layer_that_asks_for_gaps_is_refused(text: str, layers: int) -> None:
    with pytest.raises(UsageError, match="grud asks for the columns last, observed, gap") as error:
        asks_for_gaps(text, layers)
    assert "grud,gru" in error.value.hint


@pytest.mark.parametrize("text", ["grud", "gru,grud", "bidirectional:grud", "dilated:grud"])
def test_gaps_are_asked_of_forecasts_alone(text: str) -> None:
    refuse_gaps("gru,mlstm")
    with pytest.raises(UsageError, match="grud asks for the gaps between values"):
        refuse_gaps(text)


@pytest.mark.parametrize(
    "text", ["rnn", "jordan", "fir", "fir:24", "dilated:rnn", "dilated:24:jordan", "lstm,rnn", "bidirectional:rnn"]
)
def test_a_cell_with_an_activation_takes_one(text: str) -> None:
    assert with_activation(text, "relu") == f"{text} (relu)"
    refuse_unused_activation(text, "relu")


@pytest.mark.parametrize(
    "text", ["lstm", "gru", "mgu", "lru", "slstm", "mingru", "dilated:lstm", "lstm,dilated:24:gru"]
)
def test_an_activation_that_no_layer_has_is_refused(text: str) -> None:
    assert with_activation(text, "tanh") == text
    refuse_unused_activation(text, None)
    for activation in ("tanh", "relu"):
        with pytest.raises(UsageError, match=f"--activation is given, but {text} has none") as error:
            refuse_unused_activation(text, activation)
        assert error.value.hint.endswith("--cell rnn, jordan, jordan-decaying, indrnn, eunn, fir")
