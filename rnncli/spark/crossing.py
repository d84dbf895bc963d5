"""Errors that cross from a worker of Spark to the driver, in a line of a traceback."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

from rnncli.errors import InputRefused, RnncliError, StorageFailed
from rnncli.workflows.part import error_from, told_of

_MARK = "rnncli-error: "
_LINE = re.compile(re.escape(_MARK) + r"(\{.*\})")
_MISSING = ("PATH_NOT_FOUND", "does not exist")


@contextmanager
def telling() -> Iterator[None]:
    """Errors of ours get a note that `of` finds in what Spark makes of them."""
    try:
        yield
    except RnncliError as error:
        error.add_note(_MARK + json.dumps(told_of(error)))
        raise


@contextmanager
def told() -> Iterator[None]:
    """What a worker of ours raised is raised here; what Spark itself finds wrong is StorageFailed."""
    try:
        yield
    except RnncliError:
        raise
    except Exception as error:
        raise of(error) from error


def of(error: Exception) -> RnncliError:
    """The error of ours that a worker raised, or what Spark says for itself in a line."""
    text = str(error)
    found = _LINE.search(text)
    if found is not None:
        return error_from(json.loads(found[1]))
    says = next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
    if any(sign in text for sign in _MISSING):
        return InputRefused(says, hint="check the path")
    return StorageFailed(f"Spark says: {says}", hint="-v shows what it says itself")
