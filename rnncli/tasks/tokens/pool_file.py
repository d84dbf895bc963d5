"""What a model file says of n-grams beside its network: of each order, in the numbers that need the fewest bytes, how
many tokens follow each context, which, and how often. Files of networks alone say nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli import checkpoint
from rnncli.baselines.tokens.documents import Documents
from rnncli.baselines.tokens.kneser_ney import KneserNey, Level
from rnncli.errors import UsageError
from rnncli.model import Meta
from rnncli.tasks.tokens.event_file import Part
from rnncli.tasks.tokens.pool import COUNTED, MOST, Pool, last_of, ngrams_in
from rnncli.tasks.tokens.spec import HIGHEST, MOST_TOKENS, TokenSpec

POOL, KINDS = "pool", ("followers", "tokens", "counts")
TOLD = 1 << 18  # tokens by which the size of a file is foretold
WIDTHS = (1, 2, 4)  # bytes of a number


def to_file(pool: Pool | None) -> Part:
    """The n-grams of a model; nothing where there are none."""
    if pool is None:
        return Part({}, {})
    tensors = {}
    for order, level in enumerate(pool.ngrams.levels, 1):
        for kind, numbers in zip(KINDS, (level.followers, level.tokens, level.counts), strict=True):
            tensors[_name(order, kind)] = _small(numbers)
    told = [
        [len(level), *(tensors[_name(order, kind)].itemsize for kind in KINDS)]
        for order, level in enumerate(pool.ngrams.levels, 1)
    ]
    return Part(tensors, {POOL: {"share": pool.share, "orders": told}})


def expected_bytes(documents: Documents, size: int, order: int) -> int:
    """About how many bytes a file needs for n-grams of documents: they grow as a power of the tokens, which a quarter
    of a million of these tell.
    """
    half, whole = (_bytes_in(last_of(documents, tokens), size, order) for tokens in (TOLD // 2, TOLD))
    times = max(1.0, min(documents.rows, COUNTED) / TOLD)
    return int(whole * times ** np.log2(whole / half))


def _bytes_in(documents: Documents, size: int, order: int) -> int:
    made = to_file(Pool(ngrams_in(documents, size, order), share=1.0))
    return sum(tensor.nbytes for tensor in made.tensors.values())


def _name(order: int, kind: str) -> str:
    return f"ngrams.{order}.{kind}"


def _small(numbers: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))


def _contexts(sizes: list[int]) -> list[int]:
    """The contexts of each order, from the n-grams of each: those of the order below, or nothing; before a document is
    one more.
    """
    return [1, *(size + (order == 0) for order, size in enumerate(sizes[:-1]))]


def layout(meta: Meta) -> checkpoint.Layout:
    """The tensors that a description implies. UsageError where it is none."""
    if POOL not in meta:
        return {}
    orders = meta[POOL]["orders"]
    for one in orders:
        if len(one) != 4 or any(type(number) is not int for number in one) or not 0 < one[0] <= MOST + MOST_TOKENS:
            raise UsageError("its n-grams are none")
        if any(width not in WIDTHS for width in one[1:]):
            raise UsageError("its n-grams are numbers of odd sizes")
    if not 0 < len(orders) <= HIGHEST:
        raise UsageError(f"its n-grams have {len(orders)} orders")
    contexts = _contexts([one[0] for one in orders])
    return {
        _name(order, kind): (np.dtype(f"<u{width}"), (size,))
        for order, one in enumerate(orders, 1)
        for kind, width, size in zip(KINDS, one[1:], (contexts[order - 1], one[0], one[0]), strict=True)
    }


def from_file(found: checkpoint.Model, spec: TokenSpec) -> Pool | None:
    """The n-grams in a file. UsageError where they contradict themselves, or its spec."""
    if POOL not in found.meta:
        return None
    told = found.meta[POOL]
    share, orders = told["share"], len(told["orders"])
    if type(share) is not float or not 0 < share <= 1 or orders > spec.ngrams:
        raise UsageError("its n-grams do not fit its tokens")
    return Pool(
        KneserNey(spec.tokens, tuple(_level(found, order, spec.tokens) for order in range(1, orders + 1))), share
    )


def _level(found: checkpoint.Model, order: int, size: int) -> Level:
    followers, tokens, counts = (found.tensors[_name(order, kind)] for kind in KINDS)
    first = np.concatenate([[0], np.cumsum(followers, dtype=np.int64)])
    if first[-1] != len(tokens) or int(tokens.max()) >= size or int(counts.min()) < 1:
        raise UsageError("its n-grams do not lie end to end")
    begins = np.zeros(len(tokens) + 1, np.bool_)
    begins[first] = True
    if not (begins[1:-1] | (tokens[1:] > tokens[:-1])).all():
        raise UsageError("its n-grams are not in order")
    return Level(size, first, tokens, counts)
