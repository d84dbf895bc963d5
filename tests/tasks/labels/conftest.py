"""Panels and tables of labelled sequences, models of them, and what is said of them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnncli
from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.channel import Channel
from rnncli.data.panel import Panel, offsets_of
from rnncli.tasks.labels.spec import Input, LabelSpec


@pytest.fixture(scope="session")
def labelled() -> Callable[..., Panel]:
    """Sequences [steps, channels] with a label each, or one a step; of `classes`, or numbers if there are none."""

    def made(sequences: Sequence[Any], labels: Sequence[Any], classes: int = 2, groups: Any = None) -> Panel:
        inputs = [np.asarray(values, np.float64).reshape(len(values), -1) for values in sequences]
        lengths = np.array([len(values) for values in inputs], np.int64)
        label = np.concatenate([np.broadcast_to(label, length) for label, length in zip(labels, lengths, strict=True)])
        vocabulary = tuple(f"class {code}" for code in range(classes))
        count, width = len(inputs), inputs[0].shape[1]
        return Panel(
            ids=tuple(f"s{place}" for place in range(count)),
            offsets=offsets_of(lengths),
            values=np.column_stack([label.astype(np.float64), np.concatenate(inputs)]),
            starts=np.zeros(count, np.int64),
            phases=np.zeros(count, np.int64),
            calendar=Calendar(Frequency("step"), (1,)),
            channels=(
                Channel("label", "category" if classes else "number", "label", vocabulary),
                *(Channel(f"x{place}", "number", "input") for place in range(width)),
            ),
            groups=None if groups is None else np.asarray(groups, np.int64),
        )

    return made


@pytest.fixture(scope="session")
def spec_of() -> Callable[..., LabelSpec]:
    """Three classes of whole sequences of one number, read by their last step; but for what is said."""

    def made(**said: Any) -> LabelSpec:
        usual: dict[str, Any] = {
            "classes": 3,
            "levels": (),
            "inputs": (Input("x0"),),
            "per_step": False,
            "online": False,
            "poolings": ("last",),
            "both_ways": False,
            "stride": 1,
            "window": 1,
            "steps": 9,
        }
        return LabelSpec(**(usual | said))

    return made


FEW = ("--steps", "6", "--hidden", "8", "--members", "1", "-q")


def write(path: Path, first: int, count: int) -> Path:
    """`count` sequences of 6 to 12 steps that rise, fall or stay, of two channels, by one of two persons."""
    rng = np.random.default_rng(first)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "step", "x", "y", "who", "label"])
        for one in range(first, first + count):
            kind = one % 3
            for step in range(int(rng.integers(6, 13))):
                x, y = (kind - 1) * step + rng.normal(0, 0.3), rng.normal()
                rows.writerow([f"s{one}", step, f"{x:.4f}", f"{y:.4f}", "ann" if one % 2 else "bob", "abc"[kind]])
    return path


@pytest.fixture(scope="session")
def labelled_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sequences to learn from."""
    return write(tmp_path_factory.mktemp("labelled") / "train.csv", 0, 36)


@pytest.fixture(scope="session")
def others(labelled_table: Path) -> Path:
    """Sequences that training does not see."""
    return write(labelled_table.parent / "test.csv", 100, 18)


@pytest.fixture(scope="session")
def label_model(labelled_table: Path) -> Path:
    """A small model of one label a sequence."""
    path = labelled_table.parent / "labels.safetensors"
    rnncli.train(str(labelled_table), label="label", channels=("x", "y"), output=path, steps=30, hidden=8, members=1)
    return path
