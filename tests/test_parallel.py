"""Blocks over threads: every number once, results in order, errors not lost."""

import pytest

from quadlens.certificates import parallel
from quadlens.certificates.parallel import blocks_of, in_parallel


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
