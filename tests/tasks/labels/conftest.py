"""Labelled sequences that are quickly learnt, and models of them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import rnncli

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
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sequences to learn from."""
    return write(tmp_path_factory.mktemp("labelled") / "train.csv", 0, 36)


@pytest.fixture(scope="session")
def others(labelled: Path) -> Path:
    """Sequences that training does not see."""
    return write(labelled.parent / "test.csv", 100, 18)


@pytest.fixture(scope="session")
def label_model(labelled: Path) -> Path:
    """A small model of one label a sequence."""
    path = labelled.parent / "labels.safetensors"
    rnncli.train(str(labelled), label="label", channels=("x", "y"), output=path, steps=30, hidden=8, members=1)
    return path
