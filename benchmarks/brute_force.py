"""Brute force written as well as anyone would: blocked matrix products, every core or a GPU, in place, both precisions.

This is the baseline of every ratio in docs/performance.md. It only counts right answers; it proves nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

import quadlens as ql

BLOCK_BYTES = {"cpu": 2**27, "cuda": 2**30}
"""Preactivations of one block on each kind of device: large enough for the matrix product's full speed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BruteForce:
    """Right answers among the inputs that were run, the seconds that took, and the seconds for all p² inputs."""

    dtype: str
    device: str
    right: int
    inputs_run: int
    seconds: float
    seconds_all: float

    @property
    def scaled(self) -> bool:
        """Whether ``seconds_all`` is an estimate from a part of the inputs."""
        return self.seconds_all != self.seconds


def finished(device: str) -> None:
    """Wait until a device has done what it was given: a GPU answers before it has computed."""
    import torch

    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


def brute_force(
    circuit: ql.Circuit, dtype: str = "float32", *, rows: int | None = None, device: str = "cpu"
) -> BruteForce:
    """Run the network on the inputs of the first ``rows`` values of ``a`` (default: all) and time it.

    Parameters
    ----------
    dtype : ``float32`` or ``float64``
    rows : fewer than p to estimate the time of a circuit too large to run; the conversion of the tables is not timed
    device : where torch runs it, ``cpu`` or ``cuda``; copying the tables there is not timed, and float32 is float32
        (no TF32)
    """
    import torch

    if circuit.activation != "relu":
        raise ValueError(f"the benchmark's networks are ReLU, got {circuit.activation}")
    kind = getattr(torch, dtype)
    p, n = circuit.p, circuit.neurons
    torch.backends.cuda.matmul.allow_tf32 = False
    A, B, U, S_a, S_b = (
        torch.from_numpy(np.array(getattr(circuit, name))).to(device, kind) for name in ("A", "B", "U", "S_a", "S_b")
    )
    run = p if rows is None else min(rows, p)
    step = max(1, min(run, BLOCK_BYTES[A.device.type] // (A.element_size() * p * n)))
    hidden = torch.empty(step, p, n, dtype=kind, device=device)
    logits = torch.empty(step, p, p, dtype=kind, device=device)
    b = torch.arange(p, device=device)
    right = torch.zeros((), dtype=torch.int64, device=device)
    # a first product loads the libraries, which is no part of the work
    torch.mm(A[:1], U)
    finished(device)
    started = time.perf_counter()
    with torch.inference_mode():
        for first in range(0, run, step):
            a = torch.arange(first, min(first + step, run), device=device)
            x, y = hidden[: len(a)], logits[: len(a)]
            torch.add(A[a, None], B, out=x)
            x.relu_()
            torch.mm(x.view(-1, n), U, out=y.view(-1, p))
            y += S_a[a, None]
            y += S_b
            right += (y.argmax(-1) == (a[:, None] + b) % p).sum()
    finished(device)
    seconds = time.perf_counter() - started
    scale = 1.0 if run == p else p / run
    return BruteForce(
        dtype=dtype,
        device=device,
        right=int(right),
        inputs_run=run * p,
        seconds=seconds,
        seconds_all=seconds * scale,
    )
