"""Names of array types that signatures share, so that each is written once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Array = Any  # NumPy's or torch's: what a formula over an array namespace takes
