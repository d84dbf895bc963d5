"""A report of a model on data, as one page: what it is, how good it is, and why."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Unpack

import rnncli
from rnncli import files
from rnncli.charts.page import page
from rnncli.charts.style import escaped, need_matplotlib
from rnncli.data.targets import shown_targets
from rnncli.errors import RnncliError, UsageError, without_secrets
from rnncli.events import Listener, Noted, unheard
from rnncli.options.types import ColumnOptions, Model, ReportOptions, columns_of
from rnncli.outline import Outline, shown
from rnncli.registry import BASE
from rnncli.tasks.reading import listed
from rnncli.workflows import report_sections as sections
from rnncli.workflows import reproduce
from rnncli.workflows.arguments import public
from rnncli.workflows.evaluate import Evaluation, evaluate
from rnncli.workflows.inspect_gradients import Inspection, inspect_gradients
from rnncli.workflows.model import Given, given
from rnncli.workflows.paths import keep_apart
from rnncli.workflows.report_sections import Section

SCHEMA = "rnncli.report/1"
SERIES = 6  # pictures of series
MADE_AGAIN = ("again.safetensors", "once-more.safetensors")  # never over the model that the page is about
INSTEAD = "evaluate and inspect-gradients say it in text"


@shown
@dataclass(frozen=True)
class Reported:
    """A report: the scores, the diagnosis of the gradients (None where nobody looked), and the page, which a notebook
    can show and `write` can keep.
    """

    evaluation: Evaluation
    inspection: Inspection | None
    page: bytes = field(repr=False)
    output: str | None = None

    def write(self, path: str | os.PathLike[str]) -> int:
        """Write the page (.html), whole or not at all; returns its bytes."""
        files.atomic_write(path, self.page)
        return len(self.page)

    def outline(self) -> Outline:
        """The scores, the diagnosis, and where the page is."""
        scores = self.evaluation.outline()
        found = [] if self.inspection is None else [("gradients", self.inspection.report.diagnosis)]
        file = [("file", self.output)] if self.output else []
        return scores._replace(title="Report", facts=[*scores.facts, *found, *file])

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`: what evaluate and inspect-gradients say."""
        return {
            "schema": SCHEMA,
            "output": self.output,
            "bytes": len(self.page),
            "evaluation": self.evaluation.to_json(by="series"),
            "gradients": None if self.inspection is None else self.inspection.to_json(),
        }


@public
def report(
    data: Any,
    model: Model | None = None,
    *,
    output: str | os.PathLike[str] | None = None,
    windows: int | None = None,
    start: str | None = None,
    until: str | None = None,
    stride: int | None = None,
    horizon: int | None = None,
    refit: bool = True,
    series: int | None = None,
    gradients: bool = True,
    unit: str | None = None,
    device: str | None = None,
    threads: int | None = None,
    on_event: Listener | None = None,
    **options: Unpack[ReportOptions],
) -> Reported:
    """Make a page about `model` on `data`: what was inferred, what the forecast is made of, scores beside baselines
    with paired tests, calibration, the worst `series` (6) as pictures, drift, the diagnosis of the gradients, and how
    to make it all again; with `output`, write it.

    It is scored as `evaluate` scores it. The page needs no network and no script, and is light or dark as its reader's
    system is.

    Raises UsageError (MissingDependency where matplotlib is not installed), InputRefused, ModelRefused, OutputLocked or
    StorageFailed.
    """
    heard: list[str] = []
    tell = _keeping(heard, on_event or unheard)
    keep_apart("report", {**options, "data": data, "model": model, "output": output})
    _check(data, output)
    with files.locked(output, options.get("lock_wait") or 0.0):
        if output is not None and options.get("if_exists") == "error":
            files.refuse_existing(output)
        model = BASE if model is None else model
        found = given(model)
        if found.model.task.name != "forecast":
            task = found.model.task.name
            raise UsageError(f"report is about forecasts, and the model makes {task}", hint=INSTEAD)
        columns = columns_of(options)
        wanted = {"windows": windows, "until": until, "stride": stride, "horizon": horizon, "refit": refit}
        done = evaluate(data, model, start=start, **wanted, device=device, threads=threads, on_event=tell, **columns)  # type: ignore[arg-type]
        seen = columns if until is None or columns.get("as_of") else {**columns, "as_of": until}
        looked = _inspected(data, model, seen, threads) if gradients else (None, "--no-gradients")
        scored = {**wanted, "windows": None if windows == 1 else windows, "from_": start, **columns}
        shown = {**scored, "series": series, "gradients": gradients, "unit": unit}
        path = None if output is None else os.fspath(output)
        again = _again(data, found, (columns, scored, shown), path, looked[0])
        trained = done.model if getattr(found.model, "unfitted", False) else found.model
        parts = [*_about(trained, done, heard, looked, (series or SERIES, unit or "")), again]
        made = Reported(done, looked[0], _page(shown_targets(trained.columns), parts), path)
        if output is not None:
            made.write(output)
    return made


