"""What origin-forked training saves, and what training needs in memory."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pyarrow import parquet

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

RNNCLI = (sys.executable, "-m", "rnncli")
SHORT = ("--horizon", 48, "--steps", 3)


def targets_per_second(path: Path, batch: int) -> float:
    """Supervised targets per CPU second of training steps."""
    from rnncli.data.load import load_panel
    from rnncli.tasks.forecast.reading import with_seasons
    from rnncli.tasks.forecast.validation import hold_out
    from rnncli.training import session
    from rnncli.training.progress import Progress
    from rnncli.workflows.train import make_plan

    loaded = with_seasons(load_panel(path))
    plan = make_plan(loaded, {"horizon": 48, "batch": batch})
    whole = session._Session(loaded.panel, plan, "cpu", hold_out(loaded.panel, plan.spec), Progress(), None, 1)
    objective = session._objective(whole, None, 0)
    weights = {name: tensor.requires_grad_() for name, tensor in session.initial_weights(plan, 0).items()}
    targets, started = 0, 0.0
    for step in range(7):
        if step == 2:  # the first steps allocate
            targets, started = 0, time.process_time()
        objective.loss(weights, step + 1).backward()
        targets += objective._losses.size * plan.spec.horizon
    return targets / (time.process_time() - started)


def test_forked_training_beside_sliding_windows(
    hourly: Callable[[int, int], Path], say: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    torch.set_num_threads(1)
    path = hourly(414, 1000)
    rates = {}
    for origins, batch in ((64, 32), (1, 256)):
        monkeypatch.setattr("rnncli.tasks.forecast.examples.forks", lambda _, count=origins: count)  # of a crop
        rates[origins] = targets_per_second(path, batch)
    ratio = rates[64] / rates[1]
    say(f"targets per CPU second, 64 origins a crop / one origin a window: {ratio:.0f}")
    assert ratio > 3


@pytest.mark.parametrize(("series", "rows"), [(414, 1000), (41_400, 100)])
def test_peak_memory_of_training_beside_the_size_of_the_table(
    series: int,
    rows: int,
    hourly: Callable[[int, int], Path],
    peak_bytes: Callable[..., int],
    tmp_path: Path,
    say: Callable[[str], None],
) -> None:
    def peak(path: Path) -> int:
        settings = ("--layers", 2, "--hidden", 64, "--batch", 32, "--season", "24", "--context", 96)
        return peak_bytes((*RNNCLI, "train", path, *SHORT, *settings, "-o", tmp_path / "m.safetensors", "-q"))

    path = hourly(series, rows)
    table = parquet.read_table(path).nbytes
    beyond = peak(path) - peak(hourly(8, rows))
    size = f"{beyond / table:.1f} times the table's {table / 1e6:.0f} MB"
    say(f"training on {series:,} series: {size} beyond the peak with a small table")
    assert beyond <= 3 * table + 64e6
