"""Panels and files of documents, and models of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import rnncli
from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.channel import Channel
from rnncli.data.panel import Panel, offsets_of
from rnncli.spec import NetworkSpec
from rnncli.tasks.tokens.token_model import TokenModel

VERSE = "the cat sat on a mat\nand my rat ran off with it\n"


@pytest.fixture(scope="session")
def coded() -> Callable[..., Panel]:
    """Documents of these codes, of so many kinds."""

    def made(documents: Sequence[Sequence[int]], kinds: int = 5) -> Panel:
        lengths = np.array([len(codes) for codes in documents], np.int64)
        count = len(documents)
        return Panel(
            ids=tuple(f"d{place}" for place in range(count)),
            offsets=offsets_of(lengths),
            values=np.array([code for codes in documents for code in codes], np.uint8)[:, None],
            starts=np.zeros(count, np.int64),
            phases=np.zeros(count, np.int64),
            calendar=Calendar(Frequency("step"), (1,)),
            channels=(Channel("token", "token", "target", tuple(f"t{code}" for code in range(kinds))),),
        )

    return made


@dataclass(frozen=True)
class Trained:
    """The file of a model, and the model."""

    path: Path
    model: TokenModel


@pytest.fixture(scope="session")
def verse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text that says the same again and again."""
    path = tmp_path_factory.mktemp("tokens") / "verse.txt"
    path.write_text(VERSE * 60)
    return path


@pytest.fixture(scope="session")
def text_model(verse: Path) -> Trained:
    """A model of the characters of one text."""
    path = verse.parent / "verse.safetensors"
    size = {"hidden": 48, "members": 1, "steps": 300, "batch": 8}
    made = rnncli.train(str(verse), split="char", output=path, dropout=0, learning_rate=0.01, **size)
    return Trained(path, made.model)


@pytest.fixture(scope="session")
def cases_table(verse: Path) -> Path:
    """Cases of events, one a row, that end in one of two ways, as their second event says."""
    path = verse.parent / "cases.csv"
    rng, lines = np.random.default_rng(0), ["case,event"]
    for case in range(80):
        kind = "AB"[int(rng.integers(2))]
        lines += [f"c{case},{event}" for event in ["open", kind, *["wait"] * int(rng.integers(1, 4)), f"close {kind}"]]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def case_model(cases_table: Path) -> Trained:
    """A model of two layers and two members of the events of cases."""
    path = cases_table.parent / "cases.safetensors"
    made = rnncli.train(
        str(cases_table),
        token="event",
        id="case",
        output=path,
        hidden=16,
        layers=2,
        members=2,
        steps=150,
        dropout=0,
        learning_rate=0.01,
        batch=8,
    )
    return Trained(path, made.model)


@pytest.fixture
def small_network() -> NetworkSpec:
    """Four units of a GRU."""
    return NetworkSpec("gru", "tanh", 1, 4, 0.0, residual=True, init="orthogonal", inputs=4)
