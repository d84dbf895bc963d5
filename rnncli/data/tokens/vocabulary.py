"""The vocabulary of tokens: which are known, by falling frequency; and codes by it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Ints
from rnncli.data.tokens.split import Codes, smallest
from rnncli.errors import InputRefused
from rnncli.spec import TokenChoices

UNKNOWN = "<unk>"  # the token of code 0: one that is not in the vocabulary
END = "<end>"  # the token at the end of a document, where there is more than one
MOST = 20_000  # tokens of a vocabulary, unless said otherwise
_RARE = 3  # in a note


@dataclass(frozen=True)
class Documents:
    """Documents of tokens before there is a vocabulary.

    `parts` has, for each document, its tokens as codes into the list of different ones, `types`, some at a time;
    `text_bytes` the bytes of UTF-8 of each one's text, where there is one, `line_ends` the kinds of line ends of each
    file, and `where` its place.
    """

    ids: tuple[str, ...]
    parts: Sequence[Sequence[Codes]]
    types: Sequence[str]
    where: Sequence[str]
    text_bytes: Ints | None = None
    line_ends: Sequence[frozenset[str]] = ()
    notes: tuple[str, ...] = ()

    @property
    def lengths(self) -> Ints:
        """Tokens of each document [documents]."""
        return np.array([sum(map(len, parts)) for parts in self.parts], np.int64)

    def counts(self) -> Ints:
        """How often each of the `types` is there."""
        total = np.zeros(len(self.types), np.int64)
        for part in self._all():
            total += np.bincount(part, minlength=len(total))
        return total

    def _all(self) -> Iterator[Codes]:
        return (part for parts in self.parts for part in parts)

    def coded(self, vocabulary: Sequence[str]) -> Codes:
        """The tokens of all documents as codes into a vocabulary, END after each where that has one: [rows]."""
        place = {token: code for code, token in enumerate(vocabulary)}
        codes: Codes = np.array([place.get(token, 0) for token in self.types], smallest(len(vocabulary)))
        end = place.get(END)
        rows = int(self.lengths.sum()) + len(self.parts) * (end is not None)
        found: Codes = np.empty(rows, codes.dtype)
        at = 0
        for parts in self.parts:
            for part in parts:
                found[at : at + len(part)] = codes[part]
                at += len(part)
            if end is not None:
                found[at] = end
                at += 1
        return found


def has_end(vocabulary: Sequence[str]) -> bool:
    """Whether documents end with a token of their own."""
    return END in vocabulary[:2]


def usual_count(choices: TokenChoices) -> int:
    """How often a token must be seen to be known: what was said, else twice where there are words, so that what an
    unknown one means can be learnt, and once of all others.
    """
    return choices.min_count or (2 if choices.split in ("word", "space") else 1)


def new_vocabulary(documents: Documents, choices: TokenChoices) -> tuple[tuple[str, ...], list[str]]:
    """The vocabulary of documents, and lines about it: UNKNOWN, END where there are several, and the tokens by falling
    frequency, equal ones in the order of their texts. InputRefused where no token is left.
    """
    counts = documents.counts()
    least, most = usual_count(choices), choices.vocabulary or MOST
    first = [UNKNOWN, END] if len(documents.ids) > 1 else [UNKNOWN]
    if choices.split == "byte":  # all of them, so that none is unknown
        return (*first, *documents.types), []
    usable = np.flatnonzero(counts >= least).tolist()
    usable = [code for code in usable if documents.types[code] not in first]
    if not usable:
        raise InputRefused(
            f"the vocabulary is empty: no token is seen {least} times",
            where=documents.where[0],
            hint="give more of the text, or lower --min-count",
        )
    ranked = sorted(usable, key=lambda code: (-counts[code], documents.types[code]))[: max(most - len(first), 1)]
    return (*first, *(documents.types[code] for code in ranked)), _told(documents, counts, ranked, first, least)


def _told(documents: Documents, counts: Ints, ranked: list[int], first: list[str], least: int) -> list[str]:
    known = int(counts[ranked].sum()) + sum(
        int(counts[code]) for code, token in enumerate(documents.types) if token in first
    )
    total, different = int(counts.sum()), int(np.count_nonzero(counts))
    left = f", {total - known:,} ({(total - known) / total:.1%}) unknown" if known < total else ""
    rare = f" (seen less than {least} times, or beyond the vocabulary)" if known < total else ""
    many = f"{len(documents.ids):,} document{'s' * (len(documents.ids) > 1)}"
    size = len(first) + len(ranked)
    return [f"{total:,} tokens in {many}, {different:,} different{left}{rare}; a vocabulary of {size:,}"]


def unknown_notes(documents: Documents, vocabulary: Sequence[str]) -> list[str]:
    """A line about tokens that a model does not know, the commonest first."""
    known = set(vocabulary)
    counts = documents.counts()
    fresh = [code for code, token in enumerate(documents.types) if token not in known and counts[code]]
    if not fresh:
        return []
    ranked = sorted(fresh, key=lambda code: (-counts[code], documents.types[code]))
    some = ", ".join(f"{documents.types[code][:40]!r} ({counts[code]:,})" for code in ranked[:_RARE])
    more = f" and {len(ranked) - _RARE:,} more" if len(ranked) > _RARE else ""
    many, total = int(counts[fresh].sum()), int(counts.sum())
    return [f"{many:,} of {total:,} tokens are not in the model's vocabulary: {some}{more}; they are {UNKNOWN}"]
