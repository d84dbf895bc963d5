from __future__ import annotations

import hashlib
import json
import os
import pickle
import random
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save as safetensors_save

from rnncli import checkpoint
from rnncli.checkpoint import Layout
from rnncli.errors import ModelRefused, OutputExists, StorageFailed, UsageError

META: dict[str, Any] = {
    "columns": {"time": "ds", "id": 'größe "x" \\ \n ☃', "digest": "0" * 64},
    "zone": None,
    "lr": 0.1,
    "steps": [1, 2],
    "version": "1.0",
}
TENSORS: dict[str, NDArray[Any]] = {
    "layer0.weight": np.arange(24, dtype=np.float32).reshape(1, 4, 6) / 7,
    "vocabulary": np.frombuffer(b"a\0b", np.uint8),
    "offsets": np.array([0, 1, 2], np.int64),
    "scale": np.array(2.5),
    "nothing": np.zeros((0, 3), np.float32),
}
EXPECTED: Layout = {name: (str(tensor.dtype), tensor.shape) for name, tensor in TENSORS.items()}


def expected(_: dict[str, Any]) -> Layout:
    return EXPECTED


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    checkpoint.save(tmp_path / "m.safetensors", TENSORS, META)
    return tmp_path / "m.safetensors"


def crafted(tmp_path: Path, header: str | bytes, body: bytes = b"") -> Path:
    raw = header.encode() if isinstance(header, str) else header
    return write(tmp_path / "crafted.safetensors", struct.pack("<Q", len(raw)) + raw + body)


def signed(document: dict[str, Any], tensors: str = "", body: bytes = b"") -> bytes:
    """A file with a digest that fits, whatever else is wrong with it."""
    text = json.dumps({**document, "digest": "0" * 64}, sort_keys=True, separators=(",", ":"))
    header = ('{"__metadata__":{"rnncli":' + json.dumps(text) + "}" + tensors + "}").encode()
    blank = struct.pack("<Q", len(header)) + header + body
    return blank.replace(b"0" * 64, hashlib.sha256(blank).hexdigest().encode())


def refusal(path: Path, wanted: Callable[[dict[str, Any]], Layout] = expected) -> ModelRefused:
    with pytest.raises(ModelRefused) as caught:
        checkpoint.load(path, wanted)
    assert caught.value.exit_code == 5
    assert caught.value.hint
    assert str(path) in str(caught.value)
    return caught.value


def test_what_is_saved_is_loaded(model: Path) -> None:
    loaded = checkpoint.load(model, expected)
    assert loaded.meta == META
    assert loaded.tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert loaded.tensors[name].dtype == tensor.dtype
        np.testing.assert_array_equal(loaded.tensors[name], tensor)


def test_loaded_arrays_are_read_only(model: Path) -> None:
    for tensor in checkpoint.load(model, expected).tensors.values():
        assert not tensor.flags.writeable


def test_save_writes_the_bytes_and_returns_their_number(tmp_path: Path) -> None:
    size = checkpoint.save(tmp_path / "m", TENSORS, META)
    assert (tmp_path / "m").read_bytes() == checkpoint.to_bytes(TENSORS, META)
    assert (tmp_path / "m").stat().st_size == size


def test_a_layout_may_hold_dtypes_of_numpy(model: Path) -> None:
    layout = {name: (tensor.dtype.newbyteorder("<"), tensor.shape) for name, tensor in TENSORS.items()}
    assert checkpoint.load(model, lambda _: layout).meta == META


def test_any_safetensors_tool_reads_the_file(model: Path) -> None:
    with safe_open(model, "np") as opened:
        assert set(opened.keys()) == set(TENSORS)
        assert set(opened.metadata()) == {"rnncli"}
        assert json.loads(opened.metadata()["rnncli"])["format"] == checkpoint.FORMAT


def test_the_digest_is_sha256_with_its_own_digits_zero(model: Path) -> None:
    with safe_open(model, "np") as opened:
        digest = json.loads(opened.metadata()["rnncli"])["digest"]
    data = model.read_bytes()
    assert hashlib.sha256(data.replace(digest.encode(), b"0" * 64)).hexdigest() == digest


def test_order_does_not_change_the_bytes() -> None:
    backwards = dict(reversed(TENSORS.items())), dict(reversed(META.items()))
    assert checkpoint.to_bytes(*backwards) == checkpoint.to_bytes(TENSORS, META)


def test_memory_layout_does_not_change_the_bytes() -> None:
    weight = TENSORS["layer0.weight"]
    turned = {**TENSORS, "layer0.weight": np.asfortranarray(weight)}
    assert checkpoint.to_bytes(turned, META) == checkpoint.to_bytes(TENSORS, META)


