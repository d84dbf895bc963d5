"""The options that a caller gave, as the fields of a dataclass; None means that the data, or the model, decide."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


def fields_given(kind: type[Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are fields of a dataclass and not None, by name; lists and sets as tuples."""
    names = {field.name for field in dataclasses.fields(kind)}
    return {name: _frozen(value) for name, value in options.items() if name in names and value is not None}


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, tuple, set)) else value
