"""A block of frames: kept as it is stored, and float32 only where it is gathered."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from rnncli.data.frames import room as rooms
from rnncli.data.frames.block import Block
from rnncli.data.frames.load import load_frames
from rnncli.data.frames.room import room
from rnncli.errors import StorageFailed


def block(**more: float) -> Block:
    frames = np.arange(7 * 2 * 3, dtype=np.uint16).reshape(7, 2, 3, 1)
    return Block((frames[:3], frames[3:]), **more)


def test_frames_are_gathered_by_their_rows_from_all_parts() -> None:
    found = block().gather(np.array([[0, 6], [3, 2]]))
    assert found.shape == (2, 2, 2, 3, 1)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[:, :, 0, 0, 0], [[0, 36], [18, 12]])


def test_a_row_that_is_no_number_has_no_frame() -> None:
    found = block().gather(np.array([np.nan, 1.0]))
    assert np.isnan(found[0]).all()
    assert not np.isnan(found[1]).any()


def test_values_are_scaled_and_missing_ones_are_no_numbers() -> None:
    found = block(scale=0.5, missing=4.0).gather(np.array([0]))[0, ..., 0]
    np.testing.assert_array_equal(found, [[0, 0.5, 1], [1.5, np.nan, 2.5]])


def test_pieces_are_all_frames_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnncli.data.frames.block.PIECE", 60)
    pieces = list(block().pieces(np.arange(7)))
    assert len(pieces) == 4
    np.testing.assert_array_equal(np.concatenate(pieces), block().gather(np.arange(7)))


@pytest.mark.parametrize("kind", ["u1", "<u2", ">u2", "<i2", "<f2", ">f4"])
def test_what_is_gathered_is_encoded_as_it_was_stored(kind: str) -> None:
    stored = np.arange(24).reshape(2, 3, 4, 1).astype(kind)
    same = Block((stored,), 0.25, 5.0)
    found = same.encoded(same.gather(np.arange(2)))
    assert found.dtype == stored.dtype
    np.testing.assert_array_equal(found, stored)


def test_what_a_type_cannot_hold_is_rounded_and_cut() -> None:
    values = np.array([-3.0, 2.5, 3.5, 300.0, np.nan], np.float32)
    np.testing.assert_array_equal(Block((np.zeros((1, 1, 1, 1), np.uint8),)).encoded(values), [0, 2, 4, 255, 0])
    half = Block((np.zeros((1, 1, 1, 1), np.float16),)).encoded(np.array([1e9], np.float32))
    assert np.isfinite(half).all()


def test_a_large_block_lies_in_a_file_that_nobody_sees(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rooms, "SMALL", 100)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = room((4, 10, 10, 1), np.uint8)
    assert isinstance(found, np.memmap)
    found[:] = 7
    assert not list(tmp_path.iterdir())
    assert isinstance(room((1, 10, 10, 1), np.uint8), np.ndarray)


def test_a_block_that_no_disk_has_room_for_is_a_failure_of_storage(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(StorageFailed, match="no room for"):
        room((1 << 40, 1 << 10), np.uint8)


def test_a_file_of_numpy_is_mapped_and_never_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "clip.npy"
    found = np.lib.format.open_memmap(path, "w+", np.uint8, (3000, 64, 64))  # 12 MB
    found[:] = 1
    del found
    tracemalloc.start()
    loaded = load_frames(os.fspath(path))
    frames = loaded.panel.frames(np.array([0]), np.array([2990]), 10)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert frames.shape == (1, 10, 64, 64, 1)
    assert most < 2_000_000
