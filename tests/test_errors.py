"""What an error shows of itself."""

from __future__ import annotations

import traceback

import pytest

import rnncli
from rnncli.errors import InputRefused, RnncliError, without_secrets


def shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:secret@host/db: no", "postgresql://me:***@host/db: no"),
        ("postgresql://me:se@c/ret@host/db", "postgresql://me:***@host/db"),
        ("'s3://key:secret@bucket/a'", "'s3://key:***@bucket/a'"),
        ("https://host/a?sig=secret&b=1", "https://host/a?sig=***&b=1"),
        ("https://host/a?b=1&X-Amz-Signature=secret", "https://host/a?b=1&X-Amz-Signature=***"),
        ("postgresql://host/db?user=me&password=secret", "postgresql://host/db?user=me&password=***"),
        ("postgresql://me@host:5432/db", "postgresql://me@host:5432/db"),
        ("mail me: me@host", "mail me: me@host"),
    ],
)
def test_no_error_holds_a_secret_of_a_url(text: str, shown: str) -> None:
    error = InputRefused(text, where=text, hint=text)
    assert (error.message, error.where, error.hint, str(error)) == (shown, shown, shown, f"{shown}: {shown}")
    assert without_secrets(text) == shown
    assert error.args == (shown,)


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
