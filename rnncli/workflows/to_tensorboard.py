"""A training in TensorBoard's event files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnncli.workflows.tracking import Scalars


class TensorBoard:
    """A folder of event files; a training that is gone on with adds a file."""

    def __init__(self, folder: str) -> None:
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(folder)

    def settings(self, settings: Mapping[str, Any]) -> None:
        """A table under "Text"."""
        rows = "".join(f"| {name} | {value} |\n" for name, value in settings.items())
        self._writer.add_text("settings", f"| setting | value |\n|---|---|\n{rows}")

    def scalars(self, found: Scalars) -> None:
        """Numbers, on the disk when this returns."""
        for name, value, step in found:
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self, status: str) -> None:
        """The last file is closed; how it ended is not told there."""
        del status
        self._writer.close()


def opened(place: str, request: str, name: str) -> TensorBoard:
    """The folder `place`, made if it is not there. OSError if it cannot be."""
    del request, name
    return TensorBoard(place)