def test_two_processes_write_the_same_bytes() -> None:
    script = (
        "import sys, numpy as np; from rnncli import checkpoint;"
        "tensors = {'a': np.ones(3), 'b': np.ones(2, np.int64)};"
        "sys.stdout.buffer.write(checkpoint.to_bytes(tensors, {'x': 1, 'y': {'z': 2}}))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(checkpoint.__file__).parents[1])},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(runs) == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_tensor_that_is_not_finite_is_not_saved(bad: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        checkpoint.to_bytes({"a": np.array([bad])}, {})


def test_reserved_keys_are_not_taken_from_the_caller() -> None:
    with pytest.raises(ValueError, match="taken"):
        checkpoint.to_bytes({}, {"digest": "x"})


def test_a_model_with_empty_metadata_can_be_saved(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "m", {}, {})
    assert checkpoint.load(tmp_path / "m", lambda _: {}).meta == {}


def test_a_failure_to_save_leaves_the_old_model(model: Path) -> None:
    before = model.read_bytes()
    with pytest.raises(StorageFailed):
        checkpoint.save(model / "x", TENSORS, META)
    assert model.read_bytes() == before


def test_every_flipped_bit_is_refused(model: Path, tmp_path: Path) -> None:
    data, chance = model.read_bytes(), random.Random(1)
    for place in [*range(8 * 16), *chance.sample(range(8 * len(data)), 2000)]:
        damaged = bytearray(data)
        damaged[place // 8] ^= 1 << place % 8
        refusal(write(tmp_path / "damaged", bytes(damaged)))


def test_every_truncation_and_every_appended_byte_is_refused(model: Path, tmp_path: Path) -> None:
    data = model.read_bytes()
    for length in range(0, len(data), 3):
        refusal(write(tmp_path / "damaged", data[:length]))
    refusal(write(tmp_path / "damaged", data + b"\0"))


def test_a_flipped_weight_is_called_damage(model: Path) -> None:
    data = bytearray(model.read_bytes())
    data[-1] ^= 1
    assert "do not match its digest" in refusal(write(model, bytes(data))).message


def test_damaged_metadata_is_called_damage_even_where_it_also_fits_no_model(model: Path) -> None:
    write(model, model.read_bytes().replace(b"zone", b"zond"))

    def picky(meta: dict[str, Any]) -> Layout:
        return {**EXPECTED, meta["zone"]: ("float32", ())}

    assert "do not match its digest" in refusal(model, picky).message


def test_a_file_that_belongs_to_something_else_is_told_from_a_damaged_one(model: Path) -> None:
    def of_another(_: dict[str, Any]) -> Layout:
        raise checkpoint.OfAnother("this belongs to another model", hint="give its own")

    error = refusal(model, of_another)
    assert isinstance(error, checkpoint.OfAnother)
    assert (error.message, error.hint, error.where) == ("this belongs to another model", "give its own", str(model))
    data = bytearray(model.read_bytes())
    data[-1] ^= 1
    assert not isinstance(refusal(write(model, bytes(data)), of_another), checkpoint.OfAnother)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path / "none.safetensors")
    assert "no such model file" in error.message
    assert "rnncli train" in error.hint


def test_a_folder_a_pipe_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "folder" in refusal(tmp_path).message
    assert "regular file" in refusal(tmp_path / "pipe").message
    assert "empty" in refusal(write(tmp_path / "empty", b"")).message


class Payload:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.trace),))


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_is_refused_and_never_run(tmp_path: Path, protocol: int) -> None:
    refusal(write(tmp_path / "m.safetensors", pickle.dumps(Payload(tmp_path / "trace"), protocol)))
    assert not (tmp_path / "trace").exists()


def test_a_torch_checkpoint_is_called_one(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.pt", "w") as archive:
        archive.writestr("data.pkl", pickle.dumps(Payload(tmp_path / "trace")))
    assert "PyTorch" in refusal(tmp_path / "m.pt").message


@pytest.mark.parametrize(
    "data", [b"unique_id,ds,y\na,2024-01-01,1\n", b"PAR1" + b"\0" * 50, b"\x1f\x8b\x08" + b"1" * 20]
)
def test_a_data_file_is_refused(tmp_path: Path, data: bytes) -> None:
    assert "rnncli train" in refusal(write(tmp_path / "m", data)).hint


def test_someone_elses_safetensors_file_is_refused(tmp_path: Path) -> None:
    for metadata in (None, {"format": "pt"}, {"rnncli": "{}", "other": "x"}):
        data = safetensors_save({"a": np.ones(3)}, metadata)
        assert "not one that rnncli wrote" in refusal(write(tmp_path / "m", data)).message


def test_a_later_format_says_upgrade(tmp_path: Path) -> None:
    error = refusal(write(tmp_path / "m", signed({"format": checkpoint.FORMAT + 1})))
    assert f"format {checkpoint.FORMAT + 1}" in error.message
    assert "upgrade" in error.hint


@pytest.mark.parametrize("version", ["1", 1.0, True, None, 0, -1, [1]])
def test_a_format_that_is_no_version_is_refused(tmp_path: Path, version: object) -> None:
    refusal(write(tmp_path / "m", signed({"format": version})), lambda _: {})


def test_a_header_over_one_mebibyte_is_refused_unread(tmp_path: Path) -> None:
    raw = b'{"__metadata__":{}' + b" " * (1 << 20) + b"}"
    assert "not an rnncli model" in refusal(crafted(tmp_path, raw)).message
    refusal(write(tmp_path / "m", struct.pack("<Q", 2**63) + b"{}"))


def test_a_key_that_comes_twice_is_refused(tmp_path: Path) -> None:
    for header in (
        '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
        '{"__metadata__":{"rnncli":"{}","rnncli":"{}"}}',
        '{"__metadata__":{"rnncli":"{\\"format\\":1,\\"format\\":2}"}}',
    ):
        assert "twice" in refusal(crafted(tmp_path, header)).message


@pytest.mark.parametrize(
    "header",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        "[]",
        "null",
        '{"__metadata__":[]}',
        '{"__metadata__":{"rnncli":1}}',
        '{"__metadata__":{"rnncli":"[]"}}',
        '{"__metadata__":{"rnncli":"NaN"}}',
        '{"__metadata__":{"rnncli":"\\ud800"}}',
        b'{"\xff":1}',
    ],
)
def test_hostile_headers_are_refused(tmp_path: Path, header: str | bytes) -> None:
    refusal(crafted(tmp_path, header))


