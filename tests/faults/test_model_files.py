"""A model file that was damaged, forged or is something else is refused with exit code 5, and nothing in it is run."""

from __future__ import annotations

import copy
import io
import json
import marshal
import os
import pickle
import random
import resource
import runpy
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnncli import model as model_file
from rnncli.cli.failure import explained
from rnncli.data.known import Known
from rnncli.data.load import load_panel
from rnncli.errors import InputRefused, ModelRefused, RnncliError
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.model_file import STATISTICS
from rnncli.workflows.info import info

Run = Callable[..., subprocess.CompletedProcess[str]]
Parts = tuple[dict[str, Any], dict[str, Any], bytes]

SIGNING = runpy.run_path(str(Path(__file__).parent / "fuzz" / "signing.py"))
opened: Callable[[bytes], Parts] = SIGNING["opened"]
signed: Callable[[dict[str, Any], dict[str, Any], bytes], bytes] = SIGNING["signed"]

FLIPS = 2000
HUGE = 10**9


@pytest.fixture(scope="session")
def sound(small_model: Path) -> bytes:
    return small_model.read_bytes()


@pytest.fixture
def parts(sound: bytes) -> Parts:
    return copy.deepcopy(opened(sound))


def refusal(path: Path, data: bytes) -> ModelRefused:
    """What the loader says to these bytes: exit code 5, the path, a hint, and not too much."""
    path.write_bytes(data)
    with pytest.raises(ModelRefused) as caught:
        model_file.load(path)
    error = caught.value
    assert (error.exit_code, explained(error)) == (5, error)
    assert error.hint
    assert str(error).startswith(f"{path}: ")
    assert len(error.message) < 400
    return error


def regions(data: bytes) -> dict[str, range]:
    """Bytes of the length, the header around the description, the description, and each tensor."""
    end = 8 + int.from_bytes(data[:8], "little")
    _, table, body = opened(data)
    begin = data.index(b'"rnncli":"') + len(b'"rnncli":"')
    stop = data.index(b'"}', begin)
    tensors = {name: range(*(end + offset for offset in entry["data_offsets"])) for name, entry in table.items()}
    assert end + len(body) == len(data)
    return {
        "length": range(8),
        "header": range(8, begin),
        "description": range(begin, stop),
        "table": range(stop, end),
    } | {name: places for name, places in tensors.items() if places}


