"""How likely a model holds what comes in documents, beside what is simpler."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from rnncli.arrays import Bools
from rnncli.baselines.tokens.baseline import FIRST
from rnncli.baselines.tokens.documents import Documents
from rnncli.data.objects import Data
from rnncli.evaluation.tokens.report import LEARN
from rnncli.evaluation.tokens.run import Asked, evaluate_tokens
from rnncli.events import Listener
from rnncli.spec import ColumnChoices
from rnncli.tasks.task import Again, Backtest, Scored
from rnncli.tasks.tokens.decide import documents_of
from rnncli.tasks.tokens.reading import load_known
from rnncli.tasks.tokens.stateful import Reading
from rnncli.tasks.tokens.token_model import TokenModel


def evaluated(
    data: Data, model: TokenModel, choices: ColumnChoices, wanted: Backtest, tell: Listener, again: Again
) -> Scored:
    """The scores of a model, the state carried through every document from its beginning; beside n-grams if there is
    what they are counted in. Documents that training saw are marked, where that can be told.
    """
    del again  # a document has no cut in time: what was seen is marked, and not trained again
    loaded = load_known(data, choices, model, tell)
    panel, trained = loaded.panel, None
    if wanted.trained_on is not None:
        trained = documents_of(load_known(wanted.trained_on, choices, model, tell).panel, model.spec)
    notes = (LEARN,) if trained is None else ()
    documents, timing = documents_of(panel, model.spec), model.spec.timing
    count = timing is not None and timing.count
    seen = _seen(model, documents, panel.ids, trained)
    asked = Asked(documents, panel.ids, model.spec.tokens, loaded.text_bytes, seen, notes, count)
    report = evaluate_tokens(asked, Reading(model).said(panel, FIRST), trained)
    return Scored(report, refitted=False, skipped=loaded.skipped)


def _seen(model: TokenModel, documents: Documents, ids: tuple[str, ...], trained: Documents | None) -> Bools | None:
    """Which documents training saw, by their ids; where these are the names of files, which say nothing, those that
    stand word for word in what it was `trained` on (None without it).
    """
    if model.columns.ids or model.columns.by_file:
        seen = set(model.names)
        return np.array([name in seen for name in ids], np.bool_)
    if trained is None:
        return None
    known = set(_digests(trained))
    return np.array([digest in known for digest in _digests(documents)], np.bool_)


def _digests(documents: Documents) -> Iterator[bytes]:
    for begin, end in pairwise(documents.offsets.tolist()):
        yield hashlib.sha256(documents.codes[begin:end].tobytes()).digest()
