"""Scores of a model on the sets of documents, beside those of baselines."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Bools
from rnncli.data.objects import Data
from rnncli.data.panel import Panel
from rnncli.evaluation.sets.report import SetReport
from rnncli.evaluation.sets.run import AskedSets, evaluate_sets
from rnncli.events import Listener
from rnncli.spec import ColumnChoices
from rnncli.tasks.sets.examples import documents_of
from rnncli.tasks.sets.reading import load_known
from rnncli.tasks.sets.set_model import SetModel
from rnncli.tasks.sets.stateful import Reading
from rnncli.tasks.task import Again, Backtest, Scored


def evaluated(
    data: Data, model: SetModel, choices: ColumnChoices, wanted: Backtest, tell: Listener, again: Again
) -> Scored:
    """The scores of a model, the state carried through every document from its beginning; beside baselines if there is
    what they are counted in. Documents that training saw are marked, where they have names.
    """
    del again  # a document has no cut in time: what was seen is marked, and not trained again
    loaded = load_known(data, choices, model, tell)
    panel, trained = loaded.panel, None
    if wanted.trained_on is not None:
        trained = documents_of(load_known(wanted.trained_on, choices, model, tell).panel)
    notes = [] if trained is not None else [SetReport.learn]
    unknown = int(np.maximum(panel.values[:, 0], 0).sum())
    if unknown:
        notes.append(_priced(unknown, model))
    asked = AskedSets(documents_of(panel), panel.ids, _seen(model, panel), tuple(notes))
    return Scored(evaluate_sets(asked, Reading(model).said(panel), trained), refitted=False, skipped=loaded.skipped)


def _priced(unknown: int, model: SetModel) -> str:
    """A line about the cost of tokens that the model does not know."""
    price = -np.log(model.spec.frequencies[0])
    return f"{unknown:,} tokens are not known: each costs {price:.3g} nats, by how seldom one came in training"


def _seen(model: SetModel, panel: Panel) -> Bools | None:
    """The documents that training saw, by their ids; None where these are the names of files, which say nothing."""
    if not model.columns.ids and not model.columns.by_file:
        return None
    seen = set(model.names)
    return np.array([name in seen for name in panel.ids], np.bool_)
