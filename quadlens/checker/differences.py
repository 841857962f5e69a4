"""The checker's dense evaluation of every input: differences of logits in balls, and what a radius leaves open."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint

from quadlens.checker.tables import BALL_ACTIVATIONS, BallNetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The logit of ``a + b`` minus that of ``c``: what the tables' radius leaves open lies between two balls."""

    c: int
    low: Any
    high: Any


def row_differences(network: BallNetwork, a: int) -> list[list[Difference]]:
    """Return for every ``b`` the differences from all other answers."""
    p, n, rows, vague = network.p, network.circuit.neurons, network.rows, network.fractions is None
    # what all logits have in common is no difference of two
    sizes: Any = flint.arb_mat([[abs(u - _middle(row)) for u in row] for row in rows["U"]]) if vague else None
    out: list[list[Difference]] = []
    step = max(1, 2**18 // n)
    for start in range(0, p, step):
        chosen = range(start, min(start + step, p))
        x_a = rows["A"][a]
        hidden = [_hidden(network, x + y) for b in chosen for x, y in zip(x_a, rows["B"][b], strict=True)]
        mlp = (flint.arb_mat(len(chosen), n, [h for h, _ in hidden]) * network.balls["U"]).tolist()
        moved = (flint.arb_mat(len(chosen), n, [r for _, r in hidden]) * sizes).tolist() if vague else mlp
        for number, (b, logits, spread) in enumerate(zip(chosen, mlp, moved, strict=True)):
            total = [x + s + t for x, s, t in zip(logits, rows["S_a"][a], rows["S_b"][b], strict=True)]
            y = (a + b) % p
            differences = [(c, total[y] - total[c]) for c in range(p) if c != y]
            if not vague:
                out.append([Difference(c=c, low=x, high=x) for c, x in differences])
                continue
            reach = _outer(network, hidden[number * n : (number + 1) * n]) + spread[y]
            lowered = ((c, x, reach + spread[c]) for c, x in differences)
            out.append([Difference(c=c, low=x - r, high=x + r) for c, x, r in lowered])
    return out


def _middle(row: list[Any]) -> Any:
    largest, smallest = row[0], row[0]
    for u in row[1:]:
        largest, smallest = largest.max(u), smallest.min(u)
    return (largest + smallest) / 2


def _hidden(network: BallNetwork, x: Any) -> tuple[Any, Any]:
    """Return a hidden value's middle, and how far the radius of A and B lets it go."""
    circuit = network.circuit
    act, radius = BALL_ACTIVATIONS[circuit.activation], circuit.radius
    if network.fractions is not None or not radius["A"] + radius["B"]:
        return act(x), flint.arb(0)
    reach = flint.arb(radius["A"]) + flint.arb(radius["B"])
    if circuit.activation in ("relu", "abs", "square"):
        ends = act(x - reach), act(x + reach)
        least = act((abs(x) - reach).nonnegative_part()) if circuit.activation != "relu" else ends[0]
        low, high = least, ends[0].max(ends[1])
    else:
        whole = act(x + flint.arb(0, 1) * reach)
        low, high = whole.lower(), whole.upper()
    return (low + high) / 2, (high - low) / 2


def _outer(network: BallNetwork, hidden: list[tuple[Any, Any]]) -> Any:
    """Return what the radius of U and of the skip path can do to a difference of logits."""
    r = network.circuit.radius
    largest = sum((abs(h) + spread for h, spread in hidden), flint.arb(0)) if r["U"] else 0
    return 2 * (flint.arb(r["U"]) * largest + flint.arb(r["S_a"]) + flint.arb(r["S_b"]))


def is_above(network: BallNetwork, a: int, b: int, x: Difference, level: float, *, strict: bool) -> bool | None:
    """Return whether the difference of logits is above (or at) ``level``; None if nothing here can tell."""
    if x.low > level or (not strict and x.low >= level):
        return True
    if x.high < level or (strict and x.high <= level):
        return False
    if not network.can_decide:
        return None
    exact = network.exact_difference(a, b, x.c)
    return exact > Fraction(level) or (not strict and exact == Fraction(level))
