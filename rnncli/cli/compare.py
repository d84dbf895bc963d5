"""`rnncli compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from rnncli.cli.evaluate import shown
from rnncli.cli.streams import Streams
from rnncli.cli.written import ScoredOptions, scored
from rnncli.options.types import columns_of

if TYPE_CHECKING:
    from rnncli.workflows.compare import Comparison


def compare(
    streams: Streams,
    data: list[str],
    models: list[str] | None = None,
    forecasts: list[str] | None = None,
    windows: int | None = None,
    from_: str | None = None,
    until: str | None = None,
    stride: int | None = None,
    horizon: int | None = None,
    refit: bool = True,
    alpha: float | None = None,
    by: str | None = None,
    device: str | None = None,
    threads: int | None = None,
    **options: Unpack[ScoredOptions],
) -> None:
    """Score models and saved forecasts A, B, ... side by side on DATA."""
    from rnncli.workflows.compare import compare as work

    def made() -> Comparison:
        return work(
            data,
            models or (),
            forecasts=forecasts,
            windows=windows,
            start=from_,
            until=until,
            stride=stride,
            horizon=horizon,
            refit=refit,
            alpha=alpha,
            by=by,
            device=device,
            threads=threads,
            on_event=streams,
            **columns_of(options),
        )

    scored(streams, options, "rnncli.compare/1", "the scores", made, lambda done: shown(done.report, by), by=by)