def test_a_resigned_file_is_as_good_as_the_first(sound: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(signed(*opened(sound)))
    assert info(path).to_json()["task"] == "forecast"


def test_every_flipped_bit_of_every_region_is_refused(sound: bytes, tmp_path: Path) -> None:
    chance, places = random.Random(7), regions(sound)
    share = -(-FLIPS // len(places))
    for region in places.values():
        for _ in range(share):
            damaged = bytearray(sound)
            damaged[chance.choice(region)] ^= 1 << chance.randrange(8)
            refusal(tmp_path / "m", bytes(damaged))


def test_every_byte_of_the_length_and_of_the_digest_counts(sound: bytes, tmp_path: Path) -> None:
    digest = opened(sound)[0]["digest"].encode()
    place = sound.index(digest)
    for byte in (*range(8), *range(place, place + 64)):
        for bit in range(8):
            damaged = bytearray(sound)
            damaged[byte] ^= 1 << bit
            refusal(tmp_path / "m", bytes(damaged))


def test_every_length_but_the_whole_is_refused(sound: bytes, tmp_path: Path) -> None:
    chance = random.Random(8)
    lengths = {*range(2048), *range(0, len(sound), 4096), *(chance.randrange(len(sound)) for _ in range(64))}
    for length in sorted(lengths):
        refusal(tmp_path / "m", sound[:length])


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_really_every_length_is_refused(sound: bytes, tmp_path: Path) -> None:
    for length in range(len(sound)):
        refusal(tmp_path / "m", sound[:length])


@pytest.mark.parametrize("more", [b"\0", b"\n", b"\0" * 4096, b"PK\x03\x04", b"itself"])
def test_what_is_appended_is_refused(sound: bytes, tmp_path: Path, more: bytes) -> None:
    refusal(tmp_path / "m", sound + (sound if more == b"itself" else more))


def headed(header: str | bytes, body: bytes = b"", length: int | None = None) -> bytes:
    raw = header.encode() if isinstance(header, str) else header
    return struct.pack("<Q", len(raw) if length is None else length) + raw + body


def many_tensors(count: int) -> str:
    empty = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    return json.dumps({f"t{number}": empty for number in range(count)})


@pytest.mark.parametrize(
    "data",
    [
        headed("{}", length=2**63),
        headed("{}", length=2**64 - 1),
        headed("{}", length=99_000_000),
        headed(b"{}" + b" " * 99_000_000),
        headed("[" * 100_000),
        headed('{"__metadata__":' * 50_000),
        headed('{"__metadata__":{"rnncli":"' + "[" * 100_000 + '"}}'),
        headed('{"__metadata__":{"rnncli":"{\\"format\\":' + "9" * 5_000 + '}"}}'),
        headed('{"__metadata__":{"rnncli":"{\\"format\\":' + "9" * 4_000 + '}"}}'),
        headed('{"__metadata__":{"rnncli":"{\\"a\\":1,\\"a\\":1}"}}'),
        headed("{}"),
        headed(""),
        headed("\0" * 64),
        headed(b"\xff\xfe{}"),
    ],
    ids=range(14),
)
def test_a_hostile_header_is_refused(tmp_path: Path, data: bytes) -> None:
    refusal(tmp_path / "m", data)


def test_three_hundred_thousand_tensors_are_refused_at_once(tmp_path: Path) -> None:
    data = headed(many_tensors(300_000))
    before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    refusal(tmp_path / "m", data)
    assert time.process_time() - begin < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_as_many_tensors_as_a_header_holds_are_refused_at_once(parts: Parts, tmp_path: Path) -> None:
    document, table, body = parts
    more = json.loads(many_tensors(12_000))
    shift = {**table, **{name: {**entry, "data_offsets": [len(body)] * 2} for name, entry in more.items()}}
    begin = time.process_time()
    assert "should be absent" in refusal(tmp_path / "m", signed(document, shift, body)).message
    assert time.process_time() - begin < 1


def entry(dtype: Any = "F32", shape: Any = (0,), offsets: Any = None) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape) if isinstance(shape, tuple) else shape, "data_offsets": offsets}


ODD_TENSORS: dict[str, dict[str, Any]] = {
    "negative shape": {"x": entry(shape=(-1, -4), offsets=[0, 16])},
    "overflowing shape": {"x": entry(shape=(2**62, 4))},
    "huge shape": {"x": entry(shape=(HUGE, HUGE, HUGE))},
    "zero size with a huge side": {"x": entry(shape=(0, 2**63 - 1))},
    "zero size with a side beyond int64": {"x": entry(shape=(0, 2**70))},
    "many sides": {"x": entry(shape=(0,) * 300)},
    "unknown dtype": {"x": entry("F128")},
    "dtype of code": {"x": entry("object")},
    "dtype of a list": {"x": entry(["F32"])},
    "shape of text": {"x": entry(shape="0")},
    "shape of floats": {"x": entry(shape=(0.0,))},
    "shape of truth": {"x": entry(shape=(False,))},
    "offsets swapped": {"x": entry(offsets=[4, 0])},
    "offsets of three": {"x": entry(offsets=[0, 0, 0])},
    "offsets missing": {"x": {"dtype": "F32", "shape": [0]}},
    "one key more": {"x": {**entry(), "code": "import os"}},
    "no object": {"x": []},
    "a path": {"../../etc/x": entry()},
    "an absolute path": {"/etc/passwd": entry()},
    "a long name": {"x" * 100_000: entry()},
    "control characters": {"\x1b[31m\n\u202e": entry()},
    "an empty name": {"": entry()},
}


@pytest.mark.parametrize("odd", ODD_TENSORS.values(), ids=ODD_TENSORS)
def test_an_odd_tensor_is_refused_behind_a_fitting_digest(parts: Parts, tmp_path: Path, odd: dict[str, Any]) -> None:
    document, table, body = parts
    for value in odd.values():
        if isinstance(value, dict) and value.get("data_offsets", 0) is None:
            value["data_offsets"] = [len(body), len(body)]
    refusal(tmp_path / "m", signed(document, table | odd, body))


