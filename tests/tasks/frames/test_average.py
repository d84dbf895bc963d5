"""Where frames move, what the network says is averaged with the last frame, moved on, by shares that can be checked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import rnncli
from rnncli.errors import ModelRefused
from rnncli.tasks.frames.frame_model import FrameModel

LEADS = 3


def drifting(path: Path) -> Path:
    """Clouds that drift by a column a frame, and change a little."""
    rng = np.random.default_rng(0)
    clouds = np.kron(rng.random((24, 3, 16)), np.ones((1, 4, 1))).astype(np.float32)
    clips = np.stack([np.roll(clouds, t, axis=2)[:, :, :12] for t in range(8)], axis=1)
    np.save(path, clips + 0.05 * rng.standard_normal(clips.shape).astype(np.float32))
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[FrameModel, Path]:
    data = drifting(tmp_path_factory.mktemp("frames") / "clips.npy")
    made = rnncli.train(data, grid="12x12", horizon=LEADS, context=4, steps=20, hidden=8).model
    assert isinstance(made, FrameModel)
    return made, data


def said(model: FrameModel, data: Path, shares: tuple[float, ...]) -> np.ndarray:
    return rnncli.predict(data, replace(model, shares=shares)).values


def test_shares_lie_between_what_moves_on_and_the_network(trained: tuple[FrameModel, Path]) -> None:
    model, data = trained
    assert len(model.shares) == LEADS
    assert all(0 <= share <= 1 for share in model.shares)
    network, moved = said(model, data, (1.0,) * LEADS), said(model, data, (0.0,) * LEADS)
    np.testing.assert_array_equal(network, said(model, data, ()))
    share = np.array(model.shares, np.float32).reshape(-1, 1, 1, 1)
    np.testing.assert_allclose(said(model, data, model.shares), moved + share * (network - moved), atol=1e-5)


def test_what_moves_on_alone_is_the_baseline(trained: tuple[FrameModel, Path]) -> None:
    model, data = trained
    found = rnncli.evaluate(data, replace(model, shares=(0.0,) * LEADS)).to_json()["by_lead_time"]
    np.testing.assert_allclose(found["model"], found["advection"], rtol=1e-3)


def test_shares_are_kept_in_the_file(trained: tuple[FrameModel, Path], tmp_path: Path) -> None:
    model, data = trained
    model.save(tmp_path / "m.safetensors")
    assert rnncli.info(tmp_path / "m.safetensors").model.shares == model.shares
    np.testing.assert_array_equal(
        said(model, data, model.shares), rnncli.predict(data, tmp_path / "m.safetensors").values
    )


@pytest.mark.parametrize("shares", [(0.5,), (0.5, 1.5, 0.2), (0.5, 0.5, -0.1)])
def test_shares_that_fit_no_average_are_refused(
    trained: tuple[FrameModel, Path], tmp_path: Path, shares: tuple[float, ...]
) -> None:
    model, _ = trained
    replace(model, shares=shares).save(tmp_path / "m.safetensors")
    with pytest.raises(ModelRefused, match="shares"):
        rnncli.info(tmp_path / "m.safetensors")
