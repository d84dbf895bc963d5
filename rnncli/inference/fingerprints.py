"""Fingerprints of rows, which are added up as rows are consumed.

The fingerprint of a row mixes the bits of its values with its number (the finaliser of SplitMix64; Steele, Lea & Flood
2014, "Fast Splittable Pseudorandom Number Generators"), and those of a series are added up modulo 2^64: the sum of the
rows to come can be added later, and it tells a series in which a row was changed, moved or filled in from what it was,
but for one chance in 2^64.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Ints
from rnncli.data.panel import offsets_of, spans

Bits = NDArray[np.uint64]

AT_ONCE = 1 << 16  # rows: few enough to stay in the processor's cache
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIXING = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


def fingerprints(values: Floats, channels: Sequence[int], rows: Ints, lengths: Ints) -> Ints:
    """Sums of the fingerprints of stretches of rows: some channels of values [sum of lengths, all channels], of which
    each stretch begins with row rows[s] of its series: [stretches].
    """
    begins = offsets_of(lengths)
    parts = [
        _sums(values[begins[some.start] : begins[some.stop]], channels, rows[some], lengths[some])
        for some in spans(lengths)
    ]
    return np.concatenate(parts)


def _sums(values: Floats, channels: Sequence[int], rows: Ints, lengths: Ints) -> Ints:
    number = np.repeat(rows - np.cumsum(lengths) + lengths, lengths)
    total = np.zeros(len(values) + 1, np.uint64)
    for begin in range(0, len(values), AT_ONCE):
        some = slice(begin, min(begin + AT_ONCE, len(values)))
        total[1:][some] = _of_rows(values[some], number[some] + np.arange(some.start, some.stop), channels)
    np.cumsum(total, out=total)
    ends = np.cumsum(lengths)
    return np.asarray((total[ends] - total[ends - lengths]).view(np.int64))


def _of_rows(values: Floats, number: Ints, channels: Sequence[int]) -> Bits:
    mixed = number.astype(np.uint64) * GOLDEN
    for channel in channels:
        value = values[:, channel] + 0.0  # -0.0 is 0.0
        value[np.isnan(value)] = np.nan  # of whatever bits
        mixed = _mixed(mixed ^ value.view(np.uint64))
    return mixed


def _mixed(x: Bits) -> Bits:
    x = x + GOLDEN
    for shift, factor in MIXING:
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return x ^ (x >> np.uint64(31))
