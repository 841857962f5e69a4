"""Blocks over threads: every number once, results in order, errors not lost."""

import numpy as np
import pytest

from quadlens.certificates.compute import blocks as parallel
from quadlens.certificates.compute.blas_threads import blas_libraries, one_blas_thread
from quadlens.certificates.compute.blocks import blocks_of, in_parallel


@pytest.mark.parametrize(("length", "size"), [(0, 4), (1, 4), (7, 3), (8, 4), (5, 0), (5, -1)])
def test_blocks_hold_every_number_once(length, size):
    blocks = list(blocks_of(length, size))
    assert [number for block in blocks for number in range(block.start, block.stop)] == list(range(length))
    assert all(0 < block.stop - block.start <= max(1, size) for block in blocks)


@pytest.mark.parametrize("cores", [1, 4])
def test_results_come_in_the_order_of_the_blocks(monkeypatch, cores):
    monkeypatch.setattr(parallel, "cores", lambda: cores)
    assert in_parallel(lambda block: block.start, blocks_of(100, 3)) == list(range(0, 100, 3))
    assert in_parallel(lambda block: block.start, blocks_of(0, 3)) == []


@pytest.mark.parametrize("cores", [1, 4])
def test_an_error_in_one_block_is_raised(monkeypatch, cores):
    monkeypatch.setattr(parallel, "cores", lambda: cores)

    def work(block):
        if block.start == 6:
            raise ArithmeticError("block 6")

    with pytest.raises(ArithmeticError, match="block 6"):
        in_parallel(work, blocks_of(20, 3))


def blas_threads() -> set[int]:
    np.ones((2, 2)) @ np.ones((2, 2))  # loaded, so that there is a BLAS to ask
    return {pool["num_threads"] for pool in blas_libraries().info() if pool["user_api"] == "blas"}


@pytest.mark.skipif(parallel.cores() < 2, reason="one core: BLAS has one thread as it is")
def test_blas_has_its_threads_back_when_the_last_of_several_is_done() -> None:
    with blas_libraries().limit(limits=2, user_api="blas"):
        before = blas_threads()
        first, second = one_blas_thread(), one_blas_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        inside = blas_threads()
        second.__exit__(None, None, None)
        assert (before, inside, blas_threads()) == ({2}, {1}, {2})


@pytest.mark.skipif(parallel.cores() < 2, reason="one core: BLAS has one thread as it is")
def test_blas_has_its_threads_back_after_an_error() -> None:
    with blas_libraries().limit(limits=2, user_api="blas"):
        with pytest.raises(RuntimeError, match="inside"), one_blas_thread():
            raise RuntimeError("inside")
        assert blas_threads() == {2}
