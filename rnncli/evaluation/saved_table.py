"""A table of forecasts that was saved, read again, tidy or not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.columns import time_column
from rnncli.data.ids import joined, parts_of
from rnncli.data.instants import in_utc
from rnncli.data.load import Loaded
from rnncli.data.objects import Data
from rnncli.data.rows import Rows, read_rows
from rnncli.data.source import sources
from rnncli.data.tables import open_tables
from rnncli.data.writers.csv import undefused
from rnncli.data.writers.table import TIDY, joined_style
from rnncli.errors import InputRefused
from rnncli.evaluation.kept import KEPT, STEP
from rnncli.spec import ColumnChoices, Columns


@dataclass(frozen=True)
class Saved:
    """A forecast table that was saved, one row a forecast: times as the panel's calendar takes them; `steps` say how
    far behind its origin each is, from 1 (None: nothing does).
    """

    ids: list[str]
    times: Ints
    levels: tuple[float, ...]
    quantiles: Floats
    point: Floats
    steps: Ints | None = None


def load_saved(path: Data, loaded: Loaded) -> Saved:
    """Read a table that `predict` wrote for data of these columns, tidy or not, or that of a backtest. InputRefused if
    it is none.
    """
    found = sources(path)
    kinds = open_tables(found, ColumnChoices()).kinds()
    columns, panel = loaded.columns, loaded.panel
    told_by = columns.series_columns
    columns = replace(
        columns, targets=(), marks=(), decimal=None, thousands=None, separator=None, encoding=None, format=None
    )
    tidy = set(TIDY) <= set(kinds)
    if tidy:
        shape = replace(columns, time="time", id="id" if kinds["id"] != "empty" else None, more_ids=(), target="value")
        shape = replace(shape, clock=None, clock_format=None, time_format=joined_style(columns))
        channels = ["quantile"]
    else:
        several = len(told_by) > 1 or loaded.columns.ids or loaded.columns.targets
        named = told_by if several or told_by[0] in kinds else (None,)
        shape = replace(columns, id=named[0], more_ids=told_by[1:], target="forecast")
        channels = [name for name in kinds if level_of(name) is not None]
        channels += [STEP] if _has_origins(kinds, (*shape.ids, *shape.times)) else []
    shape = replace(shape, past=tuple(channels), future=(), static=(), wide=False, by_file=False)
    rows = read_rows(found, ColumnChoices(), shape, (), zone=panel.calendar.zone)
    rows = in_utc(rows, panel.calendar.zone, ColumnChoices())
    ids = _undefused(rows.ids, panel.ids, len(shape.ids))
    names = [ids[code] for code in rows.codes.tolist()] if shape.id else [panel.ids[0]] * len(rows.codes)
    return _untidied(names, rows) if tidy else _of_levels(names, rows, channels)


@dataclass(frozen=True)
class Alone:
    """A forecast table that was read without the data it is of, and what its columns of time and id are."""

    saved: Saved
    columns: Columns
    zone: str | None


def load_alone(path: Data, choices: ColumnChoices) -> Alone:
    """Read a table that `predict` wrote, tidy or not, by its columns alone. InputRefused if it is none."""
    found = sources(path)
    tables = open_tables(found, ColumnChoices())
    kinds, looks = tables.kinds(), tables.looks()
    tidy = set(TIDY) <= set(kinds)
    if not tidy and "forecast" not in kinds:
        raise InputRefused(
            "this is no table of forecasts",
            where=tables.name,
            hint="it has the columns that predict writes: forecast, q0.1, ..., or id, time, quantile, value",
        )
    target, channels = ("value", ["quantile"]) if tidy else ("forecast", [n for n in kinds if level_of(n) is not None])
    apart = KEPT if _has_origins(kinds, (choices.time or "", *choices.id)) else ()
    own = {name: kind for name, kind in kinds.items() if name not in (target, *channels, *apart)}
    time = choices.time or time_column(own, looks, choices, tables.name)
    clocks = [name for name in own if looks.get(name) == "clock" and name != time]
    time = ",".join([time, *clocks[:1]]) if choices.time is None else time
    ids = choices.id or tuple(name for name, kind in own.items() if name not in time.split(",") and kind != "empty")
    named = replace(choices, time=time, id=ids, target=(target,), past=tuple(channels))
    rows = read_rows(found, named, None, None)
    names = [rows.ids[code] for code in rows.codes.tolist()] if ids else ["the series"] * len(rows.codes)
    bare = {name: _bare(name, len(ids)) for name in rows.ids}
    if len(set(bare.values())) == len(bare):
        names = [bare.get(name, name) for name in names]
    return Alone(_untidied(names, rows) if tidy else _of_levels(names, rows, channels), rows.columns, rows.zone)


def _has_origins(names: Collection[str], own: Collection[str]) -> bool:
    """Whether a table with columns of these names, of which some are the data's `own`, is that of a backtest."""
    return set(KEPT) <= set(names) and set(KEPT).isdisjoint(own)


def _of_levels(names: list[str], rows: Rows, channels: list[str]) -> Saved:
    """Rows of all levels, these in order."""
    levels = sorted(filter(level_of, channels), key=lambda name: level_of(name) or 0.0)
    quantiles = rows.values[:, [rows.channel_names.index(name) for name in levels]]
    steps = _steps(rows) if STEP in channels else None
    return Saved(names, rows.times, tuple(float(name[1:]) for name in levels), quantiles, rows.values[:, 0], steps)


def _steps(rows: Rows) -> Ints:
    """How far behind its origin each row is. InputRefused where that is no whole number from 1 on."""
    said = rows.of(STEP)
    wrong = np.flatnonzero(~((said >= 1) & (said % 1 == 0)))
    if len(wrong):
        raise InputRefused(
            f"column {STEP!r} is not a whole number from 1 on", where=rows.where(int(wrong[0])), hint="write it again"
        )
    return said.astype(np.int64)


def _untidied(names: list[str], rows: Rows) -> Saved:
    """Rows of one level each -> rows of all levels; the median is the point forecast."""
    levels, which = np.unique(rows.values[:, 1], return_inverse=True)
    keys = np.stack([rows.codes, rows.times], axis=1)
    _, first, place = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    quantiles = np.full((len(first), len(levels)), np.nan)
    quantiles[place.reshape(-1), which] = rows.values[:, 0]
    middle = quantiles[:, int(np.argmin(np.abs(levels - 0.5)))]
    return Saved([names[row] for row in first.tolist()], rows.times[first], tuple(levels.tolist()), quantiles, middle)


def level_of(name: str) -> float | None:
    """The level of a column such as q0.1; None of any other."""
    try:
        level = float(name[1:]) if name.startswith("q") else 0.0
    except ValueError:
        return None
    return level if 0 < level < 1 else None


def _bare(text: str, parts: int) -> str:
    """An id of so many columns without what was put in front of any of them."""
    return undefused(text) if parts < 2 else joined([undefused(part) for part in parts_of(text, parts)])


def _undefused(texts: list[str], ids: tuple[str, ...], parts: int) -> list[str]:
    """Ids as they were before a ' was put in front, so that no spreadsheet would run them; unless they had it."""
    known = set(ids)
    bare = [_bare(text, parts) for text in texts]
    apart = len(set(bare)) == len(texts)
    return bare if (apart and known.issuperset(bare)) or not known.issuperset(texts) else texts
