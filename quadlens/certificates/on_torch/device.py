r"""Where torch computes: the device, a circuit's tables there, and how much is done at once.

Everything here is float64. What the rounding term asks of a device (docs/certificates.md, "Rounding"): ``+ − × √`` that
round to nearest, fused or not, and sums and matrix products that add up their terms, in any order. Roots of unity come
from numpy.
"""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from quadlens.certificates.parallel import BLOCK
from quadlens.circuits.circuit import Circuit
from quadlens.errors import OptionError

EMULATION = "CUBLAS_EMULATE_DOUBLE_PRECISION"
"""cuBLAS may be told by this variable to put float64 products together from integers of fewer bits: what is small in a
row or column beside its largest entry is then cut off, which no bound by ``Σ|x_i y_i|`` covers."""

LARGE = 2**26
"""Float64 numbers in one block on a GPU, at most, unless one row has more (512 MiB): enough work for all of it."""


def device_named(name: str) -> torch.device:
    """Return the device of this name: ``cpu``, ``cuda`` or ``cuda:1``.

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


def placed(array: npt.NDArray[Any], device: torch.device) -> Tensor:
    """Return a copy of an array on the device; a complex last axis becomes pairs, real part first: ``(…, 2 z)``."""
    if array.dtype.kind == "c":
        array = np.ascontiguousarray(array).view(np.float64)
    return torch.tensor(array, device=device)


def block_of(device: torch.device) -> int:
    """Return how many float64 numbers one block of work has at most: near the cache of a processor, many on a GPU."""
    return BLOCK if device.type == "cpu" else LARGE


def squares(pairs: Tensor) -> Tensor:
    """Return the squared moduli of complex numbers stored as pairs, shape (…, z) from (…, 2z).

    Their roots are moduli in three roundings, without trust in a device's ``hypot``.
    """
    return apart(pairs).square().sum(dim=-1)


def apart(pairs: Tensor) -> Tensor:
    """Return real and imaginary parts along a last axis of their own, shape (…, z, 2) from (…, 2z)."""
    return pairs.view(*pairs.shape[:-1], -1, 2)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tables:
    """``A, B (p, n)`` and ``U (n, p)`` of a circuit on one device."""

    A: Tensor
    B: Tensor
    U: Tensor

    @property
    def device(self) -> torch.device:
        """Where they are."""
        return self.A.device


def tables_on(circuit: Circuit, device: torch.device) -> Tables:
    """Copy a circuit's tables to a device."""
    return Tables(**{name: placed(getattr(circuit, name), device) for name in ("A", "B", "U")})
