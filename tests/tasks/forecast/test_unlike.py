"""Series unlike those of the training are forecast with a word about what the model cannot know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnncli
from rnncli.events import Noted


def table(path: Path, series: dict[str, Any]) -> Path:
    rows = [
        f"{name},2024-{1 + k // 28:02}-{1 + k % 28:02},{v}" for name, ys in series.items() for k, v in enumerate(ys)
    ]
    path.write_text("unique_id,ds,y\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Models of values that are positive, never negative, whole, and of any kind."""
    folder, rng = tmp_path_factory.mktemp("models"), np.random.default_rng(0)
    noise = np.round(rng.lognormal(3, 0.3, (4, 60)), 3)
    kinds = {
        "positive": noise,
        "never negative": np.where(noise < 15, 0.0, noise),
        "whole": np.round(noise - noise.min()),
        "any": np.round(noise - 20, 3),
    }
    for kind, values in kinds.items():
        data = table(folder / "a.csv", {f"s{k}": ys for k, ys in enumerate(values)})
        rnncli.train(data, output=folder / f"{kind}.safetensors", horizon=2, steps=1, members=1, hidden=4)
    return {kind: folder / f"{kind}.safetensors" for kind in kinds}


def told(path: Path, model: Path) -> list[str]:
    lines: list[str] = []
    rnncli.predict(path, model, on_event=lambda event: lines.append(event.text) if isinstance(event, Noted) else None)
    return [line for line in lines if "train again" in line]


UNLIKE = [
    ("positive", [5.5] * 3 + [0] * 27, "zero or negative", "27 of the last 30"),
    ("positive", [5.5] * 20 + [-1.5] * 10, "zero or negative", "10 of the last 30"),
    ("positive", [0, *[5.5] * 29], "zero or negative", "1 of the last 30"),
    ("never negative", [-8.5 + k % 3 for k in range(30)], "are negative", "30 of the last 30"),
    ("never negative", [3.5] * 29 + [-0.5], "are negative", "1 of the last 30"),
    ("whole", [0.3 + 0.01 * k for k in range(30)], "no whole numbers", "30 of the last 30"),
    ("whole", [1, 2] * 14 + [2.5, 3.5], "no whole numbers", "2 of the last 30"),
    ("whole", [-3] * 30, "are negative", "30 of the last 30"),
]


@pytest.mark.parametrize(("kind", "values", "what", "count"), UNLIKE)
def test_what_a_model_cannot_know_is_said_of_the_series(
    tmp_path: Path, models: dict[str, Path], kind: str, values: list[float], what: str, count: str
) -> None:
    lines = told(table(tmp_path / "a.csv", {"fine": [9.0, 12.0] * 15, "n": values}), models[kind])
    assert any(what in line and "series 'n'" in line and line.startswith(count) for line in lines)


@pytest.mark.parametrize("kind", ["positive", "never negative", "whole", "any"])
def test_nothing_is_said_of_series_like_those_of_the_training(
    tmp_path: Path, models: dict[str, Path], kind: str
) -> None:
    assert told(table(tmp_path / "a.csv", {"n": [12.0, 25.0, 31.0] * 10}), models[kind]) == []


def test_what_lies_further_back_than_a_forecast_looks_is_no_matter(tmp_path: Path, models: dict[str, Path]) -> None:
    assert told(table(tmp_path / "a.csv", {"n": [-1.0] * 40 + [12.5] * 280}), models["positive"]) == []
