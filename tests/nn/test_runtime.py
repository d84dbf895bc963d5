"""Settings of the torch process."""

from __future__ import annotations

import platform
from collections.abc import Iterator

import pytest
import torch

from rnncli.errors import UsageError
from rnncli.nn import runtime
from rnncli.processors import available_cpus


@pytest.fixture(autouse=True)
def settings_are_put_back() -> Iterator[None]:
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    yield
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(precision)
    torch.set_flush_denormal(False)


def test_threads_are_as_asked() -> None:
    assert runtime.prepare(1)["threads"] == torch.get_num_threads() == 1


def test_threads_are_by_default_the_cpus_of_the_process_four_at_most() -> None:
    assert runtime.prepare()["threads"] == min(available_cpus(), 4) >= 1


def test_what_was_prepared_is_given_back() -> None:
    torch.set_num_threads(1)
    tiny = torch.tensor([1e-40])
    with runtime.prepared(2) as decided:
        assert decided["threads"] == torch.get_num_threads() == 2
    assert torch.get_num_threads() == 1
    assert (tiny * 1.0).item() > 0


@pytest.mark.parametrize("name", ["nowhere", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        runtime.device(name)


def test_the_device_is_by_default_the_cpu() -> None:
    assert runtime.device(None) == "cpu"


@pytest.mark.parametrize("threads", [0, -1])
def test_fewer_than_one_thread_is_refused(threads: int) -> None:
    with pytest.raises(UsageError):
        runtime.prepare(threads)


def test_products_stay_as_exact_as_float32() -> None:
    assert runtime.prepare(1)["matmul_precision"] in ("medium", "highest")
    assert runtime._product_error() < runtime.PRODUCT_ERROR


def test_a_processor_that_rounds_products_keeps_the_highest_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "PRODUCT_ERROR", 0.0)
    assert runtime.prepare(1)["matmul_precision"] == "highest"
    assert torch.get_float32_matmul_precision() == "highest"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="malloc is glibc's only there")
def test_glibc_accepts_all_settings_of_malloc() -> None:
    assert runtime.prepare(1)["malloc_keeps_memory"] is True


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert runtime.prepare(1)["malloc_keeps_memory"] is False


def test_what_was_decided_can_be_written_down() -> None:
    decided = runtime.prepare(1)
    assert all(isinstance(value, int | bool | str) for value in decided.values())
    assert {"threads", "matmul_precision", "flush_denormal", "cpu_capability", "torch"} <= set(decided)
