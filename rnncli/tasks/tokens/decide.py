"""What held-out tokens say of a network that was trained, beside n-grams that are counted in all others."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rnncli.arrays import Ints
from rnncli.baselines.tokens.baseline import Said
from rnncli.baselines.tokens.documents import Documents
from rnncli.data.panel import Panel, offsets_of, ranges
from rnncli.evaluation.run import MODEL
from rnncli.evaluation.tokens.run import Asked, evaluate_tokens
from rnncli.tasks.document_verdict import NETWORK, compared, finite
from rnncli.tasks.documents import Holdout
from rnncli.tasks.plan import Trained
from rnncli.tasks.tokens.events import waits_of
from rnncli.tasks.tokens.examples import codes_of
from rnncli.tasks.tokens.pool import Judged, Pool, judged, ngrams_in
from rnncli.tasks.tokens.spec import TokenSpec

POOL = "pool"  # the network and n-grams
TIMES = "times"  # what is compared beside the network's tokens
SHOWN = ("perplexity", "cross_entropy", "accuracy")  # metrics that training shows
OF_TIMES = ("mae_days", "mae_steps")  # and of times, where there are some


def scores(panel: Panel, trained: Trained[TokenSpec], pooled: Judged | None = None) -> dict[str, Any]:
    """The training record's part about the held-out tokens: the scores of the network, of its pool with n-grams and of
    n-grams alone, and whether the network is better than the best of these, by a paired test.
    """
    found, spec = trained.validated, trained.plan.spec
    if found is None or not len(found.said):
        return {"validation": {}, "validated_origins": 0, "comparisons": {}}
    held, ids = _held(panel, spec, found.holdout)
    timing = spec.timing
    waits = None if timing is None else timing.times(found.said[:, 2:])
    said = Said(found.said[:, 0], np.rint(found.said[:, 1]).astype(np.int64), waits)
    count = timing is not None and timing.count
    asked = Asked(held, ids, spec.tokens, count=count)
    report = evaluate_tokens(asked, said, documents_of(panel.cut(found.holdout.ends(panel.lengths)), spec))
    overall = {NETWORK if name == MODEL else name: one.overall for name, one in report.scores.items()}
    metrics = SHOWN if timing is None else (*SHOWN, OF_TIMES[count])
    comparisons = {NETWORK: compared(report.against(_best(overall, "cross_entropy")))}
    if timing is not None and report.comparisons["time"]:
        comparisons[TIMES] = compared(report.against(_best(overall, OF_TIMES[count])))
    validation = {name: {metric: finite(one[metric]) for metric in metrics} for name, one in overall.items()}
    return {
        "validation": validation if pooled is None else _with_pool(validation, pooled),
        "validated_origins": report.tokens,
        "comparisons": comparisons,
    }


def _with_pool(validation: dict[str, dict[str, float | None]], pooled: Judged) -> dict[str, dict[str, float | None]]:
    """Scores with those of the pool behind the network's; which tokens it held for the likeliest was not kept."""
    known = {"perplexity": math.exp(pooled.cross_entropy), "cross_entropy": pooled.cross_entropy}
    network = validation[NETWORK]
    return {NETWORK: network, POOL: {metric: known.get(metric) for metric in network}} | validation


def pool_of(panel: Panel, trained: Trained[TokenSpec], start: Pool | None = None) -> tuple[Pool | None, Judged | None]:
    """The n-grams beside a trained network, and what held-out tokens say of them: those that are counted in a panel if
    they are worth it, else those of the model that it `start`ed from, of which held-out tokens can say nothing: they
    may have been counted in these.
    """
    found, spec = trained.validated, trained.plan.spec
    if not spec.ngrams or found is None or not len(found.said):
        return start, None
    whole, seen = Documents(codes_of(panel), panel.offsets), panel.cut(found.holdout.ends(panel.lengths))
    ngrams = ngrams_in(Documents(codes_of(seen), seen.offsets), spec.tokens, spec.ngrams)
    rows = _rows(panel, found.holdout)
    p = ngrams.probability(whole.before(rows, ngrams.steps), whole.codes[rows].astype(np.int64))
    worth = judged(found.said[:, 0], p)
    if worth is None:
        return start, None
    return Pool(ngrams_in(whole, spec.tokens, spec.ngrams), worth.share), worth


def _best(overall: dict[str, dict[str, float]], metric: str) -> str:
    """The baseline with the lowest value of a metric, of those that have one."""
    rivals = {name: one[metric] for name, one in overall.items() if name != NETWORK and not math.isnan(one[metric])}
    return min(rivals, key=rivals.__getitem__)


def documents_of(panel: Panel, spec: TokenSpec) -> Documents:
    """The documents of a panel as baselines take them, with times in days or steps where the spec has some."""
    timing = spec.timing
    if timing is None:
        return Documents(codes_of(panel), panel.offsets)
    return Documents(codes_of(panel), panel.offsets, waits_of(panel) / timing.day, timing.levels)


def _rows(panel: Panel, holdout: Holdout) -> Ints:
    """The rows of a panel that are held out."""
    return ranges(panel.offsets[holdout.series] + holdout.first, holdout.stop - holdout.first)


def _held(panel: Panel, spec: TokenSpec, holdout: Holdout) -> tuple[Documents, tuple[str, ...]]:
    """What is held out of each document, as a document, with its id."""
    rows = _rows(panel, holdout)
    series, begins = np.unique(holdout.series, return_index=True)
    lengths = np.add.reduceat(holdout.stop - holdout.first, begins)
    whole = documents_of(panel, spec)
    waits = None if whole.waits is None else whole.waits[rows]
    held = Documents(whole.codes[rows], offsets_of(lengths), waits, whole.levels)
    return held, tuple(panel.ids[s] for s in series.tolist())
