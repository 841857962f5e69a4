"""The array types that signatures name. Angles are radians in [-π, π); rows come before columns."""

from mmap import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

from quadlens.errors import CircuitError

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def wrap_angle(angle: FloatArray) -> FloatArray:
    """Return the angle's representative in [-π, π).

    >>> wrap_angle(np.array([3 * np.pi / 2, np.pi, -np.pi])).round(6).tolist()
    [-1.570796, -3.141593, -3.141593]
    """
    wrapped = np.remainder(np.asarray(angle, dtype=np.float64) + np.pi, 2 * np.pi) - np.pi
    # remainder may round up to 2π itself, which belongs to the other end of the interval
    return np.where(wrapped >= np.pi, -np.pi, wrapped)


def read_only(array: npt.ArrayLike, what: str = "an array") -> FloatArray:
    """Return a C-ordered float64 array with the same numbers, which nothing can write to; ``what`` names it.

    Its memory is a ``bytes`` object, or a file mapped for reading: an array that owns its memory could be made writable
    again, and a view of another array would change with it. Memory of that kind is shared, anything else is copied.

    Raises
    ------
    CircuitError
        If the values are not real numbers that a float64 holds exactly.
    """
    if isinstance(array, np.ma.MaskedArray):
        raise CircuitError(f"{what} must not be a masked array, whose mask would be dropped; fill it first")
    try:
        given = np.asarray(array)
    except (TypeError, ValueError, RuntimeError) as error:
        raise CircuitError(f"{what} must be an array of real numbers: {str(error).splitlines()[0]:.200}") from None
    if given.dtype.kind == "c":
        raise CircuitError(f"{what} must be real, got {given.dtype}")
    if given.dtype.kind not in "biuf":
        raise CircuitError(f"{what} must hold real numbers (a float or integer dtype), got dtype {given.dtype}")
    out = np.ascontiguousarray(given, dtype=np.float64)
    if not _same_numbers(out, given):
        raise CircuitError(f"{what} holds {given.dtype} numbers that float64 cannot hold exactly; round them first")
    if _cannot_change(out):
        return out
    return np.frombuffer(out.tobytes(), dtype=np.float64).reshape(out.shape) if out.size else out


def _same_numbers(out: FloatArray, given: npt.NDArray[Any]) -> bool:
    if given.dtype.kind == "f":
        return given.dtype.itemsize <= 8 or bool(((out.astype(given.dtype) == given) | np.isnan(given)).all())
    large = np.abs(out) >= 2.0**53
    return all(int(x) == int(y) for x, y in zip(out[large], given.reshape(out.shape)[large], strict=True))


def _cannot_change(array: FloatArray) -> bool:
    """Say whether the memory below an array and the arrays that it is a view of belongs to something constant."""
    holder: Any = array
    while isinstance(holder, np.ndarray):
        if holder.flags.writeable:
            return False
        holder = holder.base
    while isinstance(holder, memoryview):
        if not holder.readonly:
            return False
        holder = holder.obj
    return isinstance(holder, bytes) or (isinstance(holder, mmap) and memoryview(holder).readonly)
