"""Numbers and tables as plain text."""

from __future__ import annotations

import math

import pytest

from rnncli.cli.table import facts, fitting, number, table


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.78041, "0.7804"),
        (1.5, "1.500"),
        (9.99996, "10.00"),
        (-0.01143, "-0.01143"),
        (123456.7, "123457"),
        (1.2e-9, "1.200e-09"),
        (math.nan, "-"),
        (None, "-"),
        (math.inf, "inf"),
    ],
)
def test_a_number_has_four_significant_digits(value: float | None, text: str) -> None:
    assert number(value) == text


def test_columns_are_aligned() -> None:
    assert table(["name", "x"], [["a", "1"], ["long name", "22"]]) == [
        "name        x",
        "a           1",
        "long name  22",
    ]


def test_columns_of_wide_letters_are_aligned() -> None:
    assert table(["店", "x"], [["東京", "1"], ["name", "22"], ["e\u0301te\u0301", "3"], ["👍", "4"]]) == [
        "店     x",
        "東京   1",
        "name  22",
        "e\u0301te\u0301    3",
        "👍     4",
    ]
    assert facts([("店", "a"), ("name", "b")]) == ["店    a", "name  b"]


def test_long_facts_are_wrapped_under_themselves() -> None:
    lines = facts([("label", "word " * 40)])
    assert len(lines) == 3
    assert all(line.startswith(" " * 7) for line in lines[1:])
    assert max(map(len, lines)) <= 100


def test_only_the_columns_that_fit_are_counted() -> None:
    assert fitting(["a" * 40, "b" * 40, "c" * 40], []) == 2
