"""Scores of a trained network on held-out sets, beside baselines that are counted in all others."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnncli.baselines.sets.baseline import SetDocuments
from rnncli.data.panel import Panel, offsets_of
from rnncli.evaluation.run import MODEL
from rnncli.evaluation.sets.run import AskedSets, evaluate_sets
from rnncli.evaluation.sets.scores import SaidOfSets
from rnncli.metrics.sets import EXPECTED
from rnncli.tasks.document_verdict import NETWORK, compared, finite
from rnncli.tasks.plan import Trained
from rnncli.tasks.sets.examples import documents_of
from rnncli.tasks.sets.spec import SetSpec
from rnncli.tasks.sets.validation import Validated, with_unknown

SHOWN = ("cross_entropy", "accuracy", "micro_f1")  # metrics that training shows


def scores(panel: Panel, trained: Trained[SetSpec]) -> dict[str, Any]:
    """The training record's part about the held-out sets: the scores of the network and of what is counted, and whether
    the network is better than the best of these, by a paired test.
    """
    found, spec = trained.validated, trained.plan.spec
    if found is None or not (found.hot[:, 0] >= 0).any():
        return {"validation": {}, "validated_origins": 0, "comparisons": {}}
    p = with_unknown(spec, found.p)
    said = SaidOfSets(-found.losses(spec), p > EXPECTED)
    others = documents_of(panel.cut(found.holdout.ends(panel.lengths)))
    report = evaluate_sets(_asked(panel, found), said, others)
    overall = {NETWORK if name == MODEL else name: one.overall for name, one in report.scores.items()}
    rivals = [name for name in overall if name != NETWORK]
    rival = min(rivals, key=lambda name: overall[name]["cross_entropy"])
    return {
        "validation": {name: {metric: finite(one[metric]) for metric in SHOWN} for name, one in overall.items()},
        "validated_origins": report.tokens,
        "comparisons": {NETWORK: compared(report.against(rival))},
    }


def _asked(panel: Panel, found: Validated) -> AskedSets:
    """The held-out part of each document, as a document, with its id."""
    holdout = found.holdout
    series, begins = np.unique(holdout.series, return_index=True)
    lengths = np.add.reduceat(holdout.stop - holdout.first, begins)
    return AskedSets(SetDocuments(found.hot, offsets_of(lengths)), tuple(panel.ids[s] for s in series.tolist()))
