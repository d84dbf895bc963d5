"""What a network says of next tokens, beside what came: how likely that was, and how many were held for more likely."""

from __future__ import annotations

import numpy as np

from rnncli.arrays import Array, Floats
from rnncli.baselines.tokens.baseline import ranks_of
from rnncli.tasks.tokens.head import log_softmax


def of_what_came(logits: Array, came: Array) -> Floats:
    """Logits [o, tokens] and the codes [o] that came (NaN: nobody knows) -> log p of each in nats, and how many tokens
    are more likely, both NaN where nobody knows: [o, 2]. Of tokens with the same logit the earlier code counts first.
    """
    known = ~np.isnan(came)
    code = np.where(known, came, 0).astype(np.int64)
    logs = log_softmax(np.asarray(logits, np.float64), np)
    own = np.take_along_axis(logs, code[:, None], axis=1)[:, 0]
    found = np.stack([own, ranks_of(logs, code).astype(np.float64)], axis=1)
    return np.where(known[:, None], found, np.nan)
