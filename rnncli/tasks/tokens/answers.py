"""What a network says of next tokens, beside what came: how likely that was, and how many were held for more likely."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Array, Floats, Ints
from rnncli.tasks.tokens.head import log_softmax


def ranks_of(logs: NDArray[Any], codes: Ints) -> Ints:
    """How many tokens are held for more likely than codes [n], by logs [n, tokens]; of tokens as likely as each other
    the lower code counts first: [n].
    """
    own = np.take_along_axis(logs, codes[:, None], axis=1)
    before = (logs == own) & (np.arange(logs.shape[1]) < codes[:, None])
    return np.asarray(np.count_nonzero(logs > own, axis=1) + np.count_nonzero(before, axis=1), np.int64)


def of_what_came(logits: Array, came: Array) -> Floats:
    """Logits [o, tokens] and the codes [o] that came (NaN: nobody knows) -> log p of each in nats, and how many tokens
    are more likely, both NaN where nobody knows: [o, 2].
    """
    known = ~np.isnan(came)
    code = np.where(known, came, 0).astype(np.int64)
    logs = log_softmax(np.asarray(logits, np.float64), np)
    own = np.take_along_axis(logs, code[:, None], axis=1)[:, 0]
    found = np.stack([own, ranks_of(logs, code).astype(np.float64)], axis=1)
    return np.where(known[:, None], found, np.nan)
