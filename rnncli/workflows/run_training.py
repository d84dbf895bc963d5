"""A training while it runs: its events are passed on, and what it has learnt is kept, whatever stops it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rnncli import model as models
from rnncli.cells.named import on_grid
from rnncli.data.load import Loaded
from rnncli.data.panel import Panel
from rnncli.errors import GateFailed, RankLost, TrainingDiverged
from rnncli.events import Budgeted, Listener, Noted, Phase
from rnncli.options.types import TrainOptions
from rnncli.spec import NetworkSpec
from rnncli.tasks.plan import Plan, Trained
from rnncli.tasks.task import Again, Model
from rnncli.workflows.trainable import require_torch

if TYPE_CHECKING:
    from rnncli.diagnostics.events import Exploded, Gradients, Strayed
    from rnncli.training.events import Event
    from rnncli.training.progress import Progress
    from rnncli.training.ranks import Ranks
    from rnncli.training.unfinished import Unfinished

COURSES = {
    "exploding": "lower --clip or --learning-rate; inspect-gradients with the same options says which layer it is",
    "collapse": "lower --learning-rate; inspect-gradients with the same options says how far a step moves the weights",
    "plateau": "inspect-gradients with the same options says whether the gradient reaches what matters",
}
"""Where a training goes when it goes wrong, and what is to be done then."""
SHARED = 256  # units from which several threads are worth what they cost one another


def run(
    loaded: Loaded,
    plan: Plan[Any],
    options: TrainOptions,
    tell: Listener,
    unfinished: Unfinished,
    together: Ranks | None = None,
) -> Trained[Any]:
    """Train from where `unfinished` stands, passing on every event. What the listener raises stops the training after
    it was kept; where it diverges, the best weights are kept as a model. Where others train `together` with this one
    and are lost, what there is is kept too.
    """
    from rnncli.nn.runtime import device, prepared
    from rnncli.training.progress import Progress
    from rnncli.training.ranks import ALONE
    from rnncli.training.session import train

    ranks = together or ALONE
    workers, threads = workers_and_threads(plan, options.get("threads"), alone=ranks.size == 1)
    with prepared(threads) as settings:
        for name, value in settings.items():
            tell(Noted(f"{name.replace('_', ' ')}: {value}", detail=True))
        where = device(options.get("device"))
        progress, line = (None, "") if options.get("fresh") else unfinished.found(where, ranks)
        if line:
            tell(Noted(line))
        progress = progress or Progress()
        panel = plan.task.seen_rows(loaded.panel, plan.spec)
        watching = _watching(panel, plan, where, options.get("watch_gradients"), progress)
        failing = _failing(tell, tuple(options.get("fail_on") or ()))
        with _kept_if_it_fails(loaded, plan, where, progress, unfinished, ranks):
            for event in train(panel, plan, where, progress, workers, ranks):
                if isinstance(event, Budgeted):
                    tell(Noted(str(event)))
                    continue
                if isinstance(event, Trained):
                    return event
                for seen in watching(event):
                    _pass_on(seen, failing, progress, unfinished)
                _pass_on(event, tell, progress, unfinished)
    raise AssertionError("training ends in what it trained")


@contextmanager
def _kept_if_it_fails(
    loaded: Loaded, plan: Plan[Any], device: str, progress: Progress, unfinished: Unfinished, ranks: Ranks
) -> Iterator[None]:
    """Keep the training so far where another rank is lost, and the last good weights where it diverges."""
    try:
        yield
    except RankLost as error:
        if unfinished.keep(progress):
            error.hint = f"{error.hint} from {unfinished.path}"
        raise
    except TrainingDiverged as error:
        ranks.outlast_the_first()  # it looks for the place, keeps what is good, and tells
        if ranks.first:
            seen = plan.task.seen_rows(loaded.panel, plan.spec)
            error.where = _named(seen, plan, device, progress, error) or error.where
            _keep_diverged(loaded, plan, progress, unfinished, error)
        raise


def workers_and_threads(plan: Plan[Any], asked: int | None, *, alone: bool) -> tuple[int, int | None]:
    """How many members are trained at a time, and by how many threads each."""
    from rnncli.nn.runtime import MOST_THREADS
    from rnncli.processors import available_cpus

    own = asked or threads_of(plan.network)
    if not alone:
        from rnncli.training.joining import cpus_of

        return 1, own or min(cpus_of(available_cpus()), MOST_THREADS)
    workers = min(asked or available_cpus(), plan.network.members * len(plan.candidates))
    return workers, 1 if workers > 1 else own


def _watching(
    panel: Panel, plan: Plan[Any], device: str, every: int | None, progress: Progress
) -> Callable[[Event], Iterator[Gradients | Exploded | Strayed]]:
    """What turns events into reports on gradients, every so many steps; without `every` it tells nothing."""
    if every is None:
        return lambda _: iter(())
    from rnncli.workflows.watching import Watching

    return Watching(panel, plan, device, every, progress)


def _named(panel: Panel, plan: Plan[Any], device: str, progress: Progress, error: TrainingDiverged) -> str:
    """Series, origin, layer and lag of a step that is not finite."""
    from rnncli.workflows.watching import named

    assert isinstance(error.phase, Phase)
    return named(panel, plan, device, progress, error.phase)


def _failing(tell: Listener, courses: tuple[str, ...]) -> Listener:
    """A listener that raises GateFailed where a training goes in a way that it must not."""

    def heard(event: Any) -> None:
        tell(event)
        course = getattr(event, "course", None)
        if course in courses:
            raise GateFailed(f"the training is stopped: {event.text}", hint=COURSES[course])

    return heard


def _pass_on(event: object, tell: Listener, progress: Progress, unfinished: Unfinished) -> None:
    from rnncli.training.events import Finished

    try:
        tell(event)
    except BaseException as stop:
        if unfinished.keep(progress):
            stop.add_note(f"the training so far is in {unfinished.path}; the same command goes on from there")
        raise
    if isinstance(event, Finished):
        unfinished.keep(progress)
    else:
        unfinished.keep_now_and_then(progress)


def _keep_diverged(
    loaded: Loaded, plan: Plan[Any], progress: Progress, unfinished: Unfinished, error: TrainingDiverged
) -> None:
    from rnncli.training.session import good_so_far

    so_far = good_so_far(progress, plan)
    if unfinished.path is None or so_far is None:
        return
    models.save(unfinished.path, plan.task.unsettled(loaded, so_far))
    error.hint = f"{error.hint}; the last good weights are in {unfinished.path}"


def threads_of(network: NetworkSpec) -> int | None:
    """One thread where the work of a step is too small to be shared; else, as on a grid, as many as there are."""
    return 1 if network.layers * network.hidden < SHARED and not on_grid(network.cell) else None


def refit(loaded: Loaded, model: Model, options: TrainOptions, tell: Listener) -> Model:
    """A model of the same network, trained in the same way on other rows."""
    require_torch("training once more")
    from rnncli.training.unfinished import Unfinished

    plan = model.task.planned_again(loaded, model)
    trained = run(loaded, plan, options, tell, Unfinished(None, "", plan))
    again: Model = model.task.refitted(loaded, trained)
    return again


def repeating(device: str | None, threads: int | None, tell: Listener) -> Again:
    """What trains a model once more on other rows, there and by so many threads."""
    return lambda loaded, model: refit(loaded, model, {"device": device, "threads": threads}, tell)
