"""What a caller said, by name: left out or None means that the data, or the model, decide."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


def said(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that say something."""
    return {name: value for name, value in options.items() if value is not None}


def only(kind: type[Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Those options that are fields of a dataclass, lists as tuples."""
    names = {field.name for field in dataclasses.fields(kind)}
    return {name: _frozen(value) for name, value in said(options).items() if name in names}


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, tuple, set)) else value
