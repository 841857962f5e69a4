"""The array types that signatures name. Angles are radians in [-π, π); rows come before columns."""

import numpy as np
import numpy.typing as npt

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


def read_only(array: npt.ArrayLike) -> FloatArray:
    """Return a C-ordered float64 array that cannot be written to.

    Memory that is read-only already (a frozen array, a file mapped for reading) is shared, anything else is copied.
    """
    given = np.asarray(array)
    out = np.ascontiguousarray(given, dtype=np.float64)
    if not given.flags.writeable and np.shares_memory(out, given):
        return out
    if np.shares_memory(out, given):
        out = out.copy()
    out.flags.writeable = False
    return out
