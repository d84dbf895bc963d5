"""What is wrong with a part of the data, whole series of it, and what that is of all series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import pyarrow as pa

from rnncli.data.checks.joined import Part, joined, part_of
from rnncli.options.types import ColumnOptions
from rnncli.registry import TASKS, find
from rnncli.tasks.task import LookedAt
from rnncli.workflows.check import SEVERITIES, Checked
from rnncli.workflows.part import Dealt, choices_of, data_of


def looked_at(
    rows: pa.Table,
    dealt: Dealt | None,
    *,
    horizon: int | None = None,
    cells: bool = False,
    **options: Unpack[ColumnOptions],
) -> LookedAt:
    """What was found in these rows, beside a model if one was dealt out; `cells` are texts as they stand in CSV."""
    found = None if dealt is None else dealt.model
    task = find(TASKS, "forecast", "task") if found is None else found.task
    data = data_of(rows, dealt or Dealt(b"", of_cells=cells))
    looked: LookedAt = task.looked_at(data, choices_of(options), {"horizon": horizon}, found)
    return looked


def checked(
    rows: pa.Table,
    dealt: Dealt | None,
    *,
    horizon: int | None = None,
    cells: bool = False,
    **options: Unpack[ColumnOptions],
) -> Part:
    """The findings in every series in these rows, of which each must be there with all its rows."""
    looked = looked_at(rows, dealt, horizon=horizon, cells=cells, **options)
    return part_of(looked.findings, looked.seen)


def together(parts: Sequence[Part]) -> Checked:
    """What was found in all parts, errors first."""
    findings: list[Any] = sorted(joined(parts), key=lambda finding: SEVERITIES.index(finding.severity))
    return Checked(tuple(findings), sum(part["rows"] for part in parts), sum(part["series"] for part in parts))
