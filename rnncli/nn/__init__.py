"""Torch: parameters, kernels, the settings of the process."""

import os

# OpenMP reads this once, when torch loads: threads that spin while they wait eat the other half of a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
