r"""What the inequalities say of each input: sums over neurons turned to axes (d, b)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.certificates.compiled import compiled_is_worth_it
from quadlens.certificates.gate_sums import GateSums
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.parallel import BLOCK, blocks_of, in_parallel
from quadlens.certificates.plan import Plan
from quadlens.certificates.remainder import Remainder
from quadlens.certificates.retained import Retained

if TYPE_CHECKING:
    from quadlens.certificates.input_kernel import Quantities

LOOPS_PAY = 16
"""An input is as much work here as this many entries of a table."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InputQuantities:
    """What (L) and (G) say of each input, axes (d, b): the input is a = d+b mod p, b.

    ``X (p, p, |F|)`` the turned retained sums; ``R (buckets, p, p)`` with the ``position`` of each bucket's own
    frequency in ``F`` (−1 for none) and its ``cross`` ratio; ``res, skip (p, p)``.
    ``rest_a[a, c], rest_b[b, c]`` say how far the rest of a skip row lies below its maximum at c.
    """

    X: ComplexArray
    R: FloatArray
    position: IntArray
    cross: FloatArray
    res: FloatArray
    skip: FloatArray
    rest_a: FloatArray
    rest_b: FloatArray

    def own(self, d: int | slice) -> FloatArray:
        """Return the sum of R over the buckets with own frequency z, for one class or several: shape (…, p, |F|)."""
        R = self.R[:, d]
        out = np.zeros((*R.shape[1:], self.X.shape[2]))
        for position, mine in zip(self.position, R, strict=True):
            if position >= 0:
                out[..., position] += mine
        return out

    def crossed(self, d: int | slice) -> FloatArray:
        """Return ``Σ_β 2 v_β R_β`` for one class or several, shape (…, p)."""
        return np.asarray(np.tensordot(2 * self.cross, self.R[:, d], axes=1))

    def for_loops(self) -> "Quantities":
        """Return the same arrays as compiled loops take them."""
        from quadlens.certificates.input_kernel import Quantities

        return Quantities(
            X=self.X.view(np.float64),
            R=self.R,
            position=self.position,
            cross=self.cross,
            res=self.res,
            skip=self.skip,
        )

    def fixed(self, d: int | slice) -> FloatArray:
        """Return ``Σ_β 2 v_β R_β + res + skip`` for one class or several, shape (…, p)."""
        return self.crossed(d) + self.res[d] + self.skip[d]


def positions(plan: Plan) -> IntArray:
    """Return the position in ``F`` of each bucket's own frequency, −1 for none."""
    own = [plan.own(bucket) for bucket in plan.buckets]
    return np.array([-1 if at is None else at for at in own], dtype=np.int64)


def input_quantities(
    plan: Plan, retained: Retained, sums: GateSums, rest: Remainder, count: OperationCounter
) -> InputQuantities:
    """Turn sums over neurons into what the inequalities use, with axes (d, b)."""
    p, kept = plan.p, len(plan.retained)
    out = InputQuantities(
        X=np.empty((p, p, kept), dtype=np.complex128),
        R=np.empty((len(plan.buckets), p, p)),
        position=positions(plan),
        cross=np.array([bucket.cross for bucket in plan.buckets]),
        res=np.empty((p, p)),
        skip=np.empty((p, p)),
        rest_a=retained.rest_a,
        rest_b=retained.rest_b,
    )
    if compiled_is_worth_it(LOOPS_PAY * p * p):
        in_parallel(_by_loops(retained, sums, rest, out), blocks_of(p, 32))
    else:
        in_parallel(_by_arrays(retained, sums, rest, out), blocks_of(p, BLOCK // (p * kept)))
    count.add(p * p, 6 * kept + 6)
    return out


def _by_arrays(retained: Retained, sums: GateSums, rest: Remainder, out: InputQuantities) -> Callable[[slice], None]:
    """Return what writes the quantities of a block of classes."""
    b = np.arange(out.res.shape[0])

    def work(block: slice) -> None:
        a = (np.arange(block.start, block.stop)[:, None] + b) % b.size
        Y = (a + b) % b.size
        for z, C in enumerate(sums.by_output):
            np.multiply(C[a, b], retained.waves[z, Y], out=out.X[block, :, z])
        out.R[:, block] = sums.R[:, a, b]
        out.res[block] = rest.res(a, b, Y)
        out.skip[block] = retained.rest_a[a, Y] + retained.rest_b[b, Y]

    return work


def _by_loops(retained: Retained, sums: GateSums, rest: Remainder, out: InputQuantities) -> Callable[[slice], None]:
    """Return the same in compiled loops."""
    from quadlens.certificates.input_kernel import Fixed, turn_inputs

    fixed = Fixed(
        osc_a=rest.osc_a,
        osc_b=rest.osc_b,
        norm_a=rest.norm_a,
        norm_b=rest.norm_b,
        norm_U=rest.norm_U,
        widest=float(rest.norm_U.max()),
        rest_a=retained.rest_a,
        rest_b=retained.rest_b,
    )
    C, quantities = sums.by_output.view(np.float64), out.for_loops()
    cos, sin = np.ascontiguousarray(retained.waves.real), np.ascontiguousarray(retained.waves.imag)
    return lambda block: turn_inputs(C, sums.R, cos, sin, fixed, block.start, block.stop, quantities)
