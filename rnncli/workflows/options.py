"""What was said of the columns of data, checked, and options that there are not."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rnncli.data.numbertext import thousands_mark
from rnncli.data.timestyle import check_style, has_clock
from rnncli.errors import UsageError
from rnncli.near import did_you_mean
from rnncli.options.data import ON_BAD_SERIES
from rnncli.options.given import fields_given
from rnncli.options.types import ColumnOptions, WrittenOptions
from rnncli.spec import ColumnChoices

if TYPE_CHECKING:
    from rnncli.data.writers.results import Style


def column_choices(options: ColumnOptions) -> ColumnChoices:
    """The options about columns, checked. UsageError for a value that none can have."""
    given = fields_given(ColumnChoices, options)
    for name in ("id", "target"):
        if isinstance(given.get(name), str):
            given[name] = (given[name],)
    if choices_time := given.get("time_format"):
        _check_formats(choices_time)
    choices = _marks(ColumnChoices(**given))
    if choices.on_bad_series not in ON_BAD_SERIES:
        raise UsageError(f"on_bad_series is {' or '.join(ON_BAD_SERIES)}, not {choices.on_bad_series!r}")
    return choices


def _check_formats(style: str) -> None:
    """UsageError where no moment can be read by a style, or by two with a comma between: of dates and times of day."""
    date, _, clock = style.rpartition(",")
    if date and has_clock(clock) and not has_clock(date):
        check_style(date)
    else:
        check_style(style)


def _marks(choices: ColumnChoices) -> ColumnChoices:
    """The choices with marks of numbers and fields as they are in files. UsageError if they cannot be."""
    if choices.decimal not in (None, ".", ","):
        raise UsageError(f"the decimal mark must be . or , and not {choices.decimal!r}")
    thousands = None if choices.thousands is None else thousands_mark(choices.thousands)
    if choices.thousands is not None and thousands is None:
        raise UsageError(f"numbers have no {choices.thousands!r} between thousands", hint="say , . ' _ or space")
    if thousands is not None and thousands == choices.decimal:
        raise UsageError(f"{thousands!r} cannot be the decimal mark and stand between thousands too")
    return dataclasses.replace(choices, thousands=thousands, separator=_separator(choices.separator))


def _separator(said: str | None) -> str | None:
    """The mark between fields. UsageError for what is none."""
    names = {"tab": "\t", "\\t": "\t", "semicolon": ";", "comma": ",", "pipe": "|", "space": " "}
    separator = names.get(said or "", said)
    if separator is not None and (len(separator) != 1 or separator in '\r\n"' or ord(separator) > 127):
        raise UsageError(f"fields cannot be separated by {separator!r}", hint="say one mark: , ; | or tab")
    return separator


def style_of(options: WrittenOptions) -> Style:
    """How a table is to be written. UsageError for marks that cannot be told apart, and shapes that exclude each
    other.
    """
    decimal, separator = options.get("out_decimal"), _separator(options.get("out_separator"))
    if decimal not in (None, ".", ","):
        raise UsageError(f"the decimal mark must be . or , and not {decimal!r}")
    if separator is not None and separator == (decimal or "."):
        raise UsageError(
            f"{separator!r} cannot stand between fields and in numbers too", hint="say --out-separator ';'"
        )
    tidy, wide = bool(options.get("tidy")), bool(options.get("out_wide"))
    if tidy and wide:
        raise UsageError("a table is --tidy or --out-wide, not both", hint="leave one of them out")
    from rnncli.data.writers.results import Style

    return Style(tidy, bool(options.get("csv_raw")), wide, separator, decimal, options.get("digits"))


def refuse_unknown(options: Mapping[str, Any], known: type[Any]) -> None:
    """UsageError naming an option that there is not, with a near match."""
    names = sorted(known.__annotations__)
    for name in options:
        if name not in names:
            raise UsageError(f"there is no option {name!r}", hint=did_you_mean(name, names))
