"""Every check of documents of sets in turn, on tables that are read once; what training refuses is a finding, too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from rnncli.arrays import Ints
from rnncli.data.checks.finding import SHOWN, Example, Finding, Severity
from rnncli.data.limits import limits_of
from rnncli.data.sets.load import SetDocuments, read_rows, refuse_senseless, to_documents, to_sets
from rnncli.data.sets.vocabulary import counts_of
from rnncli.data.tokens.known import KnownTokens, shown_token
from rnncli.errors import InputRefused
from rnncli.registry import SET_CHECKS, find
from rnncli.spec import ColumnChoices, TokenChoices

REFUSED = "refused"
MANY_UNKNOWN = 0.05  # of all tokens
_LETTERS = 40  # of a token in an example


@dataclass(frozen=True)
class SeenSets:
    """Documents of sets as checks see them, before any vocabulary; `error` is why training, or the model, refuses them,
    None if it takes them. `known` is what a model knows of such documents, `learnt` the ids of those it learnt from.
    """

    documents: SetDocuments
    tokens: TokenChoices
    error: InputRefused | None = None
    known: KnownTokens | None = None
    learnt: frozenset[str] = frozenset()

    @cached_property
    def counts(self) -> Ints:
        """In how many steps each of the different tokens is."""
        return counts_of(self.documents.sets, self.documents.steps)

    @cached_property
    def sizes(self) -> Ints:
        """The tokens of each step's set, -1 where it is missing."""
        steps, sizes = self.documents.steps, self.documents.sets.sizes
        return np.array([*sizes, -1], np.int64)[steps]

    def of_documents(self, documents: Iterable[int]) -> tuple[Example, ...]:
        """The first of these documents as examples."""
        chosen = [int(s) for s, _ in zip(documents, range(SHOWN), strict=False)]
        return tuple(Example(self.documents.ids[s], None, self.documents.where[s]) for s in chosen)

    def of_tokens(self, codes: list[int]) -> tuple[Example, ...]:
        """The first of these tokens as examples."""
        types = self.documents.sets.types
        return tuple(Example(says=f"{shown_token(types[k])[:_LETTERS]} ({self.counts[k]:,})") for k in codes[:SHOWN])


@dataclass(frozen=True)
class LookedAtSets:
    """The findings, and the data that were `seen`; None where no document can be read."""

    findings: tuple[Finding, ...]
    seen: SeenSets | None


def check_sets(
    given: Any,
    choices: ColumnChoices,
    tokens: TokenChoices,
    known: KnownTokens | None = None,
    learnt: Iterable[str] = (),
) -> LookedAtSets:
    """Read documents and look at them from all sides; what has no error finding is taken by training or the model.

    Raises UsageError, and InputRefused where a table cannot be opened at all.
    """
    refuse_senseless(choices, tokens)
    try:
        documents = to_documents(*read_rows(given, choices, tokens, known))
    except InputRefused as error:
        return LookedAtSets((_refusal(error),), None)
    seen = SeenSets(documents, tokens, _error(documents, choices, tokens, known), known, frozenset(learnt))
    findings: list[Finding] = []
    for name in SET_CHECKS:
        if name == REFUSED and any(finding.severity == "error" for finding in findings):
            continue
        finding = find(SET_CHECKS, name, "check")(seen)
        if finding is not None:
            findings.append(replace(finding, id=name))
    return LookedAtSets(tuple(findings), seen)


def _error(
    documents: SetDocuments, choices: ColumnChoices, tokens: TokenChoices, known: KnownTokens | None
) -> InputRefused | None:
    try:
        to_sets(documents, tokens, known, limits_of(choices))
    except InputRefused as error:
        return error
    return None


def separator_unused(seen: SeenSets) -> Finding | None:
    """A separator that is in no cell: every set has one token, or none."""
    if seen.documents.sets.separated:
        return None
    between = seen.tokens.set_separator or ","
    what = f"no set has the separator {between!r}: each is one token, or empty"
    remedy = "say what stands between tokens (--set-separator), or learn them as tokens, without --multi-hot"
    return Finding("warning", what, len(seen.sizes), (), remedy)


