"""The arguments of a call in Python, held against what the function takes: one clear error, never a raw one."""

from __future__ import annotations

import inspect
import os
import re
import textwrap
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import cache, wraps
from numbers import Integral, Real
from typing import Any, Literal, ParamSpec, TypeVar, Union

from rnncli.errors import UsageError
from rnncli.near import near
from rnncli.options import table
from rnncli.options.option import HEADINGS, Option
from rnncli.outline import article
from rnncli.workflows.options import refuse_unknown

P = ParamSpec("P")
R = TypeVar("R")
_LITERAL = re.compile(r"Literal\[(.*?)\]")
_FLAG = re.compile(r"--([a-z][a-z-]*)")
_TYPES = {
    "Path_ | None": "str | os.PathLike[str] | None",
    "Listener | None": "Callable[[object], None] | None",
    "Model": "str | os.PathLike[str] | Training | Forecaster",
    "Model | None": "str | os.PathLike[str] | Training | Forecaster | None",
}
SHOWN = 40  # letters of a value in a message
_CALLED: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    str: "a text",
    os.PathLike: "a path",
    Callable: "a function",
    types.NoneType: "None",
}
_LISTED = {int: "a list of whole numbers", float: "a list of numbers", str: "a list of texts"}
_NUMBERS = (int, float, bool)


class _Unfit(Exception):
    """A value is not of a kind."""


def public(function: Callable[P, R]) -> Callable[P, R]:
    """The function with every argument checked, as its annotations and those of its options say.

    Numbers of NumPy become Python's, and a single name where several can be given counts as one of them. UsageError,
    which names the argument and what it takes, also where a number is beyond the bound of its option.
    """

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        hints, options = _taken_by(function)
        if options is not None:
            refuse_unknown(dict.fromkeys(name for name in kwargs if name not in hints), options)
        told = f"help(rnncli.{function.__name__}) says what each takes"
        given = [fitting(name, value, hints[name], told) for name, value in zip(hints, args, strict=False)]
        named = {name: fitting(name, value, hints.get(name, Any), told) for name, value in kwargs.items()}
        table.check(dict(zip(hints, given, strict=False)) | named)
        return function(*given, *args[len(given) :], **named)  # type: ignore[arg-type]

    checked.__doc__ = described(function)
    return checked


def described(function: Callable[..., Any]) -> str:
    """The function's docstring with every argument and option: its type, what it means, and its default."""
    return "\n".join([inspect.getdoc(function) or "", *_listed(function)])


def _listed(function: Callable[..., Any]) -> Iterator[str]:
    names = _written_types(function)
    needed = {p.name for p in inspect.signature(function).parameters.values() if p.default is p.empty}
    meant = {name: table.meant_by(name, function.__name__) for name in names}
    for heading in HEADINGS:
        here = [name for name in names if meant[name].heading == heading]
        if here:
            yield from ("", f"{heading}:")
        for name in here:
            yield from _one(name, names[name], meant[name], needed=name in needed)


def _one(name: str, kind: str, told: Option, *, needed: bool) -> list[str]:
    """What is said of an option, without the dashes of the command line, and its default."""
    if needed:
        told = replace(told, default="", follows="required")
    elif not told.usual:
        told = replace(told, default="False" if kind == "bool" else "None")
    says = _FLAG.sub(lambda flag: f"`{flag[1].replace('-', '_')}`", str(told))
    return textwrap.wrap(f"{name} ({kind}): {says}", 100, initial_indent="    ", subsequent_indent="        ")


def _written_types(function: Callable[..., Any]) -> dict[str, str]:
    """The type of each argument and option, as it is written."""
    own = inspect.signature(function).parameters.values()
    found = {p.name: str(p.annotation) for p in own if p.kind is not p.VAR_KEYWORD}
    options = next((_options_of(function, p) for p in own if p.kind is p.VAR_KEYWORD), None)
    more = {} if options is None else options.__annotations__
    found |= {name: getattr(kind, "__forward_arg__", str(kind)) for name, kind in more.items()}
    return {name: _TYPES.get(kind) or _LITERAL.sub(_alternatives, kind) for name, kind in found.items()}


def _alternatives(literal: re.Match[str]) -> str:
    return literal[1].replace(", ", " | ")


