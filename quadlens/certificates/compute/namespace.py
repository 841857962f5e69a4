"""One text for numpy and torch: a namespace of the array API standard, the device, and blocks of work on it.

What the rounding term asks of a device (docs/certificates.md, "Rounding"): float64 ``+ − × √`` that round to nearest,
fused or not, quotients within two roundings, sums and matrix products that add up their terms in any order, exact
maxima and comparisons. Roots of unity come from numpy everywhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.compute.blocks import BLOCK, blocks_of, in_parallel

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """``xp`` computes on ``device`` (None: numpy); one block of work holds ``block`` float64 numbers at most."""

    xp: ModuleType
    device: Any = None
    block: int = BLOCK

    def array(self, values: Any) -> Any:
        """Return a numpy array as one of this namespace: itself, or a copy on the device."""
        return values if self.device is None else self.xp.asarray(np.array(values), device=self.device)

    def numpy(self, values: Any) -> Any:
        """Return an array of this namespace as a numpy array."""
        return values if self.device is None else values.cpu().numpy()

    def contiguous(self, values: Any) -> Any:
        """Return the same numbers, row by row in memory."""
        return np.ascontiguousarray(values) if self.device is None else values.contiguous()

    def take(self, values: Any, index: IntArray, axis: int) -> Any:
        """Return the rows, or columns, of ``values`` at a numpy index."""
        return self.xp.take(values, self.array(index), axis=axis)

    def as_pairs(self, values: Any) -> Any:
        """Return complex numbers as pairs of real ones side by side, the last axis twice as long; conjugate one factor
        of two, and the sum of products is the real part."""
        pairs = values.view(np.float64) if self.device is None else self.xp.view_as_real(values.resolve_conj())
        return self.xp.reshape(pairs, (*values.shape[:-1], -1))

    def over(self, work: Callable[[slice], T], length: int, numbers: int) -> list[T]:
        """Return what ``work`` returns for each block of ``0 … length − 1``; one of the length takes ``numbers``.

        numpy's blocks are shared out over threads; a device is given one after the other.
        """
        blocks = blocks_of(length, self.block // max(1, numbers))
        return in_parallel(work, blocks) if self.device is None else [work(block) for block in blocks]

    def segment_sums(self, table: Any, rows: IntArray, weights: FloatArray, first: IntArray) -> Any:
        """Return ``Σ weights · table[rows]`` over segments of ``rows``, which begin at ``first`` (segments + 1,)."""
        if self.device is None:
            from scipy.sparse import csr_array

            return csr_array((weights, rows, first), shape=(first.size - 1, table.shape[0])) @ table
        out = self.xp.zeros((first.size - 1, table.shape[1]), dtype=table.dtype, device=self.device)
        segment = np.repeat(np.arange(first.size - 1), np.diff(first))
        return out.index_add_(0, self.array(segment), self.take(table, rows, 0) * self.array(weights[:, None]))


def numpy_namespace() -> Namespace:
    """Return numpy, as a namespace of the array API standard."""
    import array_api_compat.numpy as xp

    return Namespace(xp=xp)


def namespace_of(device: str | None) -> Namespace:
    """Return numpy for None, else torch on the named device.

    Raises
    ------
    OptionError
        If there is no such device.
    """
    if device is None:
        return numpy_namespace()
    from quadlens.certificates.compute.device import block_of, device_named

    place = device_named(device)
    import array_api_compat.torch as xp

    return Namespace(xp=xp, device=place, block=block_of(place))


def evaluated_by(arithmetic: str, device: str | None) -> str:
    """Return how rounding was handled, in words, with the device that torch computed on, if it did."""
    return arithmetic if device is None else f"{arithmetic}; evaluated by torch on {device}"


def waves(p: int, frequencies: tuple[int, ...]) -> FloatArray:
    """Return ``cos`` and then ``sin`` of ``ωzc`` for each frequency z and residue c, shape (2 |F|, p).

    The residue ``zc mod p`` is exact.
    """
    turned = np.exp(2j * np.pi / p * (np.array(frequencies, dtype=np.int64)[:, None] * np.arange(p) % p))
    return np.concatenate([turned.real, turned.imag])
