"""Whatever is given in Python is taken, or refused by one of our errors that says what to give."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnncli
from rnncli.workflows.arguments import _taken_by, fitting

WRONG: list[Any] = [5, -1, 2.5, float("nan"), "x", "", "a\0b", b"x", [1.5], ["x"], {"a": 1}, object(), True]
WRONG += [dt.datetime(2024, 1, 1, tzinfo=dt.UTC), np.array([1, 2]), pd.Series([1, 2]), print]


@pytest.fixture(scope="module")
def co2(sample_data: Path) -> Path:
    return sample_data / "co2_weekly.csv"


@pytest.fixture
def few(co2: Path, tmp_path: Path) -> Path:
    """The last four years of it: what is taken after all is quick."""
    header, *rows = co2.read_text().splitlines(keepends=True)
    (tmp_path / "few.csv").write_text("".join([header, *rows[-208:]]))
    return tmp_path / "few.csv"


@pytest.mark.parametrize(
    ("function", "options"),
    [(rnncli.predict, {}), (rnncli.check, {}), (rnncli.evaluate, {"refit": False})],
    ids=["predict", "check", "evaluate"],
)
def test_no_wrong_value_of_any_option_is_a_raw_error(
    few: Path, small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: Any, options: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    model = rnncli.info(small_model)
    hints, _ = _taken_by(function.__wrapped__)
    for name in hints:
        for value in WRONG:
            given = {"data": few, "model": model} | options | {name: value}
            if name == "lock_wait" and isinstance(value, (int, float)):
                continue  # a time to wait
            try:
                function(given.pop("data"), given.pop("model"), **given)
            except rnncli.RnncliError as error:
                assert error.message, (name, value)  # noqa: PT017 whichever is raised


def refused(function: Callable[..., Any], *arguments: Any, **options: Any) -> rnncli.UsageError:
    with pytest.raises(rnncli.UsageError) as caught:
        function(*arguments, **options)
    return caught.value


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("horizon", "12", "horizon must be a whole number or None, not '12' (a str)"),
        ("horizon", True, "horizon must be a whole number or None, not True (a bool)"),
        ("hidden", 8.5, "hidden must be a whole number or None, not 8.5 (a float)"),
        ("dropout", "much", "dropout must be a number or None, not 'much' (a str)"),
        ("seed", -1, "seed must be 0 or above, not -1"),
        ("cell", 5, "cell must be a text or None, not 5 (an int)"),
        ("quantiles", ["0.1"], "quantiles must be a list of numbers or None, not a list"),
        ("output", 5, "output must be a text or a path or None, not 5 (an int)"),
        ("on_event", 5, "on_event must be a function or None, not 5 (an int)"),
        ("output", "a\0b", "output holds a NUL character: 'a\\x00b'"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(co2: Path, option: str, value: Any, says: str) -> None:
    assert refused(rnncli.train, co2, **{option: value}).message == says


def test_a_choice_is_answered_with_a_near_one(co2: Path, small_model: Path) -> None:
    error = refused(rnncli.predict, co2, small_model, point="medain")
    assert (error.message, error.hint) == (
        "point must be 'median' or 'mean', not 'medain' (a str)",
        "did you mean 'median'?",
    )


def test_an_unknown_option_is_answered_with_a_near_one(co2: Path) -> None:
    assert refused(rnncli.train, co2, horizn=3).hint == "did you mean horizon?"


def test_a_hint_says_where_all_is_described(co2: Path) -> None:
    assert refused(rnncli.train, co2, horizon="x").hint == "help(rnncli.train) says what each takes"


def test_numbers_of_numpy_are_pythons() -> None:
    for value, hint, kind in [(np.int64(3), int, int), (np.float32(0.5), float, float), (np.bool_(1), bool, bool)]:
        assert type(fitting("x", value, hint)) is kind


def test_a_model_of_numpys_numbers_is_that_of_pythons(co2: Path, tmp_path: Path) -> None:
    for name, kind in (("a", int), ("b", np.int64)):
        rnncli.train(co2, output=tmp_path / name, horizon=kind(4), hidden=kind(4), steps=kind(2), layers=1, threads=1)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_one_name_counts_as_a_list_of_it_and_a_set_has_an_order() -> None:
    from collections.abc import Iterable

    assert fitting("past", "temperature", Iterable[str]) == ("temperature",)
    assert fitting("past", {"b", "a", "c"}, Iterable[str]) == ("a", "b", "c")
    assert fitting("season", 24, int | Iterable[int]) == 24
    assert fitting("season", [24, 168], int | Iterable[int]) == (24, 168)
