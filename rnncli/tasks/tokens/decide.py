"""What held-out tokens say of a network that was trained, beside n-grams that are counted in all others."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnncli.baselines.tokens.baseline import Said
from rnncli.baselines.tokens.documents import Documents
from rnncli.data.panel import Panel, offsets_of, ranges
from rnncli.evaluation.run import MODEL
from rnncli.evaluation.tokens.run import Asked, evaluate_tokens
from rnncli.tasks.document_verdict import NETWORK, compared, finite
from rnncli.tasks.documents import Holdout
from rnncli.tasks.plan import Trained
from rnncli.tasks.tokens.examples import codes_of
from rnncli.tasks.tokens.spec import TokenSpec

SHOWN = ("perplexity", "cross_entropy", "accuracy")  # metrics that training shows


def scores(panel: Panel, trained: Trained[TokenSpec]) -> dict[str, Any]:
    """The training record's part about the held-out tokens: the scores of the network and of n-grams, and whether the
    network is better than the best of these, by a paired test.
    """
    found, spec = trained.validated, trained.plan.spec
    if found is None or not len(found.said):
        return {"validation": {}, "validated_origins": 0, "comparisons": {}}
    held, ids = _held(panel, found.holdout)
    said = Said(found.said[:, 0], np.rint(found.said[:, 1]).astype(np.int64))
    report = evaluate_tokens(Asked(held, ids, spec.tokens), said, _others(panel, found.holdout))
    overall = {NETWORK if name == MODEL else name: one.overall for name, one in report.scores.items()}
    rivals = [name for name in overall if name != NETWORK]
    rival = min(rivals, key=lambda name: overall[name]["cross_entropy"])
    return {
        "validation": {name: {metric: finite(one[metric]) for metric in SHOWN} for name, one in overall.items()},
        "validated_origins": report.tokens,
        "comparisons": {NETWORK: compared(report.against(rival))},
    }


def documents_of(panel: Panel) -> Documents:
    """The documents of a panel as n-grams take them."""
    return Documents(codes_of(panel), panel.offsets)


def _held(panel: Panel, holdout: Holdout) -> tuple[Documents, tuple[str, ...]]:
    """What is held out of each document, as a document, with its id."""
    rows = ranges(panel.offsets[holdout.series] + holdout.first, holdout.stop - holdout.first)
    series, begins = np.unique(holdout.series, return_index=True)
    lengths = np.add.reduceat(holdout.stop - holdout.first, begins)
    return Documents(codes_of(panel)[rows], offsets_of(lengths)), tuple(panel.ids[s] for s in series.tolist())


def _others(panel: Panel, holdout: Holdout) -> Documents:
    """What the search has seen of each document."""
    return documents_of(panel.cut(holdout.ends(panel.lengths)))
