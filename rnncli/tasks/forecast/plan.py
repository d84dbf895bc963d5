"""What the data say about how to forecast them: link, level, spread, lookback, sizes, and how long to train."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Ints
from rnncli.cells.name import parsed_list
from rnncli.cells.named import asks_for_gaps, layers_of, refuse_convolution, resolved, takes_activation
from rnncli.data.calendar import Calendar
from rnncli.data.channel import Channel
from rnncli.data.panel import Panel
from rnncli.data.wall import follows
from rnncli.spec import NetworkSpec, TrainingSpec
from rnncli.tasks.forecast import plain, universal
from rnncli.tasks.forecast.network import network_inputs, refuse_what_sees_ahead
from rnncli.tasks.forecast.spec import ROLES, Covariate, ForecastSpec
from rnncli.tasks.forecast.support import SMALLEST_LOG_RANGE, fullness, shown, support
from rnncli.tasks.plan import Plan, Sizes

HORIZONS = {"hour": 48, "day": 14, "business day": 10, "week": 13, "month": 18, "quarter": 8, "year": 6}  # as in M4
CELL = "lstm"
DEFAULT_LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
WINDOW_LIMIT = 48
CYCLES = 3  # of the longest season that the plain forecasts see
SERIES_LOOKED_AT = 500
MOST = 0.5  # of the series
YOUNG = (1, 2, 3, 4, 6, 8, 12, 16)  # rows of series that have just begun
ROWS_A_STEP, TARGETS_A_STEP = 64_000, 1 << 16  # of the encoder, and of the decoder: what training holds in memory
UNIVERSAL_DECODER = 64
ATTENDED = 1_024  # outputs of a series that a state keeps, and a query looks at
LONGEST_CONTEXT, WHOLE = 336, 1_000  # steps at most if nobody said how many; and where training sees whole series


def default_horizon(calendar: Calendar, lengths: Ints) -> int:
    """M4's horizon for the frequency, or a season, but no more than a quarter of a typical series."""
    frequency = calendar.frequency
    usual = HORIZONS.get(frequency.unit, 0) if frequency.multiple == 1 else 0
    usual = usual or (calendar.seasons[0] if calendar.seasons[0] > 1 else 12)
    return int(max(1, min(usual, np.median(lengths) // 4)))


def covariates(panel: Panel) -> tuple[Covariate, ...]:
    """The declared covariates with what centres and scales them, over all rows."""
    return tuple(_covariate(channel, panel.of(channel.name)) for channel in panel.channels if channel.role in ROLES)


def _covariate(channel: Channel, values: Floats) -> Covariate:
    name, role, categories = channel.name, channel.role, channel.vocabulary
    if channel.kind == "number":
        return Covariate(name, role, (), *_centre_and_scale(values))
    counts = np.bincount(values[values >= 0].astype(np.int64), minlength=len(categories))
    return Covariate(name, role, categories, shares=tuple((counts / max(counts.sum(), 1)).tolist()))


def _centre_and_scale(values: Floats) -> tuple[float, float]:
    seen = values[~np.isnan(values)]
    scale = float(seen.std()) if seen.size else 0.0
    return (float(seen.mean()) if seen.size else 0.0), scale if 0 < scale < np.inf else 1.0


def fitted_to(panel: Panel, spec: ForecastSpec) -> ForecastSpec:
    """The spec of a forecast with link, bounds, whole numbers and spread as the rows of another panel ask for them."""
    link, floor, whole = in_common(panel, spec)
    fitted = with_spread(panel, replace(spec, link=link, floor=floor, ceiling=fullness(panel), whole=whole))
    return bounded(panel, fitted, spec.minimum, spec.maximum)


def bounded(panel: Panel, spec: ForecastSpec, minimum: float | None, maximum: float | None) -> ForecastSpec:
    """The spec of a forecast within the bounds that the user gave. Values that may be negative are not forecast on the
    logarithm, even if none has been negative so far.
    """
    link = "identity" if minimum is not None and minimum < 0 else spec.link
    within = replace(
        spec,
        link=link,
        floor=spec.floor if minimum is None else minimum,
        ceiling=spec.ceiling if maximum is None else maximum,
        minimum=minimum,
        maximum=maximum,
    )
    return within if link == spec.link else with_spread(panel, within)


def forecast_spec(
    panel: Panel,
    horizon: int,
    levels: tuple[float, ...],
    context: int | None = None,
    beside: tuple[Covariate, ...] = (),
    *,
    carried: bool = False,
) -> ForecastSpec:
    """The choices that follow from the rows in `panel`; `context` overrides how many encoder steps there are. Where
    training carries its state through whole series, a forecast sees as much of them as is affordable.
    """
    seasons = panel.calendar.seasons
    season, longest = seasons[0], max(seasons)
    window = min(season if season > 1 else 8, WINDOW_LIMIT)
    lookback = max(plain.SEASONS_AVERAGED * season if season > 1 else 12, window)
    lookback = max(lookback, CYCLES * longest if longest > season else 1)
    usual = min(max(2 * longest if longest <= 84 else longest, 48 if season > 1 else 32), LONGEST_CONTEXT)
    steps = context or (WHOLE if carried else int(usual))
    steps = max(1, min(steps, int(panel.lengths.max())))
    spec = ForecastSpec(
        horizon=horizon,
        levels=levels,
        seasons=seasons,
        link="log",
        window=window,
        level_window=season,
        lookback=lookback,
        steps=steps,
        spread_prior=1.0,
        prior_rows=float(season + 4),
        floor=None,
        ceiling=None,
        covariates=beside,
        components=plain.names(seasons, lookback),
        judged=min(horizon, max(1, lookback // 3)),
        each=True,
        young=YOUNG,
        wall=follows(panel.calendar, seasons),
    )
    spec = replace(spec, known=network_inputs(spec, panel.calendar)[1])
    return fitted_to(panel, spec)


def universal_spec(panel: Panel, spec: ForecastSpec) -> ForecastSpec:
    """The spec of a forecast by a network whose weights fit all seasons and horizons."""
    spec = replace(
        spec,
        window=universal.WINDOW,
        lookback=max(spec.lookback, universal.WINDOW),
        components=plain.universal_names(),
        universal=True,
        decoder=UNIVERSAL_DECODER,
    )
    return replace(spec, known=network_inputs(spec, panel.calendar)[1])


def in_common(panel: Panel, spec: ForecastSpec) -> tuple[str, float | None, bool]:
    """Link, floor and whole numbers of all series together; the logarithm where it is that of half of the series."""
    seen = shown(panel, np.arange(len(panel)), panel.lengths)
    some = np.isfinite(seen.least)
    floor = 0.0 if some.any() and bool((seen.least[some] >= 0).all()) else None
    whole = bool(some.any() and seen.whole[some].all())
    if not spec.each:
        return choose_link(panel), floor, whole
    chosen = _some(len(panel))
    told = support(panel, chosen, panel.lengths[chosen], replace(spec, link="log"))
    return ("log" if told.logs.mean() >= MOST else "identity"), floor, whole


def choose_link(panel: Panel) -> str:
    """Log where all values are positive and none is out of proportion: changes then compare across levels."""
    values = panel.targets
    observed = values[~np.isnan(values)]
    if not observed.size or observed.min() <= 0 or observed.min() < SMALLEST_LOG_RANGE * np.median(observed):
        return "identity"
    return "log"


def with_spread(panel: Panel, spec: ForecastSpec) -> ForecastSpec:
    """The spec of a forecast with the spread that short histories are drawn towards.

    It is the median over series of the mean absolute seasonal difference, on the logarithm as it is, and else as a
    share of the mean absolute value; or in the data's units, where that is what differs less between the series.
    """
    chosen = _some(len(panel))
    logs = support(panel, chosen, panel.lengths[chosen], spec).logs
    targets, season = [panel.target(s) for s in chosen], spec.seasons[0]
    units = np.array([_spread(y, season) for y in targets])
    sizes = np.array([_size(y) for y in targets])
    ratios = np.array([_spread(np.log(y), season) if on else 0.0 for y, on in zip(targets, logs, strict=True)])
    relative = np.where(logs, ratios, units / np.maximum(sizes, 1e-300))
    spec = replace(spec, spread_prior=_middle(relative, 0.1))
    if not spec.each:
        return spec
    off = ~logs if not logs.all() else logs
    known = ~logs & (units > 0) & (relative > 0)
    fixed = bool(known.any() and np.std(np.log(units[known])) <= np.std(np.log(relative[known])))
    return replace(spec, spread_unit=_middle(units[off], 1.0), spread_fixed=fixed)


def _middle(values: Floats, otherwise: float) -> float:
    usable = values[np.isfinite(values) & (values > 0)]
    return float(np.median(usable)) if usable.size else otherwise


def _some(series: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, series - 1, min(series, SERIES_LOOKED_AT)).astype(np.int64))


def _spread(z: Floats, season: int) -> float:
    change = np.abs(z[season:] - z[:-season])
    change = change[~np.isnan(change)]
    return float(change.mean()) if change.size else float("nan")


def _size(y: Floats) -> float:
    seen = np.abs(y[~np.isnan(y)])
    return float(seen.mean()) if seen.size else float("nan")


WITH_COVARIATES, WITHOUT_COVARIATES = "with covariates", "without covariates"  # what is in doubt
MEMBERS = 2  # one for each of two cores
SMALL_PANEL = 150_000  # observed rows: below, a larger network learns the noise


def with_gaps(spec: ForecastSpec, sizes: Sizes) -> ForecastSpec:
    """The spec of a forecast by a cell that may ask for gaps. UsageError where a later layer does."""
    cell = sizes.cell or CELL
    return replace(spec, gaps=asks_for_gaps(cell, sizes.layers or layers_of(cell) or 1))


def with_attention(spec: ForecastSpec, *, attends: bool) -> ForecastSpec:
    """The spec of a forecast whose head attends to the encoder's outputs in all steps, ATTENDED of them at most, or to
    none.
    """
    return replace(spec, attended=min(spec.steps, ATTENDED) if attends else 0)


def network_spec(panel: Panel, spec: ForecastSpec, sizes: Sizes) -> NetworkSpec:
    """One layer of 32 with dropout 0.2 for small panels, two of 64 with 0.1 for large ones; memory for the longest
    season from the start.
    """
    small = bool(np.count_nonzero(~np.isnan(panel.targets)) < SMALL_PANEL)
    inputs, _ = network_inputs(spec, panel.calendar)
    longest = max(spec.seasons)
    cell = sizes.cell or CELL
    refuse_what_sees_ahead(cell)
    refuse_convolution(cell)
    relu = sizes.activation == "relu" and all(map(takes_activation, parsed_list(cell)))
    layers = sizes.layers or layers_of(cell) or (1 if small or spec.gaps else 2)
    return NetworkSpec(
        cell=resolved(cell, layers, spec.seasons),
        activation=sizes.activation,
        layers=layers,
        hidden=sizes.hidden or (32 if small else 64),
        dropout=sizes.dropout if sizes.dropout is not None else (0.2 if small else 0.1),
        recurrent_dropout=sizes.recurrent_dropout or 0.0,
        residual=not sizes.plain_stack,
        init=sizes.init or ("identity" if relu else f"chrono:{max(longest, 8)}"),
        inputs=inputs,
        members=sizes.members or MEMBERS,
        layer_norm=sizes.layer_norm,
    )


def training_spec(network: NetworkSpec, forecast: ForecastSpec, sizes: Sizes) -> TrainingSpec:
    """Steps, batch and rates; the steps are those of the search on held-out rows."""
    small = network.hidden * network.layers < 64
    steps = sizes.steps or (400 if small else 640)
    return sizes.training(
        steps=steps,
        batch=batch_of(64 if small else 32, forecast, sizes.tbptt),
        rate=3e-3 if small else 6e-3,
        tbptt=sizes.tbptt,
    )


def batch_of(usual: int, forecast: ForecastSpec, tbptt: int | None) -> int:
    """The usual batch, or as many crops as memory is bounded by where each is long, or its horizon."""
    rows = min(forecast.steps, tbptt or forecast.steps)
    return max(1, min(usual, ROWS_A_STEP // rows, TARGETS_A_STEP // forecast.horizon))


def doubted(panel: Panel, plan: Plan[ForecastSpec]) -> Plan[ForecastSpec]:
    """The plan with a rival that does not know the covariates, holidays among them, if there are any."""
    spec = plan.spec
    if not spec.covariates and panel.calendar.holidays is None:
        return plan
    ahead = tuple(covariate.name for covariate in spec.covariates if covariate.role == "future")
    alone = replace(spec, covariates=(), left_out=ahead)
    inputs, known = network_inputs(alone, target_alone(panel).calendar)
    network, alone = replace(plan.network, inputs=inputs), replace(alone, known=known)
    rival = replace(plan, network=network, spec=alone, variant=WITHOUT_COVARIATES)
    return replace(plan, rivals=(rival,), variant=WITH_COVARIATES)


def target_alone(panel: Panel) -> Panel:
    """The panel without its covariates, holidays among them."""
    calendar = replace(panel.calendar, holidays=None)
    return replace(panel, values=panel.values[:, :1], channels=panel.channels[:1], calendar=calendar)
