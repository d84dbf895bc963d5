"""What each option means, once: for the command line's help, for Python's `help`, and for `config show`.

An option is called as on the command line, with _ for -; `usual` is what holds where nothing is said: a value, or what
it follows from, in brackets; empty where that is nothing.
"""

from __future__ import annotations

from typing import NamedTuple


class Meaning(NamedTuple):
    """One option: what it does in a line or two, and what holds where nothing is said."""

    says: str
    usual: str = ""

    @property
    def value(self) -> str:
        """The usual value, if it is one that could have been said."""
        return "" if self.usual.startswith("(") else self.usual

    def __str__(self) -> str:
        told = f"default: {self.usual}" if self.value else self.usual.strip("()")
        return f"{self.says} [{told}]" if told else self.says


M = Meaning
_SIZE, _FOUND, _TRAINED_SO = "(from the data)", "(found in the data)", "(as in training)"
_GATE = "a gate that fails ends with exit code 7"

DATA = {
    "model": M("The model file."),
    "time": M("The column of times, or of dates and of times of day: A,B.", _FOUND),
    "id": M("The column of ids, or several that are one together: A,B.", _FOUND),
    "target": M("The column to forecast.", _FOUND),
    "past": M("Covariates known up to now: temperature,price."),
    "future": M("Covariates known ahead too: holiday,promotion."),
    "static": M("What never changes in a series: region,size."),
    "future_data": M("A table of what is known of the rows to forecast; may be repeated."),
    "holidays": M("Public holidays as covariates: DE,US-CA."),
    "time_format": M("How times are written: '%d.%m.%Y', or epoch-s, -ms, -us, -ns.", _FOUND),
    "decimal": M("The decimal mark of CSV.", "."),
    "thousands": M("The mark between thousands in CSV: , . ' _ or space."),
    "separator": M("The mark between fields of CSV: , ; | or tab.", "(from the header)"),
    "encoding": M("What text CSV is: cp1252, utf-16.", "utf-8"),
    "zone": M("The zone, such as Europe/Berlin.", _FOUND),
    "wide": M("The table has one column per series."),
    "strict": M("Guess no column: what is not named is an error."),
    "format": M("What the data are.", "(by the suffix)"),
    "as_of": M("See no row that is later than this time."),
    "on_bad_series": M("What is done with series that cannot be used.", "fail"),
    "max_rows": M("Refuse data of more rows.", "(what fits into memory)"),
    "max_bytes": M("Refuse data of more bytes, uncompressed: 2G.", "(what fits into memory)"),
    "max_columns": M("Refuse a table of more columns.", "10000"),
    "min": M("No value, and no forecast, is below this number."),
    "max": M("No value, and no forecast, is above this number."),
}
NETWORK = {
    "horizon": M("Rows to forecast.", _SIZE),
    "season": M("Rows in a season, or several: 24,168.", _SIZE),
    "quantiles": M("The quantiles to forecast; 0.5 is always one.", "0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9"),
    "context": M("Rows to look back on.", "(from the seasons)"),
    "cell": M("The recurrent cell, or one a layer: lstm,dilated:gru. `rnncli cells` lists them.", "lstm"),
    "activation": M("The activation of the cells rnn, jordan and fir.", "tanh"),
    "layers": M("How many recurrent layers.", "(1 or 2, from the size of the data)"),
    "hidden": M("Units in each layer.", "(32 or 64, from the size of the data)"),
    "members": M("Networks to average.", "2"),
    "dropout": M("Share of units left out in training.", "(0.2 or 0.1, from the size of the data)"),
    "init": M("How weights begin: orthogonal, chrono:STEPS, identity, uniform.", "(chrono, from the seasons)"),
    "plain_stack": M("Do not add a layer's input to its output."),
    "layer_norm": M("Normalise the output of each layer."),
}
TRAINING = {
    "steps": M("Training steps.", "(400 or 640, from the size of the network)"),
    "time_budget": M("Train so long at most: 2m, 1h.", "(no limit)"),
    "batch": M("Crops of series in a training step.", "(64 or 32, from the size of the network)"),
    "learning_rate": M("The learning rate at its peak.", "(0.003 or 0.006, from the size of the network)"),
    "clip": M("The largest norm of the gradients.", "1"),
    "clip_value": M("The largest number in a gradient.", "(no limit)"),
    "tbptt": M("Go through series K rows a step and carry the state on.", "(crops of the context)"),
    "keep_covariates": M("Keep covariates that held-out rows see no use in."),
    "warm_start": M("Go on training this model, with new data."),
    "seed": M("The seed of every random choice.", "0"),
    "device": M("Where to train: cpu, cuda, ...", "cpu"),
    "threads": M("Threads to train with.", "(from the machine)"),
    "watch_gradients": M("Tell of gradients every N steps, and of what explodes."),
}
OUTPUT = {
    "output": M("The file to write; its suffix says how."),
    "point": M("What the column `forecast` holds.", "median"),
    "tidy": M("Write the columns id, time, quantile, value."),
    "csv_raw": M("Do not escape text that a spreadsheet would run."),
    "by": M("Also show the scores of each series."),
    "fix": M("Write a repaired copy to this file (.csv, .parquet)."),
    "plot": M("Draw a picture (.png, .svg)."),
    "json": M("Print one JSON document on stdout."),
    "quiet": M("Print nothing on success."),
    "verbose": M("Say more on stderr."),
    "debug": M("Show the traceback of an error."),
}
SCORING = {
    "forecasts": M("Saved forecasts to score instead of a model."),
    "windows": M("How many origins of the past to forecast from.", "1"),
    "stride": M("Rows between two origins.", "(the horizon)"),
    "refit": M("Train again where training saw what is scored.", "yes"),
    "fail_if": M(f"A condition that must not hold, such as 'mase>1', may be repeated: {_GATE}."),
    "must_beat": M(f"A baseline that the model must beat, may be repeated: {_GATE}."),
    "alpha": M("The level of significance of --must-beat.", "0.05"),
}
GRADIENTS = {
    "quick": M("Look at less, for an answer within seconds."),
    "try": M("Try each remedy by a short training from the same seed."),
    "try_steps": M("Steps of such a training; implies --try.", "(60, or 240 where it is about memory)"),
    "series": M("Follow gradients in so many series.", "24"),
    "fail_on": M("Exit with 7 where one of these is found: vanishing,exploding,chaotic, or any finding."),
}
UNATTENDED = {
    "state": M("Keep what the network has seen in this file; consume only new rows."),
    "max_age": M("Refuse series that end longer ago than 26h, 3d, ...: exit code 6."),
    "now": M("The time that --max-age counts from.", "(--as-of, or the clock)"),
    "fail_on_drift": M("Exit with 7 where the data have drifted since training."),
    "if_exists": M("What to do where the output is there already.", "replace"),
    "lock_wait": M("Wait so long for another writer of the file.", "0"),
    "fresh": M("Start over, whatever is there."),
    "checkpoint_every": M("How often MODEL.partial is kept.", "10s"),
    "timeout": M("Stop after so long, with exit code 124.", "(no limit)"),
    "log_file": M("Append every event to this file as a JSON line."),
    "log_format": M("How stderr is written.", "text"),
}
SETTINGS = {
    "config": M("Read settings from this TOML file."),
    "print_config": M("Print the settings as such a file, and do nothing."),
}
PANELS = {
    "Data": DATA,
    "Network": NETWORK,
    "Training": TRAINING,
    "Scoring": SCORING,
    "Gradients": GRADIENTS,
    "Output": OUTPUT,
    "Unattended": UNATTENDED,
    "Settings": SETTINGS,
}
_TRAINED = "(the trained one)"
OTHERWISE = {  # what a command means by an option that others have too
    ("train", "output"): M("The model file to write."),
    ("evaluate", "model"): M("The model file, unless there are --forecasts."),
    ("inspect_gradients", "model"): M("The model file.", "(an untrained network)"),
    ("check", "model"): M("A model file: also say what changed since."),
    ("predict", "horizon"): M("Rows to forecast.", _TRAINED),
    ("predict", "quantiles"): M("The quantiles to print, within the trained ones.", "(the trained ones)"),
    ("evaluate", "horizon"): M("Rows to forecast from an origin.", _TRAINED),
    ("check", "horizon"): M("How far future covariates must be known.", "(the model's)"),
    ("cells", "inputs"): M("How many inputs a step has.", "32"),
    ("cells", "hidden"): M("How many units a layer has.", "64"),
}
IN_PYTHON = {  # what only Python functions take, or call otherwise
    "data": M("Paths, folders (one file a series), globs, - for standard input, or tables: pandas, polars, pyarrow."),
    "model": M("A model file, or what `train` or `info` returned."),
    "refit": M("Train again where training saw what is scored.", "True"),
    "name": M("An id, an error's code, an exit code, a metric, a baseline, a cell, a format or a theme.", "(all)"),
    "warm_start": M("Go on training this model, a file or what `train` returned, with new data."),
    "forecasts": M("Saved forecasts to score instead of a model: a path, or what `predict` returned."),
    "future_data": M("Tables of what is known of the rows to forecast, in the forms that `data` can have."),
    "on_event": M("A function that is told of every event: notes, steps, evaluations. What it raises ends the run."),
    "time_budget": M("Train so many seconds at most.", "(no limit)"),
    "max_bytes": M("Refuse data of more bytes, uncompressed.", "(what fits into memory)"),
    "max_age": M("Refuse series that end more seconds ago than this."),
    "lock_wait": M("Seconds to wait for another writer of the same file.", "0"),
    "checkpoint_every": M("Seconds between two times that `output` + .partial is kept.", "10"),
    "fail_if": M("Conditions that must not hold, such as 'mase>1': see `Evaluation.refuse`."),
    "must_beat": M("Baselines that the model must beat: see `Evaluation.refuse`."),
    "fail_on": M("Verdicts and findings that must not be: see `Inspection.check`."),
    "fail_on_drift": M("Raise GateFailed where the data have drifted since training."),
    "attempt": GRADIENTS["try"],
    "attempt_steps": M("Steps of such a training.", "(60, or 240 where it is about memory)"),
}
_COMMANDS = {"list_cells": "cells"}  # what a Python function is called on the command line
_RENAMED = {"attempt": "try", "attempt_steps": "try_steps"}
_WHERE = {name: panel for panel, meanings in PANELS.items() for name in meanings}
_ELSEWHERE = {  # a command that has few options of a kind shows them with what they are for
    ("predict", "horizon"): "Output",
    ("predict", "quantiles"): "Output",
    ("evaluate", "horizon"): "Scoring",
    ("evaluate", "device"): "Scoring",
    ("evaluate", "threads"): "Scoring",
    ("evaluate", "fail_on_drift"): "Scoring",
    ("inspect_gradients", "threads"): "Gradients",
    ("check", "horizon"): "Data",
    ("cells", "inputs"): "Data",
    ("cells", "hidden"): "Data",
}


def meaning(name: str, command: str) -> Meaning:
    """What an option of a command means. KeyError if nobody wrote it down."""
    found = OTHERWISE.get((command, name)) or PANELS[_WHERE[name]][name]
    with_model = command in ("predict", "evaluate") and found.usual == _FOUND
    return found._replace(usual=_TRAINED_SO) if with_model else found


def panel(name: str, command: str) -> str:
    """Under which heading an option of a command stands."""
    name, command = _RENAMED.get(name, name), _COMMANDS.get(command, command)
    return _ELSEWHERE.get((command, name)) or _WHERE.get(name, "Data")


def in_python(name: str, function: str) -> Meaning:
    """What an argument of a Python function means. KeyError if nobody wrote it down."""
    command = _COMMANDS.get(function, function)
    return IN_PYTHON[name] if name in IN_PYTHON else meaning(name, command)