def test_overlaps_and_holes_are_refused_behind_a_fitting_digest(parts: Parts, tmp_path: Path) -> None:
    document, table, body = parts
    name = max(table, key=lambda name: table[name]["data_offsets"])
    begin, end = table[name]["data_offsets"]
    for offsets in ([begin - 1, end - 1], [begin + 1, end + 1], [0, end - begin], [begin, end + 4]):
        for rest in (body, body + b"\0" * 4, body[:-1]):
            refusal(tmp_path / "m", signed(document, {**table, name: {**table[name], "data_offsets": offsets}}, rest))


@pytest.mark.parametrize("change", ["dtype", "shape", "missing", "renamed"])
def test_a_tensor_that_the_description_does_not_imply_is_refused(parts: Parts, tmp_path: Path, change: str) -> None:
    document, table, body = parts
    name = next(name for name in table if len(table[name]["shape"]) == 3)
    if change == "dtype":
        table[name]["dtype"] = "I32"
    if change == "shape":
        table[name]["shape"] = table[name]["shape"][::-1]
    if change == "renamed":
        table[f"{name}.old"] = table.pop(name)
    if change == "missing":
        offsets = table.pop(name)["data_offsets"]
        table, body = without(table, body, *offsets)
    refusal(tmp_path / "m", signed(document, table, body))


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity", "9" * 4000])
def test_a_number_that_none_can_compute_with_is_refused(sound: bytes, tmp_path: Path, number: str) -> None:
    document, table, body = opened(sound)
    document["record"]["rows"] = 123454321
    told = signed(document, table, body)
    end = 8 + int.from_bytes(told[:8], "little")
    refusal(tmp_path / "m", headed(told[8:end].replace(b"123454321", number.encode()), body))


def without(table: dict[str, Any], body: bytes, begin: int, end: int) -> tuple[dict[str, Any], bytes]:
    """The table and the bytes when the place from begin to end is cut out."""
    moved = {
        name: {**entry, "data_offsets": [place - (end - begin) * (place >= end) for place in entry["data_offsets"]]}
        for name, entry in table.items()
    }
    return moved, body[:begin] + body[end:]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_no_number_is_refused_behind_a_fitting_digest(
    parts: Parts, tmp_path: Path, bad: float
) -> None:
    document, table, body = parts
    for name, tensor in table.items():
        begin, end = tensor["data_offsets"]
        if tensor["dtype"] == "F32" and end > begin:
            damaged = body[:begin] + np.float32(bad).tobytes() + body[begin + 4 :]
            assert "not finite" in refusal(tmp_path / "m", signed(document, table, damaged)).message, name


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    place = document
    *above, last = path.split(".")
    for key in above:
        place = place[key]
    place[last] = value
    return document