def _keeping(heard: list[str], tell: Listener) -> Listener:
    """A listener that passes everything on and keeps what was noted of the data."""

    def listen(event: object) -> None:
        if isinstance(event, Noted) and not event.detail and (text := without_secrets(event.text)) not in heard:
            heard.append(text)
        tell(event)

    return listen


def _check(data: Any, output: str | os.PathLike[str] | None) -> None:
    """UsageError, MissingDependency or StorageFailed before any work is done."""
    if output is not None and Path(output).suffix.lower() != ".html":
        raise UsageError(f"a report ends in .html, not {os.fspath(output)!r}")
    if any(isinstance(item, str) and item == "-" for item in listed(data)):
        raise UsageError("a report reads DATA more than once, and standard input can be read once", hint="name a file")
    need_matplotlib("report")
    if output is not None:
        files.check_writable(output)


def _inspected(data: Any, model: Model, columns: Any, threads: int | None) -> tuple[Inspection | None, str]:
    """The diagnosis of the gradients, or why there is none: a report is worth having without it."""
    if find_spec("torch") is None:
        return None, "PyTorch is not installed"
    try:
        return inspect_gradients(data, model, quick=True, threads=threads, **columns), ""
    except RnncliError as error:
        return None, error.message


def _about(
    model: Any, done: Evaluation, heard: Sequence[str], looked: tuple[Inspection | None, str], drawn: tuple[int, str]
) -> list[Section]:
    """Everything about a model and its scores, in the order in which it is read."""
    return [
        sections.in_short(model, done, looked[0]),
        sections.inferred(model, done, heard),
        sections.made_of(model),
        sections.scores(done),
        sections.calibration(done),
        sections.worst(done, *drawn),
        sections.drift(done),
        sections.gradients(*looked),
    ]


def _again(
    data: Any,
    found: Given,
    settings: tuple[ColumnOptions, dict[str, Any], dict[str, Any]],
    path: str | None,
    inspection: Inspection | None,
) -> Section:
    """The commands that make the model (not that which comes with the program), its scores, and this page, with how
    data are read and what is scored and shown.
    """
    columns, scored, shown_ = settings
    model = found.path or (BASE if found.named == BASE else "MODEL")
    options = None if model == BASE else reproduce.training_of(found.model, data, columns)
    output = next(name for name in MADE_AGAIN if name != Path(model).name)
    trained = "" if options is None else reproduce.command("train", data, options, "-o", output)
    scores = reproduce.command("evaluate", data, scored, "-m", model)
    page_ = reproduce.command("report", data, shown_, "-m", model, "-o", path or "report.html")
    return sections.again(trained, [f"{scores} --json", page_], _versions(found, inspection), given=model == BASE)


def _versions(found: Given, inspection: Inspection | None) -> list[tuple[str, str]]:
    names = ["numpy", "matplotlib", *(["torch"] if inspection is not None else [])]
    versions = ", ".join([f"rnncli {rnncli.__version__}", *(f"{name} {version(name)}" for name in names)])
    return [("versions", versions), ("model", f"{found.named}, {found.size:,} bytes"), ("SHA-256", found.digest)]


def _page(target: str, parts: Sequence[Section]) -> bytes:
    title = f"Forecasts of {target}: report"
    links = "".join(f'<li><a href="#{part.anchor}">{escaped(part.heading)}</a></li>' for part in parts)
    body = "\n".join(
        f'<section aria-labelledby="{part.anchor}"><h2 id="{part.anchor}">{escaped(part.heading)}</h2>\n'
        f"{part.body}</section>"
        for part in parts
    )
    header = f'<header><h1>{escaped(title)}</h1><nav aria-label="Sections"><ul>{links}</ul></nav></header>'
    return page(title, f"{header}\n<main>\n{body}\n</main>")