def _options_of(function: Callable[..., Any], catching: inspect.Parameter) -> type[Any]:
    """The TypedDict that `**options` are."""
    named = re.sub(r"^Unpack\[(.*)\]$", r"\1", str(catching.annotation))
    options: type[Any] = function.__globals__[named]
    return options


@cache
def _taken_by(function: Callable[..., Any]) -> tuple[Mapping[str, Any], type[Any] | None]:
    """The type of each argument and option, in order, and the TypedDict of the options, if there are any."""
    hints = typing.get_type_hints(function)
    hints.pop("return", None)
    catching = [p.name for p in inspect.signature(function).parameters.values() if p.kind is p.VAR_KEYWORD]
    if not catching:
        return hints, None
    options = typing.get_args(hints.pop(catching[0]))[0]
    return hints | {name: hint | None for name, hint in typing.get_type_hints(options).items()}, options


def fitting(name: str, value: Any, hint: Any, told: str = "") -> Any:
    """The value as the type takes it. UsageError that names the argument; its hint is a near match, or `told`."""
    if hint is not Any and isinstance(value, (str, os.PathLike)) and "\0" in os.fsdecode(value):
        raise UsageError(f"{name} holds a NUL character: {value!r:.{SHOWN}}", hint="leave it out")
    kinds = _kinds(hint)
    for kind in kinds:
        try:
            return _fitted(value, kind)
        except _Unfit:
            continue
    raise UsageError(f"{name} must be {_described(kinds)}, not {_shown(value)}", hint=_meant(value, kinds) or told)


def _kinds(hint: Any) -> list[Any]:
    """What a type can be, one after the other."""
    several = typing.get_origin(hint) in (types.UnionType, Union)
    return list(typing.get_args(hint)) if several else [hint]


def _fitted(value: Any, kind: Any) -> Any:
    """The value as one of this kind. _Unfit if it is none."""
    origin = typing.get_origin(kind) or kind
    if origin is Iterable:
        return _several(value, typing.get_args(kind)[0])
    if origin is Literal:
        return _chosen(value, typing.get_args(kind))
    if kind in _NUMBERS:
        return _number(value, kind)
    if kind is Any or getattr(origin, "_is_protocol", False):
        return value  # what it must be is looked at elsewhere
    if not isinstance(value, origin):  # of what can be called too
        raise _Unfit
    return value


def _number(value: Any, kind: type[Any]) -> Any:
    """A Python number or truth of one that may be NumPy's; a truth is no number."""
    truth = isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")
    fits = truth if kind is bool else isinstance(value, Integral if kind is int else Real) and not truth
    if not fits:
        raise _Unfit
    return kind(value)


def _several(value: Any, kind: Any) -> tuple[Any, ...]:
    """The items of what can be gone through, in a fixed order; a single one counts as such."""
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        return (_fitted(value, kind),)
    items = tuple(_fitted(item, kind) for item in value)
    return tuple(sorted(items)) if isinstance(value, AbstractSet) else items


def _chosen(value: Any, choices: tuple[Any, ...]) -> Any:
    if not any(value is choice or (isinstance(value, str) and value == choice) for choice in choices):
        raise _Unfit
    return value


def _described(kinds: Iterable[Any]) -> str:
    """What is taken, in words."""
    found = [text for kind in kinds for text in _words(kind)]
    return " or ".join(dict.fromkeys(found))


def _words(kind: Any) -> list[str]:
    origin = typing.get_origin(kind) or kind
    if origin is Iterable:
        return [_LISTED.get(typing.get_args(kind)[0], "a list")]
    if origin is Literal:
        return [repr(choice) for choice in typing.get_args(kind)]
    return [_CALLED.get(origin, getattr(origin, "__name__", str(origin)))]


def _shown(value: Any) -> str:
    """The value in short, with its type where that says more."""
    if value is None:
        return "None"
    text = repr(value) if isinstance(value, (str, bytes, int, float)) else ""
    kind = article(type(value).__name__)
    return f"{text[:SHOWN]} ({kind})" if text else kind


def _meant(value: Any, kinds: Iterable[Any]) -> str:
    """A near match among the choices."""
    choices = [choice for kind in kinds if typing.get_origin(kind) is Literal for choice in typing.get_args(kind)]
    close = near(value, choices) if isinstance(value, str) else None
    return f"did you mean {close!r}?" if close else ""
