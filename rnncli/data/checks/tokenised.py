"""Every check of documents of tokens in turn, on texts and tables that are read once; what training refuses is a
finding, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from rnncli.arrays import Ints
from rnncli.data.checks.finding import SHOWN, Example, Finding
from rnncli.data.rows import Rows
from rnncli.data.source import NothingThere, Source, text_sources
from rnncli.data.tokens.known import KnownTokens
from rnncli.data.tokens.load import of_files, read_documents, refuse_senseless, settled, to_tokens
from rnncli.data.tokens.texts import read_files
from rnncli.data.tokens.vocabulary import Documents
from rnncli.errors import InputRefused
from rnncli.registry import TOKEN_CHECKS, find
from rnncli.spec import ColumnChoices, Columns, TokenChoices

REFUSED = "refused"


@dataclass(frozen=True)
class SeenTokens:
    """Documents as checks see them, before any vocabulary; `unreadable` are the errors about files that are no text.

    `known` is what a model knows of such documents, `learnt` the ids of those that it learnt from. `rows` are
    those of a table of tokens, in its order.
    """

    columns: Columns
    documents: Documents
    tokens: TokenChoices
    known: KnownTokens | None = None
    learnt: frozenset[str] = frozenset()
    unreadable: tuple[InputRefused, ...] = ()
    rows: Rows | None = None

    @cached_property
    def counts(self) -> Ints:
        """How often each of the different tokens is there."""
        return self.documents.counts()

    @cached_property
    def lengths(self) -> Ints:
        """Tokens of each document."""
        return self.documents.lengths

    @cached_property
    def error(self) -> InputRefused | None:
        """Why training, or the model, refuses the documents; None if it takes them."""
        try:
            to_tokens(self.columns, self.documents, self.tokens, self.known)
        except InputRefused as error:
            return error
        return None

    def of_documents(self, documents: Iterable[int], says: Iterable[str] = ()) -> tuple[Example, ...]:
        """The first of these documents as examples."""
        texts = list(says)
        chosen = [int(s) for s, _ in zip(documents, range(SHOWN), strict=False)]
        found = self.documents
        return tuple(
            Example(found.ids[s], None, found.where[s], texts[place] if texts else "") for place, s in enumerate(chosen)
        )


@dataclass(frozen=True)
class LookedAtTokens:
    """What was found, and what was seen of the data; None where no document can be read."""

    findings: tuple[Finding, ...]
    seen: SeenTokens | None


def check_tokens(
    given: Any,
    choices: ColumnChoices,
    tokens: TokenChoices,
    known: KnownTokens | None = None,
    learnt: Iterable[str] = (),
) -> LookedAtTokens:
    """Read documents and look at them from all sides; what has no error finding is taken by training or the model.

    Raises UsageError, and InputRefused where a table cannot be opened at all.
    """
    tokens = settled(tokens if known is None else known.choices)
    refuse_senseless(choices, tokens)
    unreadable: tuple[InputRefused, ...] = ()
    rows: Rows | None = None
    try:
        if of_files(given, tokens, known):
            columns, documents, unreadable = _readable(given, choices, tokens, known)
        else:
            columns, documents, rows = read_documents(given, choices, tokens, known)
    except InputRefused as error:
        return LookedAtTokens((_refusal(error),), None)
    seen = SeenTokens(columns, documents, tokens, known, frozenset(learnt), unreadable, rows)
    findings: list[Finding] = []
    for name in TOKEN_CHECKS:
        if name == REFUSED and any(finding.severity == "error" for finding in findings):
            continue
        finding = find(TOKEN_CHECKS, name, "check")(seen)
        if finding is not None:
            findings.append(replace(finding, id=name))
    return LookedAtTokens(tuple(findings), seen)


def _readable(
    given: Any, choices: ColumnChoices, tokens: TokenChoices, known: KnownTokens | None
) -> tuple[Columns, Documents, tuple[InputRefused, ...]]:
    """The files that are texts, as documents, and why others are none. InputRefused, the first of these, if all are."""
    assert tokens.split is not None
    encoding = choices.encoding or (known.columns.encoding if known else None)
    choices = replace(choices, encoding=encoding)
    sources = text_sources(given, choices)
    try:
        return *read_files(sources, tokens.split, choices), ()
    except InputRefused:
        errors = {place: error for place, source in enumerate(sources) if (error := _error(source, tokens, choices))}
        usable = [source for place, source in enumerate(sources) if place not in errors]
        if not usable:
            raise
    return *read_files(usable, tokens.split, choices), tuple(errors.values())


def _error(source: Source, tokens: TokenChoices, choices: ColumnChoices) -> InputRefused | None:
    """Why a file is no text; None if it is one, be it an empty one."""
    try:
        read_files([source], tokens.split or "", choices)
    except NothingThere:
        return None
    except InputRefused as error:
        return error
    return None


def refused(seen: SeenTokens) -> Finding | None:
    """What training refuses for any other reason."""
    return None if seen.error is None else _refusal(seen.error)


def _refusal(error: InputRefused) -> Finding:
    return Finding("error", error.message, 1, (Example(where=error.where or None),), error.hint, REFUSED)
