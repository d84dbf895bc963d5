"""What held-out tokens say of a network that was trained."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rnncli.arrays import Floats
from rnncli.data.panel import Panel
from rnncli.tasks.plan import Trained
from rnncli.tasks.tokens.spec import TokenSpec
from rnncli.tasks.tokens.validation import Validated, pieces

NETWORK, UNIGRAM = "network", "unigram"


def scores(panel: Panel, trained: Trained[TokenSpec]) -> dict[str, Any]:
    """The training record's part about the held-out tokens: the scores of the network and of the frequencies of tokens
    in the others.
    """
    found, spec = trained.validated, trained.plan.spec
    if found is None or not len(found.said):
        return {"validation": {}, "validated_origins": 0}
    return {
        "validation": {NETWORK: _of(found.said), UNIGRAM: _of(_unigram(panel, spec, found))},
        "validated_origins": len(found.said),
    }


def _of(said: Floats) -> dict[str, float | None]:
    entropy = float(-said[:, 0].mean())
    perplexity = math.exp(entropy) if entropy < 700 else math.inf
    known = perplexity if math.isfinite(perplexity) else None
    return {"cross_entropy": entropy, "perplexity": known, "accuracy": float((said[:, 1] == 0).mean())}


def _unigram(panel: Panel, spec: TokenSpec, found: Validated) -> Floats:
    """What is said of held-out tokens by how often each comes elsewhere, one time more than that: [N, 2]."""
    lesson = pieces(panel, spec, found.holdout)
    ends = found.holdout.ends(panel.lengths)
    counts = np.ones(spec.tokens)
    for s in np.flatnonzero(ends).tolist():
        counts += np.bincount(lesson.codes[lesson.first[s] + 1 :][: ends[s]], minlength=spec.tokens)
    logs = np.log(counts / counts.sum())
    rank = np.empty(spec.tokens)
    rank[np.argsort(-logs, kind="stable")] = np.arange(spec.tokens)
    came = np.concatenate([seen.targets for seen in lesson.at(found.holdout.series, found.holdout.stop)]).astype(int)
    return np.stack([logs[came], rank[came]], axis=1)
