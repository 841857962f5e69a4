r"""What (L) and (G′) use of each input, with axes (d, b): the input is ``a = d + b mod p``, ``b``."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.certificates.compute.namespace import Namespace
from quadlens.certificates.inequality.one_pass import PassSums
from quadlens.certificates.inequality.split import Split
from quadlens.certificates.plan.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inputs:
    """``X (p, p, 2 |F|)``: the turned retained sums, real parts first; ``R, res, skip (p, p)``."""

    X: Any
    R: Any
    res: Any
    skip: Any


def inputs(at: Namespace, plan: Plan, split: Split, sums: PassSums) -> Inputs:
    """Turn the pass's sums, axes (a, b), into ``X_z(d,b) = C_z(d+b,b) e^{iωz(d+2b)}`` and the rest of an input."""
    p, xp = plan.p, at.xp
    b = np.arange(p)
    waves = at.array(np.exp(2j * np.pi / p * b))

    def work(block: slice) -> tuple[Any, Any, Any, Any]:
        a = (np.arange(block.start, block.stop)[:, None] + b) % p
        Y, here = (a + b) % p, (a.shape[0], p)
        cell = at.array((a * p + b).reshape(-1))
        turned = [
            xp.take(xp.reshape(sums.C[number], (-1,)), cell) * xp.take(waves, at.array((z * Y % p).reshape(-1)))
            for number, z in enumerate(plan.retained)
        ]
        X = xp.zeros((a.size, 2 * len(turned)), dtype=xp.float64, device=at.device)
        for number, x in enumerate(turned):
            X[:, number], X[:, len(turned) + number] = xp.real(x), xp.imag(x)
        of_a, of_b = at.array((a * p + Y).reshape(-1)), at.array((b * p + Y).reshape(-1))
        skip = xp.take(xp.reshape(split.rest_a, (-1,)), of_a) + xp.take(xp.reshape(split.rest_b, (-1,)), of_b)
        R, res = (xp.take(xp.reshape(table, (-1,)), cell) for table in (sums.R, sums.res))
        return (
            xp.reshape(X, (*here, X.shape[1])),
            *(xp.reshape(values, here) for values in (R, res, skip)),
        )

    found = at.over(work, p, 4 * p * (len(plan.retained) + 1))
    X, R, res, skip = (xp.concat(parts, axis=0) for parts in zip(*found, strict=True))
    return Inputs(X=X, R=R, res=res, skip=skip)
