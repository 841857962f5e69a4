"""Blocks of an array, shared out over threads where numpy computes: it lets go of the interpreter meanwhile."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

BLOCK = 2**20
"""Float64 numbers in one block of a table, at most, unless one row has more (8 MiB: near the cache)."""


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def blocks_of(length: int, size: int) -> Iterator[slice]:
    """Yield the blocks of ``0 … length − 1``, each of ``size`` numbers at most and of one at least.

    >>> list(blocks_of(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    step = max(1, size)
    for start in range(0, length, step):
        yield slice(start, min(start + step, length))


def in_parallel(work: Callable[[slice], T], blocks: Iterator[slice]) -> list[T]:
    """Return what ``work`` returns for each block, in the blocks' order; an error in one is raised."""
    todo = list(blocks)
    if len(todo) < 2 or cores() < 2:
        return [work(block) for block in todo]
    with ThreadPoolExecutor(min(len(todo), cores())) as pool:
        return list(pool.map(work, todo))