FORGED: list[tuple[str, Any]] = [
    ("format", 5),
    ("format", 0),
    ("format", "1"),
    ("format", True),
    ("task", "labels"),
    ("task", "os:system"),
    ("task", None),
    ("task", ["forecast"]),
    ("network", []),
    ("network.hidden", HUGE),
    ("network.hidden", -1),
    ("network.hidden", 8.0),
    ("network.hidden", True),
    ("network.hidden", 2**200),
    ("network.layers", HUGE),
    ("network.layers", 2),
    ("network.layers", 0),
    ("network.members", HUGE),
    ("network.members", 3),
    ("network.inputs", HUGE),
    ("forecast.decoder", HUGE),
    ("forecast.known", HUGE),
    ("network.cell", "os.system"),
    ("network.cell", "gru"),
    ("network.activation", "__import__"),
    ("network.dropout", 1.0),
    ("network.dropout", "0"),
    ("network.more", 1),
    ("forecast.horizon", HUGE),
    ("forecast.horizon", 0),
    ("forecast.horizon", 14),
    ("forecast.steps", HUGE),
    ("forecast.steps", 0),
    ("forecast.lookback", HUGE),
    ("forecast.lookback", 1),
    ("forecast.window", HUGE),
    ("forecast.window", 1),
    ("forecast.level_window", HUGE),
    ("forecast.level_window", -1),
    ("forecast.seasons", []),
    ("forecast.seasons", [0]),
    ("forecast.seasons", [HUGE]),
    ("forecast.seasons", [2**100]),
    ("forecast.seasons", ["52"]),
    ("forecast.seasons", [52] * 1000),
    ("forecast.levels", []),
    ("forecast.levels", [0.5]),
    ("forecast.levels", [0.9, 0.5]),
    ("forecast.levels", [0.0, 0.5, 1.0]),
    ("forecast.levels", [k / 1000 for k in range(1, 1000)]),
    ("forecast.link", "exp"),
    ("forecast.spread_prior", 10**400),
    ("forecast.spread_prior", 0),
    ("forecast.spread_prior", -1.0),
    ("forecast.prior_rows", 0.0),
    ("forecast.prior_rows", None),
    ("forecast.ceiling", -1.0),
    ("forecast.covariates", [{"name": "x", "role": "past", "categories": [], "center": 0.0, "scale": 1.0}]),
    ("forecast.covariates", [{"name": "x", "role": "past", "categories": [], "center": 0.0, "scale": 0.0}]),
    ("forecast.covariates", {}),
    ("calendar", None),
    ("calendar.frequency.unit", "fortnight"),
    ("calendar.frequency.unit", "step"),
    ("calendar.cycles", ["year", "week"]),
    ("calendar.cycles", ["fortnight"]),
    ("forecast.young", [3, 2]),
    ("forecast.young", [0]),
    ("pool.own", [[1.0]]),
    ("calendar.frequency.multiple", 0),
    ("calendar.frequency.multiple", 2**61),
    ("calendar.frequency.multiple", 10**400),
    ("calendar.seasons", []),
    ("calendar.seasons", [0]),
    ("calendar.zone", 1),
    ("columns", {}),
    ("columns.time", None),
    ("columns.target", "week"),
    ("columns.past", ["x"]),
    ("columns.static", "x"),
    ("columns.wide", "yes"),
    ("training", None),
    ("training.steps", "4"),
    ("training.steps", 0),
    ("training.steps", 2**31),
    ("training.batch", 0),
    ("training.batch", -1),
    ("training.batch", HUGE),
    ("training.seed", 2**100),
    ("training.seed", 2**62),
    ("training.seed", -1),
    ("training.learning_rate", 10**400),
    ("training.learning_rate", 0),
    ("training.learning_rate", -1e-3),
    ("training.learning_rate", 1e39),
    ("training.weight_decay", -0.1),
    ("training.weight_decay", 1e300),
    ("training.clip", 0.0),
    ("training.clip", -1),
    ("training.clip", None),
    ("training.clip_value", 0.0),
    ("training.clip_value", 1e300),
    ("training.averaging", 1),
    ("training.averaging", -0.5),
    ("training.evaluate_every", 0),
    ("training.evaluate_every", -3),
    ("training.evaluate_every", 2**31),
    ("training.time_budget", 0.0),
    ("training.time_budget", -1),
    ("training.tbptt", 0),
    ("training.tbptt", -5),
    ("training.tbptt", 2**62 + 1),
    ("network.init", "os:system"),
    ("network.init", "chrono:1"),
    ("network.init", "chrono:1e300"),
    ("network.init", "chrono:nan"),
    ("network.init", "chrono"),
    ("statistics", None),
    ("statistics", {}),
    ("statistics.length", None),
    ("statistics.length", 0),
    ("statistics.length", True),
    ("statistics.length", 1.5),
    ("statistics.length", "x"),
    ("statistics.length", 2**62),
    ("series", None),
    ("series.count", HUGE),
    ("series.count", -1),
    ("series.count", "1"),
    ("series.bytes", HUGE),
    ("series.bytes", 1.5),
    ("record", None),
    ("record", []),
    ("record", "x"),
    ("record.rows", "many"),
    ("record.rows", 1.5),
    ("record.observed", None),
    ("record.validation", []),
    ("record.validation", {"network": 1}),
    ("record.validation", {"network": {"mase": "good"}}),
    ("record.validation", {"network": {"mase": 10**400}}),
    ("record.anything", [2**63]),
]


@pytest.mark.parametrize(("path", "value"), FORGED, ids=[f"{path}-{str(value)[:20]}" for path, value in FORGED])
def test_a_forged_description_is_refused_at_once_behind_a_fitting_digest(
    parts: Parts, tmp_path: Path, path: str, value: Any
) -> None:
    document, table, body = parts
    begin = time.process_time()
    refusal(tmp_path / "m", signed(changed(document, path, value), table, body))
    assert time.process_time() - begin < 1


