"""Tables of sets to a panel of documents: one channel with a column for each token; or one clear refusal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.channel import Channel
from rnncli.data.limits import Limits, limits_of
from rnncli.data.load import Loaded, of_usable_series
from rnncli.data.noted import Notes
from rnncli.data.objects import Data
from rnncli.data.ordered import sorted_rows
from rnncli.data.panel import Panel
from rnncli.data.rows import Rows
from rnncli.data.sets import vocabulary as words
from rnncli.data.sets.cells import Sets, coded_sets
from rnncli.data.tokens import load as tokens_load
from rnncli.data.tokens.events import read_events
from rnncli.data.tokens.known import KnownTokens
from rnncli.errors import UsageError
from rnncli.spec import ColumnChoices, Columns, TokenChoices

USUAL = ","  # between tokens, where they came in lists and are written in texts


@dataclass(frozen=True)
class SetDocuments:
    """Documents of sets before there is a vocabulary: document i has the steps offsets[i] ... offsets[i + 1] - 1, of
    which `steps` are codes into `sets` (-1: missing); `where` is the place of each.
    """

    ids: tuple[str, ...]
    offsets: Ints
    steps: Ints
    sets: Sets
    where: tuple[str, ...]
    columns: Columns
    notes: tuple[str, ...] = ()
    times: Ints | None = None
    zone: str | None = None

    @property
    def lengths(self) -> Ints:
        """Steps of each document [documents]."""
        return np.diff(self.offsets)


def load_sets(
    given: Data,
    choices: ColumnChoices | None = None,
    tokens: TokenChoices | None = None,
    known: KnownTokens | None = None,
) -> Loaded:
    """Read every source in `given` as documents of sets, one a row.

    The panel's one channel is of kind "set": column k of `values` is 1 where token k of the vocabulary is in the set,
    column 0 counts those that are not in it, and a row of -1 is missing. With `known`, columns, vocabulary and `tokens`
    are those of a model. Raises InputRefused or SeriesRefused with the place of what is wrong, UsageError for choices
    that make no sense.
    """
    choices = choices or ColumnChoices()
    tokens = known.choices if known else tokens or TokenChoices()
    refuse_senseless(choices, tokens)
    rows, sets, zone = read_rows(given, choices, tokens, known)

    def made(some: Any) -> Loaded:
        return to_sets(to_documents(some, sets, zone), tokens, known, limits_of(choices))

    return of_usable_series(rows, choices, made)


def read_rows(
    given: Data, choices: ColumnChoices, tokens: TokenChoices, known: KnownTokens | None
) -> tuple[Rows, Sets, str | None]:
    """The rows of tables with codes of their sets, these, and the zone of their times, which are in UTC."""
    separator = tokens.set_separator or (None if known is None else USUAL)

    def coded(read: Any, name: str) -> tuple[Ints, Sets]:
        return coded_sets(read, name, separator)

    return read_events(tokens_load.open_tokens(given, choices, known), choices, tokens, known, coded)


def to_documents(rows: Rows, sets: Sets, zone: str | None) -> SetDocuments:
    """Rows as documents, in order."""
    notes = Notes(rows.notes)
    order, offsets = sorted_rows(rows, notes)
    first = order[offsets[:-1]]
    codes = rows.values[order, 0]
    return SetDocuments(
        ids=tuple(rows.ids[code] for code in rows.codes[first].tolist()),
        offsets=offsets,
        steps=np.where(np.isnan(codes), -1, codes).astype(np.int64),
        sets=sets,
        where=tuple(rows.where(row) for row in first.tolist()),
        columns=rows.columns,
        notes=notes.lines(),
        times=rows.times[order] if rows.columns.times else None,
        zone=zone,
    )


def to_sets(documents: SetDocuments, tokens: TokenChoices, known: KnownTokens | None, limits: Limits) -> Loaded:
    """Documents as a panel of zeros and ones: by the vocabulary of a model, or by their own."""
    sets, steps, where = documents.sets, documents.steps, documents.where[0]
    if known is None:
        vocabulary = words.new_vocabulary(sets, steps, tokens, where)
        channel = Channel(documents.columns.target, "set", "target", vocabulary)
        notes = words.told(sets, steps, len(documents.ids), vocabulary)
    else:
        channel, notes = known.channel, words.unknown_notes(sets, steps, known.vocabulary)
    values = words.multi_hot(sets, steps, channel.vocabulary, limits, where)
    zeros = np.zeros(len(documents.ids), np.int64)
    panel = Panel(
        documents.ids,
        documents.offsets,
        cast("Floats", values),  # in the smallest type: see Panel
        zeros,
        zeros,
        Calendar(Frequency("step"), (1,), documents.zone),
        (channel,),
    )
    found = (*documents.notes, *notes)
    settled = replace(tokens, multi_hot=True)
    return Loaded(panel, documents.columns, found, times=documents.times, tokens=settled)


def refuse_senseless(choices: ColumnChoices, tokens: TokenChoices) -> None:
    """UsageError for choices that mean nothing for sets."""
    if tokens.token is None:
        raise UsageError("--multi-hot needs the column of sets", hint="say which column it is: --token NAME")
    if tokens.set_separator == "":
        raise UsageError("--set-separator is empty", hint="say what stands between tokens: --set-separator ,")
    tokens_load.refuse_senseless(choices, tokens)
