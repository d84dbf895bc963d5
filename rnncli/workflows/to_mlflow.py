"""A training as a run of MLflow, through its client alone: no state of the process is changed."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from rnncli.workflows.tracking import Scalars

EXPERIMENT, REQUEST = "rnncli", "rnncli.request"
AT_ONCE = 500  # numbers in a message
RUNNING = "RUNNING"
_QUIETLY = {  # a training does not wait long for a log, and tells nobody else
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
}


@contextmanager
def _as_storage() -> Iterator[None]:
    """OSError for what MLflow, or the database below it, says of a place that cannot be reached or written."""
    from mlflow.exceptions import MlflowException

    failures: tuple[type[Exception], ...] = (MlflowException,)
    if find_spec("sqlalchemy") is not None:
        from sqlalchemy.exc import SQLAlchemyError

        failures = (MlflowException, SQLAlchemyError)
    try:
        yield
    except failures as error:
        raise OSError(str(error)) from error


class Run:
    """A run of a training: that which was broken off, where there is one, or a new one. OSError where the place cannot
    be reached or written.
    """

    def __init__(self, uri: str, request: str, name: str) -> None:
        for variable, value in _QUIETLY.items():
            os.environ.setdefault(variable, value)
        from mlflow.tracking import MlflowClient

        for chatty in ("mlflow", "alembic"):
            logging.getLogger(chatty).setLevel(logging.ERROR)
        with _as_storage():
            self._client: Any = MlflowClient(uri)
            self._run: str = self._open(request, name)

    def _open(self, request: str, name: str) -> str:
        found = self._client.get_experiment_by_name(EXPERIMENT)
        experiment = self._client.create_experiment(EXPERIMENT) if found is None else found.experiment_id
        query = f"tags.`{REQUEST}` = '{request}' and attributes.status != 'FINISHED'"
        broken_off = self._client.search_runs([experiment], query, max_results=1)
        if broken_off:
            self._client.update_run(broken_off[0].info.run_id, status=RUNNING)
            return str(broken_off[0].info.run_id)
        return str(self._client.create_run(experiment, run_name=name, tags={REQUEST: request}).info.run_id)

    @_as_storage()
    def settings(self, settings: Mapping[str, Any]) -> None:
        """Parameters of the run."""
        from mlflow.entities import Param

        params = [Param(name, str(value)[:500]) for name, value in settings.items()]
        self._client.log_batch(self._run, params=params)

    @_as_storage()
    def scalars(self, found: Scalars) -> None:
        """Metrics of the run."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, step) for name, value, step in found]
        for begin in range(0, len(metrics), AT_ONCE):
            self._client.log_batch(self._run, metrics=metrics[begin : begin + AT_ONCE])

    @_as_storage()
    def close(self, status: str) -> None:
        """The run has ended so."""
        self._client.set_terminated(self._run, status)


def opened(place: str, request: str, name: str) -> Run:
    """The run at a tracking server or database `place`. OSError or ImportError if it cannot be begun."""
    return Run(place, request, name)
