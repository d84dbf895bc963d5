"""The report of an evaluation of sets: a model beside what is counted, as data."""

from __future__ import annotations

from dataclasses import dataclass

from rnncli.evaluation.tokens.report import TokenReport
from rnncli.outline import shown


@shown
@dataclass(frozen=True)
class SetReport(TokenReport):
    """Scores of a model (first) and of baselines on the same steps, each of which has a set of tokens: `documents` and
    `positions` count steps, and `unknown` the tokens that are not in the vocabulary.
    """

    task = "sets"
    unit = "steps"
    learn = "baselines are counted in what the model was trained on: give it with --trained-on"