HARMLESS: list[tuple[str, Any]] = [
    ("columns.time_format", "%Q%\0%Ey"),
    ("columns.time_format", "../../etc/passwd"),
    ("columns.time_arrow", "__import__('os')"),
    ("columns.time_type", "nonsense"),
    ("columns.id_name", "../../x"),
    ("calendar.zone", "../../../etc/passwd"),
    ("calendar.zone", "/etc/passwd"),
    ("calendar.zone", "x" * 10_000),
    ("calendar.frequency.multiple", 10**6),
    ("calendar.seasons", [10**9]),
    ("network.residual", False),
    ("network.init", "chrono:1e30"),
    ("training.steps", HUGE),
    ("training.clip", 1e300),
    ("training.tbptt", 2**61),
    ("training.time_budget", 1e300),
    ("training.weight_decay", 0),
    ("forecast.spread_prior", 1e300),
    ("forecast.floor", 1e300),
    ("forecast.link", "identity"),
    ("record", {}),
    ("record.best_steps", "x"),
    ("record.statistics", [[[]]]),
]


@pytest.mark.parametrize(("path", "value"), HARMLESS, ids=[f"{path}-{str(value)[:20]}" for path, value in HARMLESS])
def test_a_forged_description_that_fits_does_no_harm(
    parts: Parts, sample_data: Path, tmp_path: Path, path: str, value: Any
) -> None:
    document, table, body = parts
    model = tmp_path / "m"
    model.write_bytes(signed(changed(document, path, value), table, body))
    begin = time.process_time()
    try:
        found = info(model)
        assert found.to_json()["record"] == found.model.record
        assert found.facts
        made = forecast_of(found.model, sample_data / "co2_weekly.csv")
        assert np.isfinite(made).all()
    except RnncliError as error:
        assert isinstance(error, (ModelRefused, InputRefused))  # noqa: PT017 either is an answer
    assert time.process_time() - begin < 3


def forecast_of(model: Forecaster, data: Path) -> Any:
    known = Known(model.columns, model.calendar, model.spec.categories)
    return model.quantiles(load_panel(data, None, known).panel)


@pytest.mark.parametrize(
    ("tensor", "value"),
    [("series.name_ends", 10**6), ("series.name_ends", -1), ("series.name_ends", 2**62), ("series.names", 0xFF)],
)
def test_forged_names_of_series_are_refused_behind_a_fitting_digest(
    parts: Parts, tmp_path: Path, tensor: str, value: int
) -> None:
    document, table, body = parts
    begin, end = table[tensor]["data_offsets"]
    size = 8 if table[tensor]["dtype"] == "I64" else 1
    forged = value.to_bytes(size, "little", signed=value < 0) + body[begin + size : end]
    refusal(tmp_path / "m", signed(document, table, body[:begin] + forged + body[end:]))


def test_two_series_of_one_name_are_refused_behind_a_fitting_digest(parts: Parts, tmp_path: Path) -> None:
    document, table, body = parts
    document["series"] = {"count": 2, "bytes": 2}
    arrays = {"series.names": b"aa", "series.name_ends": struct.pack("<2q", 1, 2), "series.cutoffs": bytes(16)}
    table, body = with_bytes(table, body, arrays)
    for name in [f"series.{name}" for name in STATISTICS]:
        table, body = with_rows(table, body, name, 2)
    assert "one name" in refusal(tmp_path / "m", signed(document, table, body)).message


