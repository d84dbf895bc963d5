"""What an error shows of itself."""

from __future__ import annotations

import traceback

import pytest

import rnncli
from rnncli.errors import InputRefused, RnncliError


def shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def test_a_traceback_ends_in_the_hint() -> None:
    with pytest.raises(RnncliError) as caught:
        rnncli.train("sales.csv", horizn=3)  # type: ignore[call-arg]
    assert shown(caught.value).rstrip().endswith("hint: did you mean horizon?")


def test_a_hint_that_became_better_is_the_only_one() -> None:
    error = InputRefused("wrong", hint="one thing")
    error.add_note("a note")
    error.hint = "another thing"
    assert shown(error).count("hint: ") == 1
    assert "another thing" in shown(error)
    assert "a note" in shown(error)


def test_an_error_without_a_hint_shows_none() -> None:
    assert "hint" not in shown(InputRefused("wrong", where="a.csv:3"))