def set_missing(seen: SeenSets) -> Finding | None:
    """Steps whose set is missing, which is not an empty one."""
    count = int(np.count_nonzero(seen.sizes < 0))
    if not count:
        return None
    remedy = "nothing needs to be done: they are not scored; where nothing was on, write an empty set"
    return Finding("note", "steps have no set: it is missing, not empty", count, (), remedy)


def set_empty(seen: SeenSets) -> Finding | None:
    """Documents of which every set is empty, or missing."""
    found = np.flatnonzero(np.maximum.reduceat(seen.sizes, seen.documents.offsets[:-1]) <= 0)
    if not len(found):
        return None
    remedy = "look at the column, or leave them out: nothing ever comes in them"
    return Finding("warning", "documents have empty sets alone", len(found), seen.of_documents(found.tolist()), remedy)


def set_repeats(seen: SeenSets) -> Finding | None:
    """Tokens that a cell has more than once."""
    steps, repeated = seen.documents.steps, seen.documents.sets.repeated
    count = int(np.count_nonzero(repeated[steps[steps >= 0]]))
    if not count:
        return None
    remedy = "nothing needs to be done: a token is in a set or not; how often cannot be learnt so"
    return Finding("note", "sets have a token more than once", count, (), remedy)


def document_short(seen: SeenSets) -> Finding | None:
    """Documents of one step, before which nothing comes."""
    found = np.flatnonzero(seen.documents.lengths == 1)
    if not len(found):
        return None
    remedy = "look at what tells documents apart (--id NAME), or leave them out: nothing comes before the set"
    return Finding("warning", "documents have one step", len(found), seen.of_documents(found.tolist()), remedy)


def document_learnt(seen: SeenSets) -> Finding | None:
    """Documents of ids that the model learnt from; numbers of rows are no ids."""
    found = [s for s, name in enumerate(seen.documents.ids) if name in seen.learnt]
    if not found or not (seen.documents.columns.ids or seen.documents.columns.by_file):
        return None
    what = "documents have ids that the model learnt from"
    remedy = "leave them out where the model is to be scored; if they are others, give them ids of their own"
    return Finding("warning", what, len(found), seen.of_documents(found), remedy)


def token_once(seen: SeenSets) -> Finding | None:
    """Tokens that are in one set alone."""
    found = np.flatnonzero(seen.counts == 1).tolist()
    if seen.known is not None or not found or (seen.tokens.min_count or 1) > 1:
        return None
    share = f"{len(found) / np.count_nonzero(seen.counts):.0%} of those that differ"
    remedy = "where they are names or slips: --min-count 2 makes them unknown"
    return Finding("note", f"tokens are seen once, {share}", len(found), seen.of_tokens(found), remedy)


def token_unknown(seen: SeenSets) -> Finding | None:
    """Tokens that the model does not know: a warning where they are many."""
    if seen.known is None:
        return None
    known, types = set(seen.known.vocabulary), seen.documents.sets.types
    found = [code for code, token in enumerate(types) if token not in known and seen.counts[code]]
    if not found:
        return None
    share = float(seen.counts[found].sum() / seen.counts.sum())
    severity: Severity = "warning" if share > MANY_UNKNOWN else "note"
    ranked = sorted(found, key=lambda code: -int(seen.counts[code]))
    remedy = "look whether tokens are written as in training; or train again"
    what = f"tokens are not in the model's vocabulary, {share:.1%} of all"
    return Finding(severity, what, int(seen.counts[found].sum()), seen.of_tokens(ranked), remedy)


def refused(seen: SeenSets) -> Finding | None:
    """The error of training for any other reason."""
    return None if seen.error is None else _refusal(seen.error)


def _refusal(error: InputRefused) -> Finding:
    return Finding("error", error.message, 1, (Example(where=error.where or None),), error.hint, REFUSED)
