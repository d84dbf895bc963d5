"""What `--cell` may say."""

from __future__ import annotations

import pytest

from rnncli.cells.named import (
    cell_named,
    cells_of,
    checked,
    layers_of,
    refuse_unused_activation,
    resolved,
    takes_activation,
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


def test_a_bidirectional_cell_is_refused_with_the_reason() -> None:
    with pytest.raises(UsageError, match="what comes after its origin must not enter a forecast"):
        checked("lstm,bidirectional:gru")


@pytest.mark.parametrize("text", ["rnn", "jordan", "fir", "fir:24", "dilated:rnn", "dilated:24:jordan", "lstm,rnn"])
def test_a_cell_with_an_activation_takes_one(text: str) -> None:
    assert takes_activation(text)
    refuse_unused_activation(text, "relu")


@pytest.mark.parametrize(
    "text", ["lstm", "gru", "mgu", "lru", "slstm", "mingru", "dilated:lstm", "lstm,dilated:24:gru"]
)
def test_an_activation_that_no_layer_has_is_refused(text: str) -> None:
    assert not takes_activation(text)
    refuse_unused_activation(text, None)
    for activation in ("tanh", "relu"):
        with pytest.raises(UsageError, match=f"--activation is given, but {text} has none") as error:
            refuse_unused_activation(text, activation)
        assert error.value.hint.endswith("--cell rnn, jordan, fir")
