"""A near match is what a typing mistake away, and never merely the most similar name."""

from __future__ import annotations

import pytest

from rnncli.near import did_you_mean, near, near_file

FILES = ("fixed.csv", "sales.csv", "sales_2024.csv", "weather.parquet", "notes.txt", "jobs.csv.gz")
NAMES = ("horizon", "hidden", "unique_id", "learning-rate", "lstm", "rnn", "gru", "seasonal-naive", "train", "lag_1")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("slaes.csv", "sales.csv"),
        ("sale.csv", "sales.csv"),
        ("Sales.CSV", "sales.csv"),
        ("sales.cvs", "sales.csv"),
        ("sales", "sales.csv"),
        ("saless_2024.csv", "sales_2024.csv"),
        ("sales-2024.csv", "sales_2024.csv"),
        ("wether.parquet", "weather.parquet"),
        ("job.csv.gz", "jobs.csv.gz"),
        ("fxied.csv", "fixed.csv"),
    ],
)
def test_a_mistyped_file_is_found(typed: str, meant: str) -> None:
    assert near_file(typed, FILES) == meant


@pytest.mark.parametrize(
    "typed",
    ["nofile.csv", "sales_2023.csv", "sales.parquet", "a.csv", "data.csv", "notes.csv", "mixer.csv", "weather.csv", ""],
)
def test_another_file_is_not_pointed_at(typed: str) -> None:
    assert near_file(typed, FILES) is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("horizn", "horizon"),
        ("hiden", "hidden"),
        ("uniqe_id", "unique_id"),
        ("Unique-ID", "unique_id"),
        ("lerning-rate", "learning-rate"),
        ("lstn", "lstm"),
        ("rn", "rnn"),
        ("trian", "train"),
        ("seasonal_naive", "seasonal-naive"),
    ],
)
def test_a_mistyped_name_is_found(typed: str, meant: str) -> None:
    assert near(typed, NAMES) == meant


@pytest.mark.parametrize(
    "typed", ["window", "id", "lr", "gnu3", "q", "", "time", "drift", "lag_2", "hide", "naive", "season"]
)
def test_another_name_is_not_pointed_at(typed: str) -> None:
    assert near(typed, NAMES) is None


def test_of_two_that_are_as_near_the_one_that_begins_alike_is_meant() -> None:
    assert near("dee", ["ee", "de"]) == "de"


def test_what_is_not_near_is_answered_with_what_there_is() -> None:
    assert did_you_mean("nothing", ["a", "b"]) == "choose from: a, b"
    assert did_you_mean("lstn", NAMES) == "did you mean lstm?"
