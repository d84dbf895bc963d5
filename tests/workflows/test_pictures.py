"""--plot of predict and evaluate of frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import rnncli
from rnncli.errors import MissingDependency, UsageError

pytest.importorskip("PIL")


@pytest.fixture(scope="module")
def clips() -> np.ndarray:
    """Twelve sequences of a bright pixel that moves [12, 8, 6, 5, 1]."""
    found = np.zeros((12, 8, 6, 5, 1), np.uint8)
    for s in range(12):
        for t in range(8):
            found[s, t, (s + t) % 6, s % 5] = 200
    return found


@pytest.fixture(scope="module")
def model(clips: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("frames") / "m.safetensors"
    rnncli.train(clips, horizon=2, context=3, steps=2, hidden=3, layers=1, batch=4, members=1, output=path)
    return path


def test_predict_and_evaluate_draw_frames(clips: np.ndarray, model: Path, tmp_path: Path) -> None:
    heard: list[object] = []
    rnncli.predict(clips, model, plot=tmp_path / "next.gif", on_event=heard.append)
    rnncli.evaluate(clips, model, plot=tmp_path / "clip.png")
    assert (tmp_path / "next.gif").read_bytes().startswith(b"GIF89a")
    assert (tmp_path / "clip.png").read_bytes().startswith(b"\x89PNG")
    assert any("next.gif: sequence 'array/0'" in str(event) for event in heard)
    rnncli.predict(clips, model, plot=tmp_path / "next.png", on_event=heard.append)
    assert any("next.png: sequences 'array/0', 'array/1', 'array/2'" in str(event) for event in heard)


def test_the_next_frames_of_arrays_are_an_array(clips: np.ndarray, model: Path, tmp_path: Path) -> None:
    made = rnncli.predict(clips[0], model, output=tmp_path / "next.npy")
    found = np.load(tmp_path / "next.npy")
    assert (found.shape, found.dtype) == ((2, 6, 5), np.uint8)
    assert made.series == 1


def test_another_picture_is_refused_before_any_work(
    clips: np.ndarray, model: Path, small_model: Path, sample_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"a picture ends in \.png or \.gif, not 'a\.svg'"):
        rnncli.predict(clips, model, plot="a.svg")
    for work in (rnncli.predict, rnncli.evaluate):
        with pytest.raises(UsageError, match=r"a picture ends in \.png, \.svg or \.html, not 'a\.gif'"):
            work(sample_data / "co2_weekly.csv", small_model, plot="a.gif")
    monkeypatch.setattr("rnncli.workflows.pictures.find_spec", lambda _: None)
    with pytest.raises(MissingDependency, match="a picture needs Pillow"):
        rnncli.evaluate(clips, model, plot="a.png")


def test_an_array_is_what_only_frames_are_written_as(small_model: Path, sample_data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not say what to write") as refused:
        rnncli.predict(sample_data / "co2_weekly.csv", small_model, output=tmp_path / "a.npy")
    assert refused.value.hint == "end it in .csv, .parquet, .jsonl, .arrow, .arrows, .feather, .xlsx"
