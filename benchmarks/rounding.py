"""``python -m benchmarks.rounding``: do the a-priori bounds of ``quadlens.rounding`` hold the exact sums? 10⁶ of them.

Each case is a sum of products of float64 numbers, computed in float64 in some order. Its exact value is a ball of 128
bits. It must differ from the float64 value by at most ``γ_k Σ|x y| + k η``, itself rounded up. One case in a hundred is
also computed at 192 bits (the balls must overlap) and by mpmath at 120 digits (a value the ball must contain).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import flint
import mpmath
import numpy as np

from quadlens.rounding import SMALLEST, gamma, up

ROWS, COLUMNS = 50, 50
SECOND_ENGINE_EVERY = 100


def operands(generator: np.random.Generator) -> tuple[Any, Any, str]:
    """Return two matrices whose products hold ``ROWS · COLUMNS`` sums, and what is special about them."""
    k = int(np.exp(generator.uniform(0, np.log(600))))
    x, y = generator.standard_normal((ROWS, k)), generator.standard_normal((k, COLUMNS))
    kind = str(generator.choice(["plain", "spread", "cancelling", "tiny", "positive", "equal", "sparse"]))
    if kind == "spread":
        x *= 10.0 ** generator.uniform(-60, 60, x.shape)
        y *= 10.0 ** generator.uniform(-60, 60, y.shape)
    elif kind == "cancelling":  # the second half undoes the first but for a little
        half = k // 2
        x[:, half : 2 * half] = -x[:, :half]
        y[half : 2 * half] = y[:half] * (1 + 2.0**-40 * generator.standard_normal((half, COLUMNS)))
    elif kind == "tiny":  # products are subnormal or vanish
        x *= 1e-160
        y *= 10.0 ** generator.uniform(-170, -150, y.shape)
    elif kind == "positive":
        x, y = np.abs(x), np.abs(y)
    elif kind == "equal":
        x[:], y[:] = 0.1, 0.1
    elif kind == "sparse":
        x *= generator.random(x.shape) < 0.1
    return x, y, kind


def computed(x: Any, y: Any, generator: np.random.Generator) -> Any:
    """Return the sums in float64, in one of several orders."""
    order = int(generator.integers(4))
    if order == 0:
        return x @ y
    shuffle = generator.permutation(x.shape[1])
    if order == 1:
        return x[:, shuffle] @ y[shuffle]
    products = x[:, shuffle, None] * y[None, shuffle, :]
    return products.sum(axis=1) if order == 2 else np.cumsum(products, axis=1)[:, -1]


def balls(x: Any, y: Any, bits: int) -> list[list[Any]]:
    """Return the sums in balls."""
    with flint.ctx.workprec(bits):
        matrices = [flint.arb_mat(m.shape[0], m.shape[1], m.ravel().tolist()) for m in (x, y)]
        return list((matrices[0] * matrices[1]).tolist())


def examine(generator: np.random.Generator, *, second_engine: bool = True) -> dict[str, Any]:
    """Compare one block of sums; return the cases, the failures, and how much of its bound the worst error uses."""
    x, y, kind = operands(generator)
    k = x.shape[1]
    with np.errstate(under="ignore"):
        value = computed(x, y, generator)
        bound = up(gamma(k) * up(np.abs(x) @ np.abs(y), k) + k * SMALLEST, 4)
    exact = balls(x, y, 128)
    failures, used, second = 0, 0.0, 0
    with flint.ctx.workprec(128):
        for row, (floats, limits) in enumerate(zip(value.tolist(), bound.tolist(), strict=True)):
            for found, limit, ball in zip(floats, limits, exact[row], strict=True):
                error = abs(ball - found)
                failures += not error <= limit
                used = max(used, float(error.upper()) / limit)
    if second_engine:
        finer = balls(x, y, 192)
        for number in range(0, ROWS * COLUMNS, SECOND_ENGINE_EVERY):
            i, j = divmod(number, COLUMNS)
            with mpmath.workdps(120):
                reference = mpmath.fdot(x[i].tolist(), y[:, j].tolist())
                sign, mantissa, exponent, _ = reference._mpf_
            with flint.ctx.workprec(600):
                point = flint.arb(-int(mantissa) if sign else int(mantissa)) * flint.arb(2) ** int(exponent)
                inside = exact[i][j].contains(point) and finer[i][j].contains(point)
            failures += not (exact[i][j].overlaps(finer[i][j]) and inside)
            second += 1
    return {"kind": kind, "sums": ROWS * COLUMNS, "failures": failures, "used": used, "second": second}


def main() -> int:
    """Run the campaign; exit status 1 if a bound fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sums", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    start, generator = time.perf_counter(), np.random.default_rng(options.seed)
    total: dict[str, Any] = {"sums": 0, "failures": 0, "second engine": 0, "largest share of the bound": {}}
    while total["sums"] < options.sums:
        found = examine(generator)
        total["sums"] += found["sums"]
        total["failures"] += found["failures"]
        total["second engine"] += found["second"]
        shares = total["largest share of the bound"]
        shares[found["kind"]] = max(shares.get(found["kind"], 0.0), found["used"])
    total["seconds"] = time.perf_counter() - start
    print(json.dumps(total, indent=1))
    if options.output is not None:
        options.output.write_text(json.dumps(total, indent=1))
    return 1 if total["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
