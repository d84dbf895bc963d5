"""An option that means nothing for what is labelled is refused, and never passed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import rnncli
from rnncli.errors import UsageError
from tests.conftest import Run

SMALL: dict[str, Any] = {"steps": 3, "hidden": 4, "members": 1}


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sequences with a number each."""
    path = tmp_path_factory.mktemp("numbers") / "numbers.csv"
    rows = [f"s{one},{step},{one + step / 4},{one * 1.5 + 0.25}" for one in range(12) for step in range(4)]
    path.write_text("\n".join(["id,step,x,label", *rows, ""]))
    return path


@pytest.mark.parametrize(
    "flags",
    [
        ("--max-age", "1d"),
        ("--now", "2030-01-01"),
        ("--fail-on-drift",),
        ("--point", "mean"),
        ("--quantiles", "0.1,0.9"),
    ],
)
def test_a_gate_or_a_choice_of_forecasts_is_not_passed_over_by_a_model_of_labels(
    run_rnncli: Run, others: Path, label_model: Path, flags: tuple[str, ...]
) -> None:
    done = run_rnncli("predict", others, "-m", label_model, *flags)
    assert (done.returncode, done.stdout, f"{flags[0]} " in done.stderr) == (2, "", True)
    assert "hint: " in done.stderr


def test_options_of_classes_are_not_for_numbers_and_the_other_way_round(
    labelled_table: Path, numbers: Path, tmp_path: Path
) -> None:
    path = tmp_path / "m.safetensors"
    with pytest.raises(UsageError, match="quantiles is for labels that are numbers"):
        rnncli.train(str(labelled_table), label="label", quantiles=(0.1, 0.5), output=path, **SMALL)
    with pytest.raises(UsageError, match="class-weights is for labels that are classes"):
        rnncli.train(str(numbers), label="label", class_weights="balanced", output=path, **SMALL)


def test_the_median_is_always_a_quantile_and_a_label_far_away_is_no_warning(
    run_rnncli: Run, numbers: Path, tmp_path: Path
) -> None:
    path, far = tmp_path / "m.safetensors", tmp_path / "far.csv"
    trained = rnncli.train(str(numbers), label="label", quantiles=(0.9, 0.1), output=path, **SMALL)
    assert trained.model.spec.levels == (0.1, 0.5, 0.9)
    far.write_text("id,step,x,label\nnew,0,1.5,1e100\nnew,1,2.5,1e100\n")
    done = run_rnncli("evaluate", far, "-m", path, "--json")
    assert (done.returncode, "Warning" in done.stderr) == (0, False)
