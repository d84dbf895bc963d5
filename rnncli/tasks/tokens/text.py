"""Tokens put together again as the text that they were, one after the other as they come."""

from __future__ import annotations

import codecs

from rnncli.baselines.tokens.documents import NOTHING
from rnncli.data.tokens.split import joint
from rnncli.tasks.tokens.stream import TokenState, last_codes
from rnncli.tasks.tokens.token_model import TokenModel


class Joining:
    """What each token adds to the text of a document that goes on from a state. Of bytes a character comes when its
    last one does; those that are no UTF-8 become U+FFFD.
    """

    def __init__(self, model: TokenModel, here: TokenState) -> None:
        self._vocabulary, self._split = model.vocabulary, model.known.choices.split
        last = int(last_codes(here, 1)[0, 0])
        self._before = "" if last == NOTHING else self._vocabulary[last]
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace")

    def text_of(self, code: int) -> str:
        """What the next token adds."""
        token = self._vocabulary[code]
        text = joint(self._before, token, self._split) + token
        self._before = token
        return self._bytes.decode(text.encode("latin-1")) if self._split == "byte" else text

    def rest(self) -> str:
        """What is left of a character whose last bytes never came."""
        return self._bytes.decode(b"", final=True)
