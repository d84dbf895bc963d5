"""What a process of ours costs beside one that does nothing, and beside one that only imports torch."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

NOTHING = (sys.executable, "-c", "pass")
TORCH = (sys.executable, "-c", "import torch")
RNNCLI = (sys.executable, "-m", "rnncli")


@pytest.fixture(scope="module")
def trained(
    hourly: Callable[[int, int], Path], cpu_seconds: Callable[[object], float], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A model of the default size for 414 series of 1,000 rows, hardly trained."""
    model = tmp_path_factory.mktemp("model") / "hourly.safetensors"
    cpu_seconds((*RNNCLI, "train", hourly(414, 1000), "--horizon", 48, "--steps", 3, "-o", model))
    return model


@pytest.mark.parametrize("command", [(), ("train",)])
def test_help_beside_a_process_that_does_nothing(
    ratio_of: Callable[..., float], say: Callable[[str], None], command: tuple[str, ...]
) -> None:
    ratio = ratio_of((*RNNCLI, *command, "--help"), NOTHING)
    say(f"{' '.join(('rnncli', *command))} --help / python -c pass: {ratio:.1f} (promised: at most 12)")
    assert ratio <= 12


def test_predict_for_one_series_beside_the_import_of_torch(
    ratio_of: Callable[..., float], hourly: Callable[[int, int], Path], trained: Path, say: Callable[[str], None]
) -> None:
    ratio = ratio_of((*RNNCLI, "predict", hourly(1, 1000), "-m", trained, "-q"), TORCH)
    say(f"rnncli predict, 1 series of 1,000 rows / import torch: {ratio:.2f} (promised: at most 0.33)")
    assert ratio <= 0.33


def test_predict_for_414_series_beside_the_import_of_torch(
    ratio_of: Callable[..., float], hourly: Callable[[int, int], Path], trained: Path, say: Callable[[str], None]
) -> None:
    ratio = ratio_of((*RNNCLI, "predict", hourly(414, 1000), "-m", trained, "-q"), TORCH)
    say(f"rnncli predict, 414 series of 1,000 rows / import torch: {ratio:.2f} (promised: at most 1.5)")
    assert ratio <= 1.5
