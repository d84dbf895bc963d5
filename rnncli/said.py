"""What a caller said, by name: left out or None means that the data, or the model, decide."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from rnncli.errors import UsageError


def said(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that say something."""
    return {name: value for name, value in options.items() if value is not None}


def only(kind: type[Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Those options that are fields of a dataclass, lists as tuples."""
    names = {field.name for field in dataclasses.fields(kind)}
    return {name: _frozen(value) for name, value in said(options).items() if name in names}


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, tuple, set)) else value


def positive(options: Mapping[str, Any], *names: str) -> None:
    """UsageError where one of these is given and not above 0."""
    for name in names:
        value = options.get(name)
        if value is not None and not value > 0:
            raise UsageError(f"{name.replace('_', '-')} must be above 0, not {value}")


def not_negative(options: Mapping[str, Any], *names: str) -> None:
    """UsageError where one of these is given and below 0."""
    for name in names:
        value = options.get(name)
        if value is not None and not value >= 0:
            raise UsageError(f"{name.replace('_', '-')} must be 0 or above, not {value}")
