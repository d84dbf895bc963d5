"""Scores of a part of the data, whole series of it, reduced to what the scores of all series are made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NoReturn, Unpack

import pyarrow as pa

from rnncli.errors import RnncliError, SeriesRefused
from rnncli.evaluation.backtest import NoWindow
from rnncli.evaluation.reduced import Part, nothing, reduced
from rnncli.events import unheard
from rnncli.options.types import ColumnOptions
from rnncli.tasks.task import Backtest
from rnncli.workflows.part import Dealt, choices_of, data_of, key_columns, refuse_unfit, tried


def evaluated(
    rows: pa.Table, dealt: Dealt, wanted: Backtest, *, losses: bool = False, **options: Unpack[ColumnOptions]
) -> list[Part]:
    """The scores of every series in these rows, of which each must be there with all its rows, by the model as it is.

    Each part also has the `skipped` series and why, and the first step `beyond` what was trained.
    """
    found = dealt.model
    refuse_unfit(found)
    choices, wanted = choices_of(options), replace(wanted, refit=False)

    def made(some: pa.Table) -> Part:
        try:
            scored = found.task.evaluated(data_of(some, dealt), found, choices, wanted, unheard, _never)
        except NoWindow as error:
            return nothing(error.series) | {"skipped": [], "beyond": None}
        skipped = [[error.series, str(error)] for error in scored.skipped]
        part = reduced(scored.report, losses=losses)
        return part | {"skipped": skipped, "beyond": scored.beyond_trained_from}

    if choices.on_bad_series != "skip":
        return [made(rows)]
    return list(tried(rows, key_columns(found, choices), made, _left))


def _left(error: SeriesRefused) -> Part:
    return nothing(0) | {"skipped": [[error.series, str(error)]], "beyond": None}


def _never(*_: Any) -> NoReturn:
    raise RnncliError("a part of the data was to be trained on")