@pytest.mark.parametrize(
    ("tensors", "body"),
    [
        ('"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}', 4),
        ('"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}', 4),
        ('"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}', 0),
        ('"a":{"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":[0,0]}', 0),
        ('"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}', 8),
        ('"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}', 4),
        ('"a":{"dtype":["F32"],"shape":[1],"data_offsets":[0,4]}', 4),
        ('"a":{"dtype":"F32","shape":[true],"data_offsets":[0,4]}', 4),
        ('"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}', 4),
        ('"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}', 4),
        ('"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}', 4),
        ('"a":[]', 0),
        ('"a":"x"', 0),
        (
            '"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}',
            4,
        ),
    ],
)
def test_a_table_of_tensors_that_lies_is_refused(tmp_path: Path, tensors: str, body: int) -> None:
    refusal(
        write(tmp_path / "m", signed({"format": 1}, "," + tensors, b"\0" * body)), lambda _: {"a": ("float32", (1,))}
    )


@pytest.mark.parametrize(
    "wanted",
    [
        {k: v for k, v in EXPECTED.items() if k != "scale"},
        {**EXPECTED, "../../etc/passwd": ("float32", (1,))},
        {**EXPECTED, "scale": ("float32", ())},
        {**EXPECTED, "scale": ("float64", (1,))},
    ],
)
def test_other_tensors_than_the_metadata_implies_are_refused(model: Path, wanted: Layout) -> None:
    assert "tensor" in refusal(model, lambda _: wanted).message


@pytest.mark.parametrize("error", [UsageError("hidden must be at least 1"), KeyError("hidden"), TypeError("hidden")])
def test_metadata_that_make_no_model_are_refused(model: Path, error: Exception) -> None:
    def fail(_: dict[str, Any]) -> Layout:
        raise error

    assert "hidden" in refusal(model, fail).message


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_tensor_that_is_not_finite_is_refused(tmp_path: Path, bad: float) -> None:
    tensors = ',"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
    data = signed({"format": 1}, tensors, struct.pack("<f", bad))
    assert "not finite" in refusal(write(tmp_path / "m", data), lambda _: {"a": ("float32", (1,))}).message


def test_loading_imports_no_serialiser() -> None:
    script = (
        "import sys, rnncli.checkpoint; sys.exit(any(m in sys.modules for m in ('safetensors', 'torch', 'pandas')))"
    )
    root = str(Path(checkpoint.__file__).parents[1])
    assert (
        subprocess.run([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": root}, check=False).returncode
        == 0
    )


def test_a_file_that_may_not_be_read_is_not_replaced_by_a_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, somebody: Callable[[], AbstractContextManager[None]]
) -> None:
    (tmp_path / "m").write_bytes(b"")
    (tmp_path / "m").chmod(0)
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    with somebody(), pytest.raises(OutputExists, match="did not write"):
        checkpoint.refuse_to_replace_others("m")


def test_tensors_that_are_written_one_at_a_time_give_the_bytes_of_safetensors(tmp_path: Path) -> None:
    tensors: dict[str, NDArray[Any]] = {
        "b.odd": np.arange(3, dtype=np.uint8),
        "a": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "none": np.zeros((0, 4), np.int64),
        "wide": np.arange(4.0),
    }
    path = tmp_path / "m"
    size = checkpoint.save(path, tensors, {"task": "x"})
    data = path.read_bytes()
    assert (size, data) == (len(data), checkpoint.to_bytes(tensors, {"task": "x"}))
    with safe_open(path, "np") as file:
        told = file.metadata()
    assert data == safetensors_save({name: np.ascontiguousarray(part) for name, part in tensors.items()}, told)