def with_bytes(table: dict[str, Any], body: bytes, arrays: dict[str, bytes]) -> tuple[dict[str, Any], bytes]:
    """The table and the bytes with one-dimensional tensors replaced."""
    for name, data in arrays.items():
        table, body = without(table, body, *table.pop(name)["data_offsets"])
        dtype, size = ("U8", 1) if name.endswith("names") else ("I64", 8)
        table[name] = {"dtype": dtype, "shape": [len(data) // size], "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    return table, body


def with_rows(table: dict[str, Any], body: bytes, name: str, rows: int) -> tuple[dict[str, Any], bytes]:
    """The table and the bytes with a matrix of one row repeated."""
    entry = table.pop(name)
    begin, end = entry["data_offsets"]
    data = rows * body[begin:end]
    table, body = without(table, body, begin, end)
    offsets = [len(body), len(body) + len(data)]
    return table | {name: entry | {"shape": [rows, *entry["shape"][1:]], "data_offsets": offsets}}, body + data


def test_a_key_that_comes_twice_is_refused_behind_a_fitting_digest(sound: bytes, tmp_path: Path) -> None:
    end = 8 + int.from_bytes(sound[:8], "little")
    head, body = sound[8:end].rstrip(b" "), sound[end:]
    name = next(iter(opened(sound)[1]))
    again = json.dumps(name).encode() + b":" + json.dumps(opened(sound)[1][name]).encode()
    assert "twice" in refusal(tmp_path / "m", headed(head[:-1] + b"," + again + b"}", body)).message


class Payload:
    """A pickle of this makes a folder."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.trace),))


def zipped(name: str, data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, data)
    return stream.getvalue()


def payloads(trace: Path) -> Iterator[tuple[str, bytes]]:
    """Twenty files that would run code if they were unpickled, and what they are called."""
    bomb = Payload(trace)
    for protocol in range(6):
        yield f"raw{protocol}.pkl", pickle.dumps(bomb, protocol)
        yield f"renamed{protocol}.safetensors", pickle.dumps({"weights": bomb}, protocol)
    yield "m.pt", zipped("archive/data.pkl", pickle.dumps(bomb, 2))
    yield "m.ckpt", zipped("data.pkl", pickle.dumps(bomb))
    stream = io.BytesIO()
    np.save(stream, np.array([bomb], object), allow_pickle=True)
    yield "m.npy", stream.getvalue()
    yield "m.npz", zipped("a.npy", stream.getvalue())
    yield "m.joblib", b"\x78\x9c" + pickle.dumps(bomb)
    yield "m.marshal", marshal.dumps(compile(f"import os; os.mkdir({str(trace)!r})", "m", "exec"))
    yield "m.pyc", b"\xa7\r\r\n" + bytes(12) + marshal.dumps(compile("1", "m", "exec"))
    yield "headed.safetensors", headed(pickle.dumps(bomb, 0))


def test_no_pickle_is_ever_run(tmp_path: Path) -> None:
    trace, tried = tmp_path / "trace", 0
    for name, data in payloads(trace):
        refusal(tmp_path / name, data)
        assert not trace.exists(), name
        tried += 1
    assert tried == 20


def test_the_payloads_would_run_if_they_were_unpickled(tmp_path: Path) -> None:
    pickle.loads(dict(payloads(tmp_path / "trace"))["raw2.pkl"])  # noqa: S301 the test of the test
    assert (tmp_path / "trace").is_dir()


NO_UNPICKLING = """
import sys
def watch(event, arguments):
    if event == "pickle.find_class" or event.startswith("os.mkdir"):
        print("UNPICKLED", event, arguments, flush=True)
sys.addaudithook(watch)
from rnncli.errors import ModelRefused
from rnncli import model as model_file
for path in sys.argv[1:]:
    try:
        model_file.load(path)
    except ModelRefused as error:
        print(error.exit_code)
"""


def test_no_class_is_even_looked_up(run_python: Run, tmp_path: Path) -> None:
    paths = []
    for name, data in payloads(tmp_path / "trace"):
        paths.append(tmp_path / name)
        paths[-1].write_bytes(data)
    done = run_python("-c", NO_UNPICKLING, *paths)
    assert (done.stderr, done.stdout.split()) == ("", ["5"] * len(paths))


@pytest.mark.parametrize("name", ["flipped", "pickle", "terabytes"])
def test_the_program_ends_with_exit_code_5_and_names_the_file(
    run_rnncli: Run, parts: Parts, sound: bytes, tmp_path: Path, name: str
) -> None:
    document, table, body = parts
    data = {
        "flipped": sound[:-1] + bytes([sound[-1] ^ 1]),
        "pickle": pickle.dumps(Payload(tmp_path / "trace")),
        "terabytes": signed(changed(document, "network.members", HUGE), table, body),
    }[name]
    path = tmp_path / "m.safetensors"
    path.write_bytes(data)
    done = run_rnncli("info", path)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith(f"error: {path}: ")
    assert sys.executable not in done.stderr
