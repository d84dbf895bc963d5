"""What a model of tokens knows of its data."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rnncli.data.channel import Channel
from rnncli.data.load import Loaded
from rnncli.data.tokens.vocabulary import END, UNKNOWN, has_end, usual_count
from rnncli.errors import RnncliError
from rnncli.spec import Columns, TokenChoices


@dataclass(frozen=True)
class KnownTokens:
    """What a model knows about its documents of tokens: nothing of it is inferred again.

    `channel` has the vocabulary, of which code 0 is UNKNOWN; `choices` are settled, and `zone` is that of times in
    which nothing else says one. `beside` are the channels beside events, and `timed` says that it is known when these
    come.
    """

    columns: Columns
    channel: Channel
    choices: TokenChoices
    zone: str | None = None
    beside: tuple[Channel, ...] = ()
    timed: bool = False

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The tokens, by their codes."""
        return self.channel.vocabulary

    @property
    def end(self) -> int | None:
        """The code of the token at the end of a document; None if there is none."""
        return 1 if has_end(self.vocabulary) else None


def known_tokens(loaded: Loaded) -> KnownTokens:
    """What a model keeps of the documents that it was trained on."""
    if loaded.tokens is None:
        raise RnncliError("these data were not read as tokens")
    settled = replace(loaded.tokens, min_count=usual_count(loaded.tokens))
    channel, *others = loaded.panel.channels
    beside = tuple(one for one in others if one.role != "time")
    return KnownTokens(
        loaded.columns, channel, settled, loaded.panel.calendar.zone, beside, timed=len(beside) < len(others)
    )


def shown_token(token: str) -> str:
    """A token as messages and tables write it: what would not be seen is escaped."""
    return token if token in (UNKNOWN, END) or (token.isprintable() and token.strip()) else repr(token)[1:-1] or "''"
