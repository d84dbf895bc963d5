"""Texts that are damaged or in another encoding, documents that are short or repeated, and tokens that are rare."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from rnncli.arrays import Ints
from rnncli.data.checks.finding import SHOWN, Example, Finding, Severity
from rnncli.data.checks.tokenised import SeenTokens
from rnncli.data.tokens.known import shown_token
from rnncli.data.tokens.texts import shown_ends
from rnncli.data.tokens.vocabulary import UNKNOWN, usual_count

REPLACED = "\ufffd"  # what stands for bytes that could not be decoded
MANY_UNKNOWN = 0.05  # of all tokens
_LETTERS = 40  # of a token in an example


def text_unreadable(seen: SeenTokens) -> Finding | None:
    """Files that are no text, or in another encoding, beside others that are."""
    if not seen.unreadable:
        return None
    examples = tuple(Example(where=error.where, says=error.message) for error in seen.unreadable[:SHOWN])
    remedy = "say their encoding (--encoding cp1252), leave them out, or take them as bytes: --split byte"
    return Finding("error", "files cannot be read as text", len(seen.unreadable), examples, remedy)


def text_damaged(seen: SeenTokens) -> Finding | None:
    """Tokens with the character that stands for what could not be decoded."""
    if seen.tokens.split == "byte":
        return None
    found = [code for code, token in enumerate(seen.documents.types) if REPLACED in token and seen.counts[code]]
    if not found:
        return None
    what = "tokens hold U+FFFD, which stands for letters that were lost when the text was decoded"
    remedy = "get the text anew, in the encoding that it was written in, or take these letters out"
    return Finding("warning", what, int(seen.counts[found].sum()), _of_tokens(seen, found), remedy)


def line_ends_mixed(seen: SeenTokens) -> Finding | None:
    """Files of which lines end in several ways."""
    found = [s for s, ends in enumerate(seen.documents.line_ends) if len(ends) > 1]
    if not found:
        return None
    says = [shown_ends(seen.documents.line_ends[s]) for s in found[:SHOWN]]
    remedy = "nothing needs to be done: every one is read as \\n"
    return Finding("note", "files have several kinds of line ends", len(found), seen.of_documents(found, says), remedy)


def document_short(seen: SeenTokens) -> Finding | None:
    """Documents of one token, before which nothing comes."""
    found = np.flatnonzero(seen.lengths == 1)
    if not len(found):
        return None
    remedy = "look at what tells documents apart (--id NAME), or leave them out: nothing comes before the token"
    return Finding("warning", "documents have one token", len(found), seen.of_documents(found.tolist()), remedy)


def document_repeated(seen: SeenTokens) -> Finding | None:
    """Texts that are an earlier one, token by token, and longer than one; events are not looked at, for they repeat."""
    if seen.tokens.token is not None:
        return None
    first: dict[bytes, int] = {}
    pairs = []
    for s, digest in enumerate(_digests(seen)):
        one = first.setdefault(digest, s)
        if one != s and seen.lengths[s] > 1:
            pairs.append((one, s))
    if not pairs:
        return None
    says = [f"as {seen.documents.ids[one]!r}" for one, _ in pairs[:SHOWN]]
    remedy = "leave repeated ones out: one may be learnt from, and the other scored"
    examples = seen.of_documents([other for _, other in pairs], says)
    return Finding("warning", "documents repeat another one", len(pairs), examples, remedy)


def _digests(seen: SeenTokens) -> list[bytes]:
    """A digest of the tokens of each document."""
    found = []
    for parts in seen.documents.parts:
        digest = blake2b(digest_size=16)
        for part in parts:
            digest.update(part.astype("<u4").tobytes())
        found.append(digest.digest())
    return found


def document_learnt(seen: SeenTokens) -> Finding | None:
    """Documents of ids that the model learnt from; numbers of rows are no ids."""
    found = [s for s, name in enumerate(seen.documents.ids) if name in seen.learnt]
    if not found or not (seen.columns.ids or seen.columns.by_file):
        return None
    what = "documents have ids that the model learnt from"
    remedy = "leave them out where the model is to be scored; if they are others, give them ids of their own"
    return Finding("warning", what, len(found), seen.of_documents(found), remedy)


def token_once(seen: SeenTokens) -> Finding | None:
    """Tokens that are there once: unknown ones, or, if they are to be known, ones of which little can be learnt."""
    found = np.flatnonzero(seen.counts == 1)
    if seen.known is not None or not len(found):
        return None
    unknown = usual_count(seen.tokens) > 1
    share = f"{len(found) / np.count_nonzero(seen.counts):.0%} of those that differ"
    remedy = "nothing needs to be done: they are unknown, and what that means is learnt from them"
    if not unknown:
        remedy = "where they are names or slips: --min-count 2 makes them unknown"
    return Finding("note", f"tokens are seen once, {share}", len(found), _of_tokens(seen, found.tolist()), remedy)


def token_unknown(seen: SeenTokens) -> Finding | None:
    """Tokens that the model does not know: a warning where they are many."""
    if seen.known is None:
        return None
    known = {*seen.known.vocabulary, UNKNOWN}
    found = [code for code, token in enumerate(seen.documents.types) if token not in known and seen.counts[code]]
    if not found:
        return None
    share = float(seen.counts[found].sum() / seen.counts.sum())
    severity: Severity = "warning" if share > MANY_UNKNOWN else "note"
    ranked = sorted(found, key=lambda code: -seen.counts[code])
    remedy = "look whether the text is split and written as in training; or train again"
    what = f"tokens are not in the model's vocabulary, {share:.1%} of all"
    return Finding(severity, what, int(seen.counts[found].sum()), _of_tokens(seen, ranked), remedy)


def _of_tokens(seen: SeenTokens, codes: list[int] | Ints) -> tuple[Example, ...]:
    """The first of these tokens as examples."""
    types, counts = seen.documents.types, seen.counts
    return tuple(Example(says=f"{shown_token(types[code])[:_LETTERS]} ({counts[code]:,})") for code in codes[:SHOWN])
