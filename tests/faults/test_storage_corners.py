"""The corners of reading and writing files that nothing else reaches, each with a real file."""

from __future__ import annotations

import json
import os
import runpy
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnncli import checkpoint, files
from rnncli.errors import ModelRefused, StorageFailed

SIGNING = runpy.run_path(str(Path(__file__).parent / "fuzz" / "signing.py"))
signed: Callable[[dict[str, Any], dict[str, Any], bytes], bytes] = SIGNING["signed"]


def test_a_description_too_long_for_a_header_is_not_saved() -> None:
    with pytest.raises(ValueError, match="too long"):
        checkpoint.to_bytes({}, {"text": "x" * checkpoint.LARGEST_HEADER})


def test_a_tensor_that_the_format_does_not_know_is_not_saved() -> None:
    with pytest.raises(ValueError, match="complex64"):
        checkpoint.to_bytes({"a": np.zeros(1, np.complex64)}, {})


def test_a_model_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(ModelRefused, match="cannot read the model file: Not a directory"):
        checkpoint.load(tmp_path / "file" / "m", lambda _: {})


def test_a_digest_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    data = signed({"format": 1, "copy": "a" * 64}, {}, b"")
    digest = json.loads(json.loads(data[8:])["__metadata__"]["rnncli"])["digest"]
    (tmp_path / "m").write_bytes(data.replace(digest.encode(), b"a" * 64))
    with pytest.raises(ModelRefused, match="do not match its digest"):
        checkpoint.load(tmp_path / "m", lambda _: {})


def test_a_file_that_ends_early_while_it_is_read_is_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "m", {"a": np.zeros(100_000)}, {})
    with (tmp_path / "m").open("rb") as file:
        file.peek(1)
        os.lseek(file.fileno(), 100, os.SEEK_CUR)  # these bytes are gone when the buffer is refilled
        with pytest.raises(ModelRefused, match="changed while it was read"):
            checkpoint._read_open(file, "m")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that cannot be read at its begin")
def test_a_disk_that_cannot_be_read_is_a_storage_error() -> None:
    with pytest.raises(StorageFailed, match="cannot read"):
        files.read_bytes("/proc/self/mem")


def test_a_log_in_a_folder_that_is_not_there_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed) as caught:
        files.LineLog(tmp_path / "no" / "log")
    assert caught.value.hint == "make the folder first"


def test_a_closed_log_takes_nothing_and_can_be_closed_again(tmp_path: Path) -> None:
    log = files.LineLog(tmp_path / "log")
    log.close()
    log.close()
    with pytest.raises(ValueError, match="closed"):
        log.write({})
    assert (tmp_path / "log").read_bytes() == b""


def test_a_file_is_no_folder_to_write_into(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        files._check_folder(tmp_path / "file")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that cannot sync its folders")
def test_a_folder_that_cannot_be_synced_is_no_failure() -> None:
    files._sync_folder(Path("/proc"))


def test_a_process_of_another_user_is_alive(somebody: Callable[[], AbstractContextManager[None]]) -> None:
    with somebody():
        assert files._alive(1)
