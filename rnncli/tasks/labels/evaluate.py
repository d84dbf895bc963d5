"""Scores of a model on sequences whose labels are known, beside those of baselines."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Bools, Ints
from rnncli.data.load import Loaded
from rnncli.data.objects import Data
from rnncli.data.panel import Panel
from rnncli.errors import InputRefused
from rnncli.evaluation.labels.report import LEARN
from rnncli.evaluation.labels.run import Asked, evaluate_classes, evaluate_numbers
from rnncli.evaluation.labels.scores import Groups
from rnncli.events import Listener
from rnncli.spec import ColumnChoices
from rnncli.tasks.labels.decide import labelled
from rnncli.tasks.labels.labeler import Labeler
from rnncli.tasks.labels.reading import by_group, load_known
from rnncli.tasks.task import Again, Backtest, Scored


def evaluated(
    data: Data, model: Labeler, choices: ColumnChoices, wanted: Backtest, tell: Listener, again: Again
) -> Scored:
    """The scores of a model, beside baselines if there is what they learn from. Sequences that training saw are marked.

    InputRefused where nothing has a label.
    """
    del again  # a label has no cut in time: what was seen is marked, and not trained again
    model = by_group(model, wanted.group)
    loaded = load_known(data, choices, model, tell)
    panel, spec = loaded.panel, model.spec
    if wanted.group is not None and loaded.groups is None:
        raise InputRefused(f"there is no column {wanted.group!r}", hint="name a column of groups, or leave --group out")
    if np.isnan(panel.targets).all():
        raise InputRefused(
            f"no row has a label (column {model.known.label.name!r})", hint="give labelled data, or use predict"
        )
    asked = labelled(panel, spec)
    learnt = None
    if wanted.trained_on is not None:
        learnt = labelled(load_known(wanted.trained_on, choices, model, tell).panel, spec)
    notes = (LEARN,) if learnt is None else ()
    every = Asked(asked.sequences, asked.labels, _seen(model, panel), _groups(loaded, asked.sequence), notes)
    said = model.said(panel)
    if spec.classes:
        report = evaluate_classes(every, said, model.classes, learnt)
    else:
        report = evaluate_numbers(every, said, spec.levels, learnt)
    return Scored(report, refitted=False, skipped=loaded.skipped)


def _seen(model: Labeler, panel: Panel) -> Bools | None:
    """Which sequences training saw, by their ids; None where ids are the numbers of rows, which every table has."""
    if not model.columns.ids and not model.columns.by_file:
        return None
    seen = set(model.names)
    return np.array([name in seen for name in panel.ids], np.bool_)


def _groups(loaded: Loaded, sequence: Ints) -> Groups | None:
    """The group of every label, where a column says which sequences belong together."""
    if loaded.groups is None or loaded.labels is None:
        return None
    names, of = np.unique(np.array(loaded.groups), return_inverse=True)
    return Groups(loaded.labels.group or "", tuple(names.tolist()), of.astype(np.int64)[sequence])
