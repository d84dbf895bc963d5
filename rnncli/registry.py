"""Names a user may type, and the object each stands for: one line to add one.

Baselines and metrics are those of a task: a table for each.

Objects are named as "module:object" and imported on first use, so that listing names costs nothing.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from rnncli.errors import UsageError

CELLS = {
    "rnn": "rnncli.cells.rnn:CELL",
    "lstm": "rnncli.cells.lstm:CELL",
    "gru": "rnncli.cells.gru:CELL",
    "grud": "rnncli.cells.grud:CELL",
    "jordan": "rnncli.cells.jordan:CELL",
    "jordan-decaying": "rnncli.cells.decaying_jordan:CELL",
    "lstm-peephole": "rnncli.cells.peephole_lstm:CELL",
    "lstm-coupled": "rnncli.cells.coupled_lstm:CELL",
    "lstm-peephole-coupled": "rnncli.cells.peephole_coupled_lstm:CELL",
    "mgu": "rnncli.cells.mgu:CELL",
    "mingru": "rnncli.cells.mingru:CELL",
    "lru": "rnncli.cells.lru:CELL",
    "indrnn": "rnncli.cells.indrnn:CELL",
    "eunn": "rnncli.cells.eunn:CELL",
    "slstm": "rnncli.cells.slstm:CELL",
    "mlstm": "rnncli.cells.mlstm:CELL",
    "mamba": "rnncli.cells.mamba:CELL",
    "fir": "rnncli.cells.fir:CELL",
}
TASKS = {
    "forecast": "rnncli.tasks.forecast.task:TASK",
    "labels": "rnncli.tasks.labels.task:TASK",
    "tokens": "rnncli.tasks.tokens.task:TASK",
    "sets": "rnncli.tasks.sets.task:TASK",
    "frames": "rnncli.tasks.frames.task:TASK",
}
REHEARSALS = {  # what --dry-run tries
    "forecast predict": "rnncli.tasks.forecast.rehearsal:predict",
    "forecast evaluate": "rnncli.tasks.forecast.rehearsal:evaluate",
}
BASE = "base"
PRETRAINED = {
    BASE: ("pretrained/base.safetensors", "389b767f297db688d8a27bc51562723751544a52c69338be68f748166102c6a8")
}  # models that come with the program, and their digests
BASELINES = {
    "forecast": {
        "naive": "rnncli.baselines.naive:naive",
        "seasonal-naive": "rnncli.baselines.naive:seasonal_naive",
        "drift": "rnncli.baselines.naive:drift",
        "exponential-smoothing": "rnncli.baselines.smoothing:exponential_smoothing",
    },
    "labels": {
        "majority": "rnncli.baselines.labels.majority:majority",
        "logistic-regression": "rnncli.baselines.labels.logistic:logistic_regression",
        "training-quantiles": "rnncli.baselines.labels.majority:training_quantiles",
        "ridge-regression": "rnncli.baselines.labels.ridge:ridge_regression",
        "dtw": "rnncli.baselines.labels.nearest:dtw",
    },
    "tokens": {
        "unigram": "rnncli.baselines.tokens.kneser_ney:unigram",
        "bigram": "rnncli.baselines.tokens.kneser_ney:bigram",
        "trigram": "rnncli.baselines.tokens.kneser_ney:trigram",
        "time": "rnncli.baselines.tokens.waits:time",
        "time-after": "rnncli.baselines.tokens.waits:time_after",
    },
    "sets": {
        "frequencies": "rnncli.baselines.sets.counted:frequencies",
        "persistence": "rnncli.baselines.sets.counted:persistence",
    },
    "frames": {
        "last-frame": "rnncli.baselines.frames.still:last_frame",
        "mean-frame": "rnncli.baselines.frames.still:mean_frame",
        "linear-extrapolation": "rnncli.baselines.frames.still:linear_extrapolation",
        "advection": "rnncli.baselines.frames.advection:advection",
    },
}
METRICS = {
    "forecast": {
        "mase": "rnncli.metrics.point:MASE",
        "wql": "rnncli.metrics.quantile:WQL",
        "smape": "rnncli.metrics.point:SMAPE",
        "rmsse": "rnncli.metrics.point:RMSSE",
        "mae": "rnncli.metrics.point:MAE",
        "rmse": "rnncli.metrics.point:RMSE",
        "msis": "rnncli.metrics.quantile:MSIS",
        "coverage": "rnncli.metrics.quantile:COVERAGE",
    },
    "labels": {
        "accuracy": "rnncli.metrics.labels:ACCURACY",
        "balanced_accuracy": "rnncli.metrics.labels:BALANCED_ACCURACY",
        "macro_f1": "rnncli.metrics.labels:MACRO_F1",
        "auc": "rnncli.metrics.labels:AUC",
        "log_loss": "rnncli.metrics.labels:LOG_LOSS",
        "calibration_error": "rnncli.metrics.labels:CALIBRATION_ERROR",
        "mae": "rnncli.metrics.point:MAE",
        "rmse": "rnncli.metrics.point:RMSE",
        "wql": "rnncli.metrics.quantile:WQL",
        "coverage": "rnncli.metrics.quantile:COVERAGE",
    },
    "tokens": {
        "perplexity": "rnncli.metrics.tokens:PERPLEXITY",
        "cross_entropy": "rnncli.metrics.tokens:CROSS_ENTROPY",
        "accuracy": "rnncli.metrics.tokens:ACCURACY",
        "top_5": "rnncli.metrics.tokens:TOP_5",
        "bits_per_token": "rnncli.metrics.tokens:BITS_PER_TOKEN",
        "bits_per_byte": "rnncli.metrics.tokens:BITS_PER_BYTE",
        "mae_days": "rnncli.metrics.waits:MAE_DAYS",
        "pinball_days": "rnncli.metrics.waits:PINBALL_DAYS",
        "mae_steps": "rnncli.metrics.waits:MAE_STEPS",
        "coverage": "rnncli.metrics.waits:COVERAGE",
    },
    "sets": {
        "cross_entropy": "rnncli.metrics.sets:CROSS_ENTROPY",
        "accuracy": "rnncli.metrics.sets:ACCURACY",
        "micro_f1": "rnncli.metrics.sets:MICRO_F1",
        "macro_f1": "rnncli.metrics.sets:MACRO_F1",
    },
    "frames": {
        "mse": "rnncli.metrics.frames:MSE",
        "mae": "rnncli.metrics.frames:MAE",
        "ssim": "rnncli.metrics.frames:SSIM",
        "psnr": "rnncli.metrics.frames:PSNR",
        "csi": "rnncli.metrics.frames:CSI",
    },
}
READERS = {
    "csv": "rnncli.data.readers.csv:read",
    "tsv": "rnncli.data.readers.csv:read_tsv",
    "parquet": "rnncli.data.readers.parquet:read",
    "jsonl": "rnncli.data.readers.jsonl:read",
    "ndjson": "rnncli.data.readers.jsonl:read",
    "arrow": "rnncli.data.readers.arrow:read",
    "arrows": "rnncli.data.readers.arrow:read",
    "feather": "rnncli.data.readers.arrow:read",
    "xlsx": "rnncli.data.readers.excel:read",
    "xls": "rnncli.data.readers.excel:read",
    "ods": "rnncli.data.readers.excel:read",
}
CONTENTS = {  # how a file or a stream begins that has no suffix
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"FEA1": "feather",
    b"\xff\xff\xff\xff": "arrows",
    b"{": "jsonl",
    b"PK\x03\x04": "xlsx",
    b"\xd0\xcf\x11\xe0": "xls",
}
SCHEMES = {
    "file": "rnncli.data.schemes.file:sources",
    "postgresql": "rnncli.data.schemes.database:sources",
    "postgres": "rnncli.data.schemes.database:sources",
    "sqlite": "rnncli.data.schemes.database:sources",
    "duckdb": "rnncli.data.schemes.database:sources",
    "s3": "rnncli.data.schemes.bucket:sources",
    "gs": "rnncli.data.schemes.bucket:sources",
    "az": "rnncli.data.schemes.bucket:sources",
    "abfss": "rnncli.data.schemes.bucket:sources",
    "https": "rnncli.data.schemes.web:sources",
    "http": "rnncli.data.schemes.web:sources",
}
LAKE = "_delta_log"  # the folder of a table of Delta Lake's log
FOLDERS = {  # what a folder that is no mere heap of files has in it: a name, or a pattern
    LAKE: "rnncli.data.folders.delta:sources",
    "?*=*": "rnncli.data.folders.hive:sources",
}
WRITERS = {
    "csv": "rnncli.data.writers.csv:encode",
    "parquet": "rnncli.data.writers.parquet:encode",
    "jsonl": "rnncli.data.writers.jsonl:encode",
    "arrow": "rnncli.data.writers.arrow:encode",
    "arrows": "rnncli.data.writers.arrow:encode_stream",
    "feather": "rnncli.data.writers.arrow:encode",
    "xlsx": "rnncli.data.writers.excel:encode",
}
SINKS = {
    "file": "rnncli.data.sinks.file:sink",
    "delta": "rnncli.data.sinks.lake:sink",
    "postgresql": "rnncli.data.sinks.database:sink",
    "postgres": "rnncli.data.sinks.database:sink",
    "sqlite": "rnncli.data.sinks.database:sink",
    "duckdb": "rnncli.data.sinks.database:sink",
    "s3": "rnncli.data.sinks.bucket:sink",
    "gs": "rnncli.data.sinks.bucket:sink",
    "az": "rnncli.data.sinks.bucket:sink",
    "abfss": "rnncli.data.sinks.bucket:sink",
    "https": "rnncli.data.sinks.bucket:of_web",
    "http": "rnncli.data.sinks.bucket:of_web",
}
TRACKERS = {
    "tensorboard": "rnncli.workflows.to_tensorboard:opened",
    "mlflow": "rnncli.workflows.to_mlflow:opened",
}
CHECKS = {
    "time-missing": "rnncli.data.checks.missing:time_missing",
    "time-unreadable": "rnncli.data.checks.missing:time_unreadable",
    "zone-mixed": "rnncli.data.checks.zones:zone_mixed",
    "number-unreadable": "rnncli.data.checks.missing:number_unreadable",
    "number-ambiguous": "rnncli.data.checks.missing:number_ambiguous",
    "id-missing": "rnncli.data.checks.missing:id_missing",
    "id-unusable": "rnncli.data.checks.missing:id_unusable",
    "column-missing": "rnncli.data.checks.changed:column_missing",
    "column-retyped": "rnncli.data.checks.changed:column_retyped",
    "time-changed": "rnncli.data.checks.changed:time_changed",
    "duplicate-conflicting": "rnncli.data.checks.order:duplicate_conflicting",
    "duplicate-equal": "rnncli.data.checks.order:duplicate_equal",
    "unsorted": "rnncli.data.checks.order:unsorted",
    "frequency-mixed": "rnncli.data.checks.steps:frequency_mixed",
    "frequency-irregular": "rnncli.data.checks.steps:frequency_irregular",
    "frequency-changed": "rnncli.data.checks.changed:frequency_changed",
    "gap-huge": "rnncli.data.checks.steps:gap_huge",
    "gap": "rnncli.data.checks.steps:gap",
    "zone-offsets": "rnncli.data.checks.zones:zone_offsets",
    "hour-skipped": "rnncli.data.checks.zones:hour_skipped",
    "hour-twice": "rnncli.data.checks.zones:hour_twice",
    "clock-change": "rnncli.data.checks.zones:clock_change",
    "non-finite": "rnncli.data.checks.values:non_finite",
    "outlier": "rnncli.data.checks.values:outlier",
    "unit-jump": "rnncli.data.checks.values:unit_jump",
    "too-short": "rnncli.data.checks.series:too_short",
    "short": "rnncli.data.checks.series:short",
    "constant": "rnncli.data.checks.series:constant",
    "nothing-observed": "rnncli.data.checks.missing:nothing_observed",
    "mostly-missing": "rnncli.data.checks.missing:mostly_missing",
    "trailing-missing": "rnncli.data.checks.missing:trailing_missing",
    "missing": "rnncli.data.checks.missing:missing",
    "leakage": "rnncli.data.checks.covariates:leakage",
    "target-copy": "rnncli.data.checks.covariates:target_copy",
    "static-changes": "rnncli.data.checks.covariates:static_changes",
    "future-ends-early": "rnncli.data.checks.covariates:future_ends_early",
    "covariate-constant": "rnncli.data.checks.series:covariate_constant",
    "category-new": "rnncli.data.checks.changed:category_new",
    "series-unseen": "rnncli.data.checks.changed:series_unseen",
    "drift": "rnncli.data.checks.changed:drift",
    "refused": "rnncli.data.checks.run:refused",
}
LABEL_CHECKS = {
    "label-missing": "rnncli.data.checks.classes:label_missing",
    "label-changes": "rnncli.data.checks.classes:label_changes",
    "label-leakage": "rnncli.data.checks.inputs:label_leakage",
    "class-single": "rnncli.data.checks.classes:class_single",
    "class-rare": "rnncli.data.checks.classes:class_rare",
    "class-unseen": "rnncli.data.checks.classes:class_unseen",
    "class-imbalance": "rnncli.data.checks.classes:class_imbalance",
    "sequence-short": "rnncli.data.checks.classes:sequence_short",
    "sequence-repeated": "rnncli.data.checks.classes:sequence_repeated",
    "sequence-learnt": "rnncli.data.checks.classes:sequence_learnt",
    "label-contradicting": "rnncli.data.checks.classes:label_contradicting",
    "lengths-differ": "rnncli.data.checks.classes:lengths_differ",
    "channel-missing": "rnncli.data.checks.inputs:channel_missing",
    "channel-passed-over": "rnncli.data.checks.inputs:channel_passed_over",
    "refused": "rnncli.data.checks.labelled:refused",
}
TOKEN_CHECKS = {
    "text-unreadable": "rnncli.data.checks.documents:text_unreadable",
    "text-damaged": "rnncli.data.checks.documents:text_damaged",
    "line-ends-mixed": "rnncli.data.checks.documents:line_ends_mixed",
    "document-short": "rnncli.data.checks.documents:document_short",
    "document-repeated": "rnncli.data.checks.documents:document_repeated",
    "document-learnt": "rnncli.data.checks.documents:document_learnt",
    "event-unsorted": "rnncli.data.checks.event_times:event_unsorted",
    "event-far": "rnncli.data.checks.event_times:event_far",
    "event-simultaneous": "rnncli.data.checks.event_times:event_simultaneous",
    "token-once": "rnncli.data.checks.documents:token_once",
    "token-unknown": "rnncli.data.checks.documents:token_unknown",
    "refused": "rnncli.data.checks.tokenised:refused",
}
SET_CHECKS = {
    "separator-unused": "rnncli.data.checks.sets:separator_unused",
    "set-missing": "rnncli.data.checks.sets:set_missing",
    "set-empty": "rnncli.data.checks.sets:set_empty",
    "set-repeats": "rnncli.data.checks.sets:set_repeats",
    "document-short": "rnncli.data.checks.sets:document_short",
    "document-learnt": "rnncli.data.checks.sets:document_learnt",
    "token-once": "rnncli.data.checks.sets:token_once",
    "token-unknown": "rnncli.data.checks.sets:token_unknown",
    "refused": "rnncli.data.checks.sets:refused",
}
FRAME_CHECKS = {
    "frame-missing": "rnncli.data.checks.frames:frame_missing",
    "map-missing": "rnncli.data.checks.frames:map_missing",
    "future-ends-early": "rnncli.data.checks.frames:maps_end_early",
    "sequence-short": "rnncli.data.checks.frames:sequence_short",
    "lengths-differ": "rnncli.data.checks.frames:lengths_differ",
    "sequence-constant": "rnncli.data.checks.frames:sequence_constant",
    "sequence-repeated": "rnncli.data.checks.frames:sequence_repeated",
    "sequence-learnt": "rnncli.data.checks.frames:sequence_learnt",
    "pixel-missing": "rnncli.data.checks.frames:pixel_missing",
    "pixel-constant": "rnncli.data.checks.frames:pixel_constant",
    "pixel-saturated": "rnncli.data.checks.frames:pixel_saturated",
}
GRADIENT_CHECKS = {
    "exploding": "rnncli.diagnostics.checks.exploding:exploding",
    "chaotic": "rnncli.diagnostics.checks.chaotic:chaotic",
    "depth-exploding": "rnncli.diagnostics.checks.depth:depth_exploding",
    "large-updates": "rnncli.diagnostics.checks.updates:large_updates",
    "clip-small": "rnncli.diagnostics.checks.steps:clip_small",
    "small-updates": "rnncli.diagnostics.checks.steps:small_updates",
    "unmoved": "rnncli.diagnostics.checks.unmoved:unmoved",
    "dead-units": "rnncli.diagnostics.checks.dead:dead",
    "depth-vanishing": "rnncli.diagnostics.checks.depth:depth_vanishing",
    "frozen": "rnncli.diagnostics.checks.frozen:frozen",
    "alike": "rnncli.diagnostics.checks.alike:alike",
    "saturated": "rnncli.diagnostics.checks.saturated:saturated",
    "held": "rnncli.diagnostics.checks.held:held",
    "tbptt-short": "rnncli.diagnostics.checks.reaching:tbptt_short",
    "dilation-beyond": "rnncli.diagnostics.checks.reaching:dilation_beyond",
    "vanishing": "rnncli.diagnostics.checks.vanishing:vanishing",
    "echo": "rnncli.diagnostics.checks.learned:echo",
    "untaught": "rnncli.diagnostics.checks.learned:untaught",
    "overfitted": "rnncli.diagnostics.checks.learned:overfitted",
    "worse-than-naive": "rnncli.diagnostics.checks.learned:worse_than_naive",
    "unordered": "rnncli.diagnostics.checks.unordered:unordered",
    "noisy": "rnncli.diagnostics.checks.noisy:noisy",
    "dominated": "rnncli.diagnostics.checks.dominated:dominated",
    "context-short": "rnncli.diagnostics.checks.context:context_short",
    "context-long": "rnncli.diagnostics.checks.context:context_long",
    "clipped": "rnncli.diagnostics.checks.updates:clipped",
    "repeated": "rnncli.diagnostics.checks.repeated:repeated",
    "batch-one": "rnncli.diagnostics.checks.steps:batch_one",
}
TRIAL_CHECKS = {
    "memory-unused": "rnncli.diagnostics.checks.unused:memory_unused",
}
REMEDIES = {
    "learning-rate": "rnncli.diagnostics.remedies.learning_rate:learning_rate",
    "chrono": "rnncli.diagnostics.remedies.initialisation:chrono",
    "gated-cell": "rnncli.diagnostics.remedies.gated_cell:gated_cell",
    "orthogonal": "rnncli.diagnostics.remedies.initialisation:orthogonal",
    "clip": "rnncli.diagnostics.remedies.clipping:clip",
    "context": "rnncli.diagnostics.remedies.context:context",
    "tbptt": "rnncli.diagnostics.remedies.context:tbptt",
    "batch": "rnncli.diagnostics.remedies.batch:batch",
    "dropout": "rnncli.diagnostics.remedies.dropout:dropout",
    "regularise": "rnncli.diagnostics.remedies.overfitting:regularise",
    "smaller": "rnncli.diagnostics.remedies.overfitting:smaller",
    "residual": "rnncli.diagnostics.remedies.depth:residual",
    "depth": "rnncli.diagnostics.remedies.depth:depth",
    "fresh": "rnncli.diagnostics.remedies.depth:fresh",
    "series": "rnncli.diagnostics.remedies.series:series",
    "sorted-rows": "rnncli.diagnostics.remedies.series:sorted_rows",
}

_QUERIED = re.compile(r"(?P<scheme>[^:]+)://(?P<path>.*?)(?:\?(?P<query>\w+=[^?]*))?", re.DOTALL)
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def scheme_of(text: str) -> str | None:
    """The scheme of a URL, in small letters: what stands before "://". None for a path."""
    found = _URL.match(text)
    return None if found is None else found[1].lower()


def parsed_url(url: str) -> SplitResult:
    """The parts of a URL. UsageError where it cannot be parted."""
    try:
        return urlsplit(url)
    except ValueError as error:
        raise UsageError(f"this is no URL: {error}", where=url, hint="check the name of the host") from None


def split_url(url: str) -> tuple[str, str, str]:
    """The scheme of a URL in small letters, its path (host or bucket first) without escapes, and its query.

    A question mark begins a query only where a name and = follow: it may be one of a pattern.
    """
    found = _QUERIED.fullmatch(url)
    assert found is not None
    return found["scheme"].lower(), unquote(found["path"]), found["query"] or ""


def local_path(text: str) -> str | None:
    """The path that a text says, or a file's URL; None for any other URL."""
    scheme = scheme_of(text)
    return text if scheme is None else unquote(parsed_url(text).path) if scheme == "file" else None


def find(table: dict[str, str], name: str, kind: str) -> Any:
    """The object registered under `name`; UsageError with the known names if there is none."""
    try:
        module, _, attribute = table[name].partition(":")
    except KeyError:
        raise UsageError(f"there is no {kind} called {name!r}", hint=f"choose from: {', '.join(table)}") from None
    return getattr(import_module(module), attribute)
