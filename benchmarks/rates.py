"""What a device can do at best, measured in the same run as what is compared with it: bytes moved, and operations."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from benchmarks.brute_force import finished

SIZES = {"cpu": (2**25, 1024), "cuda": (2**30, 8192)}
"""Numbers copied, and rows of the square matrices multiplied, on each kind of device: many times what a cache holds."""

REPEATS = 5


def measured_rates(device: str) -> dict[str, float]:
    """Return ``bytes_per_second`` of a copy (read and written), ``float32`` and ``float64`` operations per second.

    The fastest of five each. float32 is float32: TF32 is off.
    """
    torch.backends.cuda.matmul.allow_tf32 = False
    numbers, rows = SIZES[torch.device(device).type]
    source = torch.ones(numbers, dtype=torch.float32, device=device)
    target = torch.empty_like(source)
    out = {"bytes_per_second": 2 * source.nbytes / _fastest(partial(target.copy_, source), device)}
    for dtype in (torch.float32, torch.float64):
        x = torch.rand(rows, rows, dtype=dtype, device=device)
        y = torch.empty_like(x)
        seconds = _fastest(partial(torch.mm, x, x, out=y), device)
        out[str(dtype).removeprefix("torch.")] = 2 * rows**3 / seconds
    return out


def _fastest(work: Callable[[], Any], device: str) -> float:
    seconds = []
    for _ in range(REPEATS + 1):
        finished(device)
        started = time.perf_counter()
        work()
        finished(device)
        seconds.append(time.perf_counter() - started)
    # the first one loads the library
    return min(seconds[1:])
