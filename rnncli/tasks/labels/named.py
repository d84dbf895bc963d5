"""The names of the columns of a table of labels."""

from __future__ import annotations

from collections.abc import Sequence

from rnncli.errors import InputRefused
from rnncli.spec import Columns
from rnncli.tasks.labels.spec import LabelSpec

LABEL, STEP = "label", "step"


def id_names(columns: Columns, sequences: int) -> tuple[str, ...]:
    """The columns that tell sequences apart; none where there is but one that has no id."""
    return columns.ids or ((columns.id_name,) if sequences > 1 or columns.by_file else ())


def table_names(columns: Columns, spec: LabelSpec, classes: Sequence[str], sequences: int) -> tuple[str, ...]:
    """Ids and, of steps, their time or number; the label, and a number for each class or level.

    InputRefused if two are called the same.
    """
    times = (columns.times or (STEP,)) if spec.per_step else ()
    numbers = [f"p_{name}" for name in classes] or [f"q{level!r}" for level in spec.levels]
    names = (*id_names(columns, sequences), *times, LABEL, *numbers)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputRefused(
            f"a table of labels would have two columns called {twice!r}", hint=f"rename {twice!r} in the data"
        )
    return names
