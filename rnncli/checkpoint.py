"""A model as one safetensors file, which is read back whole and as it was written, or not at all.

The header's only metadata key, `rnncli`, holds canonical JSON: the format, a digest and what the caller keeps there.
The digest is SHA-256 over the bytes of the file with the digest's own 64 digits set to 0. Nothing in a file is ever
executed, nor turned into code by its name.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import math
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from rnncli import files
from rnncli.errors import ModelRefused, OutputExists, RnncliError, StorageFailed

Tensors = Mapping[str, NDArray[Any]]
Layout = Mapping[str, tuple[np.dtype[Any] | str, tuple[int, ...]]]
_Kind = tuple[np.dtype[Any], tuple[int, ...]]

FORMAT = 4  # 1 had no statistics of the training's series; 2 no pool, calibration and shares of categories
# 3 knew one id column and one of time, and not how numbers are written
LARGEST_HEADER = 1 << 20
UNFINISHED = "unfinished training"  # the task of a file that is no model yet
STREAM = "stream"  # and of one that predict keeps
UNUSABLE = (RnncliError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError)  # a description may be
_LONGEST = 300  # letters of a message
_KEY = "rnncli"
_RESERVED = ("digest", "format")
_ZEROS = "0" * 64
_AT_ONCE = 1 << 20  # numbers
_DIGEST = re.compile("[0-9a-f]{64}")
_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}
_OTHER_FILES = (
    (b"PK\x03\x04", "this is a zip archive, perhaps a PyTorch checkpoint; such files can hold code and are not read"),
    (b"\x80", "this looks like a Python pickle; such files can hold code and are not read"),
    (b"PAR1", "this is a Parquet file, not a model"),
    (b"\x1f\x8b", "this is a gzip archive, not a model"),
    (b"\x28\xb5\x2f\xfd", "this is a zstd archive, not a model"),
    (b"\x89HDF", "this is an HDF5 file, not a model"),
)
_OPENING = f'{{"__metadata__":{{"{_KEY}":'.encode()
_ANOTHER = "move it away, or give --output another path"
_NOT_OURS = "give a file that `rnncli train DATA -o MODEL` wrote"
LATER = "use the version of rnncli that wrote the file, or train again"
_DAMAGED = "restore the file from a backup, or train again"


class OfAnother(ModelRefused):
    """A sound file belongs to another model, training or data than the one at hand: a layout is asked for and there is
    none.
    """


@dataclass(frozen=True)
class Model:
    """The contents of a model file: `meta` as it was given to `save`, and read-only arrays."""

    meta: dict[str, Any]
    tensors: dict[str, NDArray[Any]]


def save(path: str | os.PathLike[str], tensors: Tensors, meta: Mapping[str, Any]) -> int:
    """Write a model file and return its size in bytes. Raises StorageFailed, and ValueError as `to_bytes` does.

    Each tensor is asked for when it is needed, more than once, so that a mapping may make them one at a time.
    """
    head, names, size = _head(tensors, meta)
    files.atomic_write(path, head, (_bytes_of(tensors[name]) for name in names), size)
    return size


def to_bytes(tensors: Tensors, meta: Mapping[str, Any]) -> bytes:
    """The file of a model: the same tensors and JSON values in any order give the same bytes.

    ValueError if a tensor is not finite, its dtype has no place in the format, or the header would be too long.
    """
    head, names, _ = _head(tensors, meta)
    return b"".join([head, *(_bytes_of(tensors[name]) for name in names)])


def _head(tensors: Tensors, meta: Mapping[str, Any]) -> tuple[bytes, list[str], int]:
    """The header of a file with its digest, the tensors in their order behind it, and how long the file is."""
    document = {**meta, "format": FORMAT, "digest": _ZEROS}
    if len(document) != len(meta) + len(_RESERVED):
        raise ValueError(f"the keys {', '.join(_RESERVED)} are taken")
    table, size = _table({name: _storable(name, tensors[name]) for name in sorted(tensors)})
    text = json.dumps({"__metadata__": {_KEY: _canonical(document)}} | table, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > LARGEST_HEADER:
        raise ValueError("the header is too long: what grows with the data belongs into tensors")
    blank = len(text).to_bytes(8, "little") + text
    sha = hashlib.sha256(blank)
    for name in table:
        sha.update(_bytes_of(tensors[name]))
    before = _canonical({key: value for key, value in document.items() if key < "digest"})
    opening = before.removesuffix("}") + ("," if len(before) > 2 else "") + '"digest":"'
    place = blank.index(_escaped(opening)) + len(_escaped(opening))
    head = blank[:place] + sha.hexdigest().encode() + blank[place + len(_ZEROS) :]
    return head, list(table), len(head) + size


def _table(kinds: Mapping[str, _Kind]) -> tuple[dict[str, Any], int]:
    """The table of tensors of a file as safetensors orders them, and the bytes of all of them."""
    from safetensors.numpy import save as serialise

    empty = serialise({name: np.empty(0, dtype) for name, (dtype, _) in kinds.items()})
    table: dict[str, Any] = json.loads(empty[8:])
    end = 0
    for name, entry in table.items():
        dtype, shape = kinds[name]
        begin, end = end, end + dtype.itemsize * math.prod(shape)
        entry.update(shape=list(shape), data_offsets=[begin, end])
    return table, end


def _bytes_of(tensor: NDArray[Any]) -> memoryview:
    """A tensor as it lies in a file."""
    laid_out = np.ascontiguousarray(tensor, tensor.dtype.newbyteorder("<"))
    return laid_out.reshape(-1).view(np.uint8).data


def refuse_to_replace_others(path: str | os.PathLike[str]) -> None:
    """OutputExists if there is a file that holds something, and neither a model nor a training under way; one that is
    damaged may still show that it is one.
    """
    try:
        start = files.start_of(path, 8 + LARGEST_HEADER)
    except PermissionError:
        start = b"unknown"
    if not _is_a_training(start):
        raise OutputExists(
            "there is a file already that `rnncli train` did not write", where=os.fspath(path), hint=_ANOTHER
        )


def _is_a_training(start: bytes) -> bool:
    """Whether a file that starts so is empty, or what training writes."""
    if not start:
        return True
    try:
        header = _JSON.decode(start[8 : 8 + int.from_bytes(start[:8], "little")].decode())
        document = _JSON.decode(header["__metadata__"][_KEY])
    except (*UNUSABLE, RecursionError):
        return start[8:].startswith(_OPENING)
    return not isinstance(document, dict) or document.get("task") != STREAM


def load(path: str | os.PathLike[str], expected: Callable[[dict[str, Any]], Layout]) -> Model:
    """Read the file that `save` wrote.

    `expected` says from the metadata which tensors there must be, as name -> (dtype, shape); the OfAnother that it may
    raise is raised here, with the file's name, if the file is sound. Raises ModelRefused if the file is missing, not
    ours, of a later format, does not hold just those tensors, or differs from what was written in as much as one bit.
    """
    return _checked(os.fspath(path), _read(path), expected)


def from_bytes(data: bytes, expected: Callable[[dict[str, Any]], Layout], where: str) -> Model:
    """The model that `load` would read from a file of these bytes; messages call it `where`."""
    return _checked(where, _read_all(io.BytesIO(data), len(data), where), expected)


def _checked(where: str, read: _Read, expected: Callable[[dict[str, Any]], Layout]) -> Model:
    """What was read, if it is what was written, and what the metadata imply."""
    header, document, body = read
    meta = {key: value for key, value in document.items() if key not in _RESERVED}
    table = {name: entry for name, entry in header.items() if name != "__metadata__"}
    problem = _difference(where, table, meta, expected)
    if not _digest_fits(document["digest"], header.raw, body):
        _refuse(where, "the file is damaged: its bytes do not match its digest", _DAMAGED)
    if problem is not None:
        raise problem
    tensors = {name: _array(entry, body[name]) for name, entry in table.items()}
    for name, array in tensors.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            _refuse(where, f"tensor {name!r} is not finite", "train again")
    return Model(meta, tensors)


class _Header(dict[str, Any]):
    """The parsed header with the bytes it came from (its length's 8 first)."""

    raw: bytes


class _DuplicateKey(ValueError):
    pass


_Read = tuple[_Header, dict[str, Any], dict[str, bytes]]


def _read(path: str | os.PathLike[str]) -> _Read:
    """Header, its rnncli document, and each tensor's bytes: all that can be told without the digest is checked."""
    try:
        with open(path, "rb", opener=files.without_waiting) as file:
            return _read_open(file, os.fspath(path))
    except FileNotFoundError:
        _refuse(os.fspath(path), "there is no such model file", "train one: rnncli train DATA -o MODEL")
    except IsADirectoryError:
        _refuse(os.fspath(path), "this is a folder, not a model file", _NOT_OURS)
    except OSError as error:
        if error.errno == errno.EIO:
            raise StorageFailed(f"cannot read: {error.strerror}".lower(), where=os.fspath(path)) from error
        _refuse(os.fspath(path), f"cannot read the model file: {error.strerror}", "check the path and its permissions")


def _read_open(file: BinaryIO, where: str) -> _Read:
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        _refuse(where, "this is not a regular file", _NOT_OURS)
    return _read_all(file, status.st_size, where)


def _read_all(file: BinaryIO, whole: int, where: str) -> _Read:
    """The contents of a file of `whole` bytes, as far as it can be told without the digest."""
    if whole == 0:
        _refuse(where, "the file is empty", _DAMAGED)
    start = file.read(8)
    _refuse_other_files(start, where)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or not 2 <= length <= LARGEST_HEADER:
        _refuse(where, "this is not an rnncli model file", _NOT_OURS)
    raw = file.read(length)
    if len(raw) < length:
        _refuse(where, "the file is cut short, or not an rnncli model file", _DAMAGED)
    header = _parse_header(start + raw, where)
    document = _parse_document(header, where)
    size = _checked_size(header, where)
    if whole != 8 + length + size:
        _refuse(where, f"the file is damaged: it has {whole:,} bytes, not {8 + length + size:,}", _DAMAGED)
    body = {name: file.read(end - begin) for name, (begin, end) in _places(header)}
    if sum(map(len, body.values())) != size or file.read(1):
        _refuse(where, "the file changed while it was read", "try again")
    return header, document, body


def _places(header: _Header) -> list[tuple[str, tuple[int, int]]]:
    """Where each tensor begins and ends, one after the other."""
    found = [(name, tuple(entry["data_offsets"])) for name, entry in header.items() if name != "__metadata__"]
    return sorted(found, key=lambda item: item[1])


def _refuse_other_files(start: bytes, where: str) -> None:
    for magic, what in _OTHER_FILES:
        if start.startswith(magic) and int.from_bytes(start, "little") > LARGEST_HEADER:
            _refuse(where, what, _NOT_OURS)


def _parse_header(raw: bytes, where: str) -> _Header:
    value = _parse(raw[8:], where, "header")
    header = _Header(value)
    header.raw = raw
    return header


def _parse_document(header: _Header, where: str) -> dict[str, Any]:
    metadata = header.get("__metadata__")
    if not isinstance(metadata, dict) or set(metadata) != {_KEY} or not isinstance(metadata[_KEY], str):
        _refuse(where, "this is a safetensors file, but not one that rnncli wrote", _NOT_OURS)
    document = _parse(metadata[_KEY].encode("utf-8", "surrogatepass"), where, "metadata")
    version = document.get("format")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        _refuse(where, "the file is damaged: it has no format version", _DAMAGED)
    if version > FORMAT:
        message = f"the file has format {version}, this rnncli reads formats up to {FORMAT}"
        _refuse(where, message, "upgrade: pip install --upgrade rnncli")
    if not isinstance(document.get("digest"), str) or not _DIGEST.fullmatch(document["digest"]):
        _refuse(where, "the file is damaged: it has no digest", _DAMAGED)
    return document


def _parse(text: bytes, where: str, what: str) -> dict[str, Any]:
    try:
        value = _JSON.decode(text.decode())
    except _DuplicateKey as error:
        _refuse(where, f"the file is damaged: key {error.args[0]!r} comes twice in its {what}", _DAMAGED)
    except (ValueError, RecursionError):
        _refuse(where, f"the {what} of the file is damaged, or this is not an rnncli model file", _DAMAGED)
    if not isinstance(value, dict):
        _refuse(where, "this is not an rnncli model file", _NOT_OURS)
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _DuplicateKey(key)
        found[key] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(text: str) -> float:
    """A number of JSON: 1e999 would be read as infinite."""
    value = float(text)
    return value if math.isfinite(value) else _no_constant(text)


def _whole(text: str) -> int:
    """A whole number of JSON that fits an int64."""
    value = int(text)
    return value if -(1 << 63) <= value < 1 << 63 else _no_constant(text)


_JSON = json.JSONDecoder(
    object_pairs_hook=_without_duplicates, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole
)


def _checked_size(header: _Header, where: str) -> int:
    """Bytes of all tensors, which must lie end to end, each as long as its dtype and shape say."""
    end = 0
    entries = [(name, entry) for name, entry in header.items() if name != "__metadata__"]
    try:
        for name, entry in sorted(entries, key=lambda item: item[1]["data_offsets"]):
            end = _checked_end(entry, end) if set(entry) == {"dtype", "shape", "data_offsets"} else -1
            if end < 0:
                _refuse(where, f"the file is damaged: the place of tensor {name!r} is wrong", _DAMAGED)
    except (KeyError, TypeError, ValueError):
        _refuse(where, "the file is damaged: its table of tensors cannot be read", _DAMAGED)
    return end


def _checked_end(entry: dict[str, Any], begin: int) -> int:
    """Where the tensor ends if it begins at `begin` as it must, -1 if it does not."""
    shape, (first, end) = entry["shape"], entry["data_offsets"]
    if not all(type(number) is int and number >= 0 for number in (*shape, first, end)):
        return -1
    size = math.prod(shape) * np.dtype(_DTYPES[entry["dtype"]]).itemsize
    return end if first == begin and end - begin == size else -1


def _difference(
    where: str, table: dict[str, Any], meta: dict[str, Any], expected: Callable[[dict[str, Any]], Layout]
) -> ModelRefused | None:
    """What is to be said of tensors that are not what the metadata implies; None if they are."""
    try:
        wanted = {name: (np.dtype(dtype).name, tuple(shape)) for name, (dtype, shape) in expected(meta).items()}
    except OfAnother as error:
        return OfAnother(error.message, hint=error.hint, where=where)
    except UNUSABLE as error:
        return refused(where, f"what the file says of the model cannot be used: {error}", LATER)
    found = {name: (_DTYPES[entry["dtype"]], tuple(entry["shape"])) for name, entry in table.items()}
    odd = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if not odd:
        return None
    name = odd[0]
    return refused(
        where, f"tensor {name!r} should be {_shown(wanted.get(name))} and is {_shown(found.get(name))}", LATER
    )


def _shown(kind: tuple[str, tuple[int, ...]] | None) -> str:
    return "absent" if kind is None else f"{kind[0]}{list(kind[1])}"


def _digest_fits(digest: str, head: bytes, body: Mapping[str, bytes]) -> bool:
    if head.count(digest.encode()) != 1:
        return False
    sha = hashlib.sha256(head.replace(digest.encode(), _ZEROS.encode()))
    for data in body.values():
        sha.update(data)
    return sha.hexdigest() == digest


def _array(entry: dict[str, Any], body: bytes) -> NDArray[Any]:
    dtype, shape = np.dtype(_DTYPES[entry["dtype"]]).newbyteorder("<"), entry["shape"]
    return np.frombuffer(body, dtype, math.prod(shape)).reshape(shape)


def _storable(name: str, tensor: NDArray[Any]) -> _Kind:
    """The dtype and the shape of a tensor. ValueError if a file cannot hold it."""
    if tensor.dtype.name not in _DTYPES.values():
        raise ValueError(f"tensor {name!r} is of type {tensor.dtype}, which a model file cannot hold")
    if tensor.dtype.kind == "f" and not _is_finite(tensor):
        raise ValueError(f"tensor {name!r} is not finite")
    return tensor.dtype, tensor.shape


def _is_finite(tensor: NDArray[Any]) -> bool:
    """Whether all numbers are, looked at some at a time: of a large state, an answer for each has no room."""
    flat = tensor.reshape(-1)
    return all(np.isfinite(flat[begin : begin + _AT_ONCE]).all() for begin in range(0, flat.size, _AT_ONCE))


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _escaped(text: str) -> bytes:
    return text.replace("\\", "\\\\").replace('"', '\\"').encode()


def _refuse(where: str, message: str, hint: str) -> NoReturn:
    raise refused(where, message, hint)


def refused(where: str, message: str, hint: str) -> ModelRefused:
    """The error about a file; names that come from the file can be long, a message is not."""
    return ModelRefused(message if len(message) <= _LONGEST else message[:_LONGEST] + " ...", hint=hint, where=where)
