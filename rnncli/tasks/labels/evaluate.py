"""How well a model labels sequences whose labels are known, beside what is simpler."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Ints
from rnncli.data.load import Loaded
from rnncli.data.objects import Data
from rnncli.errors import InputRefused
from rnncli.evaluation.labels.run import Asked, evaluate_classes, evaluate_numbers
from rnncli.evaluation.labels.scores import Groups
from rnncli.events import Listener
from rnncli.spec import ColumnChoices
from rnncli.tasks.labels.decide import labelled
from rnncli.tasks.labels.labeler import Labeler
from rnncli.tasks.labels.reading import load_known
from rnncli.tasks.task import Again, Backtest, Scored

IN_SAMPLE = "in-sample: training has seen sequences that are scored here"
ALONE = "baselines learn from what the model was trained on: give it with --trained-on"


def evaluated(
    data: Data, model: Labeler, choices: ColumnChoices, wanted: Backtest, tell: Listener, again: Again
) -> Scored:
    """The scores of a model, beside baselines if there is what they learn from. Sequences that training saw are marked.

    InputRefused where nothing has a label.
    """
    del again  # a label has no cut in time: what was seen is marked, and not trained again
    loaded = load_known(data, choices, model, tell)
    panel, spec = loaded.panel, model.spec
    if np.isnan(panel.targets).all():
        raise InputRefused(
            f"no row has a label (column {model.known.label.name!r})", hint="give labelled data, or use predict"
        )
    asked = labelled(panel, spec)
    seen = set(model.names)
    dishonest = np.array([name in seen for name in panel.ids], np.bool_)
    learnt = (
        None if wanted.trained_on is None else labelled(load_known(wanted.trained_on, choices, model, tell).panel, spec)
    )
    notes = ((IN_SAMPLE,) if dishonest.any() else ()) + ((ALONE,) if learnt is None else ())
    every = Asked(asked.sequences, asked.labels, dishonest, _groups(loaded, asked.sequence), notes)
    said = model.said(panel)
    if spec.classes:
        report = evaluate_classes(every, said, model.classes, learnt)
    else:
        report = evaluate_numbers(every, said, spec.levels, learnt)
    return Scored(report, refitted=False, skipped=loaded.skipped)


def _groups(loaded: Loaded, sequence: Ints) -> Groups | None:
    """The group of every label, where a column says which sequences belong together."""
    if loaded.groups is None or loaded.labels is None:
        return None
    names, of = np.unique(np.array(loaded.groups), return_inverse=True)
    return Groups(loaded.labels.group or "", tuple(names.tolist()), of.astype(np.int64)[sequence])
