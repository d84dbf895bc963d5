"""Names for arrays: what a signature says of the numbers in one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Inputs = NDArray[np.float32]
Array = Any
"""Of NumPy or of torch: what a formula over both takes."""
