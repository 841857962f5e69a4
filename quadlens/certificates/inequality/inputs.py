r"""What (L) and (G′) use of each input, with axes (d, b): the input is ``a = d + b mod p``, ``b``."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from quadlens.certificates.compute.namespace import Namespace
from quadlens.certificates.inequality.split import Split
from quadlens.certificates.plan.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inputs:
    """``X (p, p, 2 |F|)``: the turned retained sums, real parts first; ``R, res, skip (p, p)``."""

    X: Any
    R: Any
    res: Any
    skip: Any


class Sums(Protocol):
    """What a pass over the neurons leaves, axes d, b: ``C (|F|, p, p)`` complex, ``R, res (p, p)``."""

    @property
    def C(self) -> Any: ...
    @property
    def R(self) -> Any: ...
    @property
    def res(self) -> Any: ...


def inputs(at: Namespace, plan: Plan, split: Split, sums: Sums) -> Inputs:
    """Turn the pass's sums into ``X_z(d,b) = C_z(d+b,b) e^{iωzd} e^{iω2zb}``, and look up the rest of the skip path."""
    p, xp, kept = plan.p, at.xp, len(plan.retained)
    z, b = np.array(plan.retained, dtype=np.int64)[:, None], np.arange(p)
    of_d, of_b = (at.array(np.exp(2j * np.pi / p * (turn % p))) for turn in (z * b, 2 * z * b))

    X, skip = xp.empty((p, p, 2 * kept), dtype=xp.float64, device=at.device), 0 * sums.R

    def work(block: slice) -> None:
        for number in range(kept):
            turned = sums.C[number, block] * (of_d[number, block, None] * of_b[number])
            X[block, :, number], X[block, :, kept + number] = xp.real(turned), xp.imag(turned)
        if split.skips:
            a = (np.arange(block.start, block.stop)[:, None] + b) % p
            Y = (a + b) % p
            for rest, row in ((split.rest_a, a), (split.rest_b, b)):
                skip[block] += xp.reshape(at.take(xp.reshape(rest, (-1,)), (row * p + Y).reshape(-1), 0), a.shape)

    at.over(work, p, 4 * p * (kept + 1))
    return Inputs(X=X, R=sums.R, res=sums.res, skip=skip)
