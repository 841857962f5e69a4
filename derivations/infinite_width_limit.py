"""The sum over neurons becomes an integral, and the integral becomes the logit of the pizza algorithm.

Run ``python derivations/infinite_width_limit.py`` to read the steps.
"""

from collections.abc import Iterable

from sympy import Expr, Integral, Rational, Sum, Symbol, cos, pi, sin, symbols

from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.proof import Derivation, Proof
from quadlens.identities.statement import Statement

x, y, t, s, phi, lam = symbols("x y t s phi lambda", real=True)
a, b, c, k, omega = symbols("a b c k omega", real=True)


def derive(stored: Iterable[Statement] | None = None) -> Derivation:
    """Prove the family ``infinite_width_limit``; ``stored`` replaces the statements to compare with."""
    proof = Proof("infinite_width_limit", "From the sum over neurons to the logits", stored)
    _logits(proof)
    _sum_to_integral(proof)
    _margin(proof)
    return proof.finish()


def _logits(proof: Proof) -> None:
    W = Symbol("W", real=True)
    circle, half, middle = (phi, -pi, pi), omega * k * (a - b) / 2, omega * k * (a + b) / 2
    proof.lemma("pizza_integral.scaled")
    moved = ReLU(lam * cos(phi + s)) * cos(2 * phi + t)
    shifted = proof.periodic("Shift the phase by s", moved, circle, shift=-s)
    lemma = Integral(ReLU(lam * cos(phi)) * cos(2 * phi + t), circle)
    proof.instance("The lemma, at t - 2s", {t: t - 2 * s}, of=lemma)
    wave = cos(omega * k * a + phi) + cos(omega * k * b + phi)
    product = 2 * cos(half) * cos(phi + middle)
    proof.equal("Sum to product: the neuron sees a - b as an amplitude, a + b as a shift", wave, product)
    values = {lam: 2 * cos(half), s: middle, t: omega * k * c}
    proof.instance("Put them in", values, of=Integral(moved, circle))
    proof.instance("And after the shift", values, of=Integral(shifted, circle))
    integrand = ReLU(wave) * cos(omega * k * c + 2 * phi)
    proof.rewritten("Equals for equals under ReLU", Integral(integrand, circle), {wave: product})
    z = Symbol("z", real=True)
    proof.equal_by_cases("The factor 2 leaves the modulus", Modulus(2 * z), 2 * Modulus(z))
    proof.instance("For the amplitude", {z: cos(half)}, of=Modulus(2 * z))
    left = W / (2 * pi) * Integral(integrand, circle)
    right = 2 * W / (3 * pi) * Modulus(cos(half)) * cos(omega * k * (a + b - c))
    proof.conclude("infinite_width_limit", left, right)


def _target(angle: Expr) -> Expr:
    return ReLU(cos(angle + x)) * cos(2 * angle + y)


def _sum_to_integral(proof: Proof) -> None:
    n, j = Symbol("n", integer=True, positive=True), Symbol("j", integer=True)
    node = 2 * pi * j / n
    low, high = node - pi / n, node + pi / n
    proof.lemma("rectangle_bound")
    proof.lemma("rectangle_bound.inside")
    v_0, v_1 = symbols("v_0 v_1", real=True)
    cell = {v_0: low, v_1: high, phi: node}
    error = Modulus(Integral(_target(t), (t, v_0, v_1)) - (v_1 - v_0) * _target(phi))
    distance = Integral(Modulus(t - phi), (t, v_0, v_1))
    proof.instance("The cell of node j reaches pi/n to both sides", cell, of=error)
    proof.instance("The node is in the middle of its cell", cell, of=distance)
    per_cell = 2 * (pi / n) ** 2
    inside = error.args[0].subs(cell, simultaneous=True)
    proof.chain("So one cell is off by at most 2 (pi/n)^2", Modulus(inside), per_cell)
    cells = (j, 0, n - 1)
    proof.summed("Add up the n cells", inside, per_cell, cells)
    proof.linear_sum("n equal terms", Sum(per_cell, cells))
    split = proof.linear_sum("Areas and heights apart", Sum(inside, cells))
    proof.adjacent("The cells cover the circle once", _target(t), (t, low, high), cells)
    proof.over_a_period("From -pi to pi as well", _target(t), (t, -pi / n, 2 * pi - pi / n), -pi, pi)
    proof.lemma("pizza_integral.shifted")
    proof.instance(
        "The lemma, with these letters",
        {s: x, t: y},
        of=Integral(ReLU(cos(phi + s)) * cos(2 * phi + t), (phi, -pi, pi)),
    )
    error = Modulus(2 * pi / n * Sum(_target(node), cells) - Rational(2, 3) * cos(y - 2 * x))
    proof.equal("The same error with the other sign", split, -error.args[0])
    proof.opposite("A modulus does not see the sign", Modulus(split), error)
    proof.chain("So the rule is off by at most", error, 2 * pi**2 / n)
    proof.conclude("infinite_width_limit.sum_to_integral", error, 2 * pi**2 / n, relation="<=")


def _margin(proof: Proof) -> None:
    Z = Symbol("Z_k", real=True)
    angle = omega * k * (a + b - c)
    left, right = Z - Z * cos(angle), 2 * Z * sin(angle / 2) ** 2
    proof.equal("1 - cos = 2 sin^2 of half the angle", left, right)
    where = {Z: 2 / (3 * pi) * Modulus(cos(omega * k * (a - b) / 2))}
    proof.conclude("infinite_width_limit.margin", left, right, where=where)


if __name__ == "__main__":
    from quadlens.identities.printing import run_script

    raise SystemExit(run_script(derive))
