"""`rnncli predict`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Unpack, cast

from rnncli.cli.options import Columns, CsvRaw, Data, Horizon, Model, Point, Quantiles, TableFile, Tidy
from rnncli.cli.streams import Streams
from rnncli.cli.written import file_of
from rnncli.registry import WRITERS

if TYPE_CHECKING:
    from rnncli.workflows.predict import Forecast


def predict(
    streams: Streams,
    data: Data,
    model: Model,
    output: TableFile = None,
    horizon: Horizon = None,
    quantiles: Quantiles = None,
    point: Point = None,
    tidy: Tidy = False,
    csv_raw: CsvRaw = False,
    **columns: Unpack[Columns],
) -> None:
    """Forecast the next rows of every series in DATA."""
    path = file_of(output, WRITERS)
    from rnncli.workflows.predict import predict as work

    middle = cast("Literal['median', 'mean']", point or "median")
    made = work(data, model, horizon=horizon, quantiles=quantiles, point=middle, on_event=streams, **columns)
    if path is None:
        plain = b"" if streams.json else made.encode("csv", tidy=tidy, raw=csv_raw)
        streams.result(made.to_json, plain)
        return
    size = made.write(path, tidy=tidy, raw=csv_raw)
    streams.say([f"wrote {made.rows:,} rows ({made.series:,} series) to {path}"])
    streams.result(partial(written, made, path, size))


def written(made: Forecast, path: str, size: int) -> dict[str, Any]:
    """What is in the file, without the forecasts themselves."""
    document = {key: value for key, value in made.to_json().items() if key != "series"}
    return document | {"output": path, "bytes": size, "series": made.series, "rows": made.rows}
