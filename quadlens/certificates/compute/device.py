r"""torch's devices: which there are, and whether their float64 is float64."""

import os
from typing import Any

import torch

from quadlens.certificates.compute.blocks import BLOCK
from quadlens.errors import OptionError

EMULATION = "CUBLAS_EMULATE_DOUBLE_PRECISION"
"""cuBLAS may be told by this variable to put float64 products together from integers of fewer bits: what is small in a
row or column beside its largest entry is then cut off, which no bound by ``Σ|x_i y_i|`` covers."""

LARGE = 2**26
"""Float64 numbers in one block on a GPU, at most, unless one row has more (512 MiB): enough work for all of it."""


def block_of(device: torch.device) -> int:
    """Return how many float64 numbers one block of work has at most: near the cache of a processor, many on a GPU."""
    return BLOCK if device.type == "cpu" else LARGE


def device_named(name: str) -> Any:
    """Return torch's device of this name.

    Raises
    ------
    OptionError
        If torch knows no such device, this machine has none, or its float64 matrix products are not float64.
    """
    wanted = f"device must be cpu, cuda or cuda:N; got {name!r}"
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        raise OptionError(wanted) from None
    if device.type not in ("cpu", "cuda") or (device.type == "cpu" and device.index):
        raise OptionError(wanted)
    if device.type == "cuda":
        there = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= there:
            found = f"torch {torch.__version__} finds {there} of them here"
            raise OptionError(f"device {name} needs a CUDA GPU, {found}; use cpu, or leave the device out for numpy")
        if os.environ.get(EMULATION, "0") != "0":
            raise OptionError(f"device {name} needs products in true float64, {EMULATION} is set; unset it")
    return device
