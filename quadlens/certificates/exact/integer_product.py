r"""Hidden layer and product with ``U`` in integers, at the speed of float64 matrix products.

An integer is cut into limbs of w bits, ``x = Σ_l x_l 2^{wl}``, all but the highest limb in ``[0, 2^w)``. With ``n
2^{2w} ≤ 2^53``
every partial sum of a product of limb matrices is an integer below ``2^53``, which float64 holds exactly in whatever
order it is added. So
the products of limbs are exact, and so is what they are put together to. Gates are the signs of normalised sums.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.exact.exact_tables import ExactTables

MOST_PRODUCTS = 200
"""Beyond this many products of limbs, arithmetic on long integers is faster."""

Objects = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LimbTables:
    """Limbs of ``A`` and ``B``, shape (L, p, n), and of ``U`` side by side, shape (n, M p); ``width`` is w."""

    width: int
    activation: str
    A: IntArray
    B: IntArray
    U: FloatArray

    def mlp(self, a: int, b: slice) -> Objects:
        """Return ``Σ_i act(A[a][i] + B[b][i]) U[i, c]`` for a slice of b, shape (b, p), Python integers."""
        hidden = self._hidden(self.A[:, a, None, :] + self.B[:, b, :])
        limbs, rows, n = hidden.shape
        p = self.A.shape[1]
        product = hidden.astype(np.float64).reshape(limbs * rows, n) @ self.U
        parts = product.astype(np.int64).reshape(limbs, rows, -1, p)
        total = np.zeros((limbs + parts.shape[2] + 1, rows, p), dtype=np.int64)
        for left in range(limbs):
            for right in range(parts.shape[2]):
                total[left + right] += parts[left, :, right]
        _normalise(total, self.width)
        # two limbs at a time, so that there are fewer long integers to make
        out: Objects = np.zeros((rows, p), dtype=object)
        start = total.shape[0] - total.shape[0] % 2
        if start < total.shape[0]:
            out = total[start].astype(object)
        for low in range(start - 2, -1, -2):
            pair = total[low] + (total[low + 1] << self.width)
            out = (out << (2 * self.width)) + pair.astype(object)
        return out

    def _hidden(self, x: IntArray) -> IntArray:
        _normalise(x, self.width)
        negative = x[-1] < 0
        if self.activation == "relu":
            x *= ~negative
            return x
        opposite = -x
        _normalise(opposite, self.width)
        return np.where(negative, opposite, x)


def limb_tables(tables: ExactTables) -> LimbTables | None:
    """Return the tables in limbs, or None where long integers are the better way (x², or very different sizes)."""
    if tables.activation not in ("relu", "abs"):
        return None
    width = (53 - tables.neurons.bit_length()) // 2
    hidden_bits = 2 + max(max(map(int.bit_length, row)) for table in (tables.A, tables.B) for row in table)
    columns = tables.columns
    U_bits = 1 + max(max(map(int.bit_length, column)) for column in columns)
    if width < 8 or (hidden_bits // width + 1) * (U_bits // width + 1) > MOST_PRODUCTS:
        return None
    U = _limbs(columns, width, U_bits // width + 1)
    return LimbTables(
        width=width,
        activation=tables.activation,
        A=_limbs(tables.A, width, hidden_bits // width + 1),
        B=_limbs(tables.B, width, hidden_bits // width + 1),
        U=np.ascontiguousarray(U.transpose(2, 0, 1).reshape(tables.neurons, -1), dtype=np.float64),
    )


def _limbs(rows: list[list[int]], width: int, count: int) -> IntArray:
    """Return limbs of every entry, shape (count, rows, columns); the highest is signed."""
    left: Objects = np.array(rows, dtype=object)
    out = np.empty((count, *left.shape), dtype=np.int64)
    for limb in range(count - 1):
        out[limb] = left & ((1 << width) - 1)
        left = left >> width
    out[-1] = left
    return out


def _normalise(limbs: IntArray, width: int) -> None:
    """Carry, in place, until all but the highest limb lie in ``[0, 2^w)``."""
    for limb in range(limbs.shape[0] - 1):
        limbs[limb + 1] += limbs[limb] >> width
        limbs[limb] &= (1 << width) - 1
