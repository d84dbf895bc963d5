"""The training loop, as a generator of events."""

import rnncli.nn  # noqa: F401  # its settings must come before torch
