"""Australian quarterly beer production, megalitres, Australian Bureau of Statistics: 1992-2007, and what came then."""

from __future__ import annotations

import numpy as np
import pytest

# fmt: off
PAST = np.array([
    443, 410, 420, 532, 433, 421, 410, 512, 449, 381, 423, 531, 426, 408, 416, 520,
    409, 398, 398, 507, 432, 398, 406, 526, 428, 397, 403, 517, 435, 383, 424, 521,
    421, 402, 414, 500, 451, 380, 416, 492, 428, 408, 406, 506, 435, 380, 421, 490,
    435, 390, 412, 454, 416, 403, 408, 482, 438, 386, 405, 491, 427, 383, 394, 473,
], dtype=float)
FUTURE = np.array([420, 390, 410, 488, 415, 398, 419, 488, 414, 374], dtype=float)
# fmt: on


@pytest.fixture(scope="session")
def beer() -> tuple[np.ndarray, np.ndarray]:
    """The past, and ten quarters that followed."""
    return PAST, FUTURE
