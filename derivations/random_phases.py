"""Independent random phases: mean, variance and rate of the rule.

Run ``python derivations/random_phases.py`` to read the steps.
"""

from collections.abc import Iterable

from sympy import Expr, Function, IndexedBase, Integral, Rational, S, Sum, Symbol, cos, pi, sin, symbols

from quadlens.identities.conditions import Smooth
from quadlens.identities.functions import ReLU
from quadlens.identities.proof import Derivation, Proof
from quadlens.identities.statement import Statement

KINKS = (-pi, -pi / 2, pi / 2, pi)
x, y, phi, mu = symbols("x y phi mu", real=True)


def derive(stored: Iterable[Statement] | None = None) -> Derivation:
    """Prove the family ``random_phases``; ``stored`` replaces the statements to compare with."""
    proof = Proof("random_phases", "The rule at independent, uniformly random phases", stored)
    _one_node(proof)
    _two_nodes(proof)
    _weights(proof)
    _any_waveform(proof)
    return proof.finish()


def _target(angle: Symbol) -> Expr:
    return ReLU(cos(angle + x)) * cos(2 * angle + y)


def _one_node(proof: Proof) -> None:
    circle = (phi, -pi, pi)
    where = {mu: cos(y - 2 * x) / (3 * pi)}
    target = _target(phi)
    moved = proof.periodic("Shift the phase by x", target, circle, shift=-x)
    proof.integral_by_pieces("The integral of the pizza", moved, phi, KINKS, Rational(2, 3) * cos(y - 2 * x))
    proof.conclude("random_phases.mean", Integral(target, circle) / (2 * pi), where[mu])

    moved = proof.periodic("Shift the square as well", target**2, circle, shift=-x)
    middle = (cos(phi) * cos(2 * phi + y - 2 * x)) ** 2
    proof.equal(
        "The square has the harmonics 0, 2, 4 and 6, of which 2 and 6 meet half a turn",
        middle,
        Rational(1, 4)
        + cos(2 * phi) / 4
        + cos(4 * phi + 2 * y - 4 * x) / 4
        + cos(6 * phi + 2 * y - 4 * x) / 8
        + cos(2 * phi + 2 * y - 4 * x) / 8,
    )
    proof.integral_by_pieces("Half a turn of the constant is left", moved, phi, KINKS, pi / 4)
    proof.conclude("random_phases.second_moment", Integral(target**2, circle) / (2 * pi), Rational(1, 8))

    for angle in (phi, *symbols("phi_1 phi_2", real=True)):
        square = Integral((_target(angle) - mu) ** 2, (angle, -pi, pi))
        proof.linear("Second moment, minus twice mu times the mean, plus mu^2", square)
        proof.linear("The mean of h - mu", Integral(_target(angle) - mu, (angle, -pi, pi)))
    variance = Rational(1, 8) - cos(y - 2 * x) ** 2 / (9 * pi**2)
    left = Integral((target - mu) ** 2, circle) / (2 * pi)
    proof.conclude("random_phases", left, variance, where=where)


def _two_nodes(proof: Proof) -> None:
    first, second = symbols("phi_1 phi_2", real=True)
    w_1, w_2 = symbols("w_1 w_2", real=True)
    one, other = (first, -pi, pi), (second, -pi, pi)
    f, g = _target(first) - mu, _target(second) - mu
    where = {mu: cos(y - 2 * x) / (3 * pi)}
    proof.separated("Independent nodes: the product of the means", f * g, one, other, [(1, f, g)])
    proof.conclude("random_phases.uncorrelated", Integral(f * g, one, other) / (2 * pi) ** 2, S.Zero, where=where)

    squared = (w_1 * f + w_2 * g) ** 2
    products = [(w_1**2, f**2, 1), (w_2**2, 1, g**2), (2 * w_1 * w_2, f, g)]
    proof.separated("Square of a sum: two squares and the product", squared, one, other, products)
    for limits in (one, other):
        proof.integral("A turn is 2 pi long", S.One, limits, 2 * pi)
    variance = Rational(1, 8) - cos(y - 2 * x) ** 2 / (9 * pi**2)
    left = Integral(squared, one, other) / (2 * pi) ** 2
    proof.conclude("random_phases.rule", left, (w_1**2 + w_2**2) * variance, where=where)


def _weights(proof: Proof) -> None:
    n, j = Symbol("n", integer=True, positive=True), Symbol("j", integer=True)
    w, level = IndexedBase("w", nonnegative=True), Symbol("m", real=True)
    limits = (j, 1, n)
    total, squares = Sum(w[j], limits), Sum(w[j] ** 2, limits)
    deviation = (w[j] - level) ** 2
    proof.linear_sum("Deviations from any level m", Sum(deviation, limits))
    proof.at_most("A square is not negative", S.Zero, deviation, deviation)
    proof.summed_bound("Nor is a sum of squares", S.Zero, deviation, limits)
    proof.linear_sum("The sum of n zeros", Sum(S.Zero, limits))
    expanded = squares - 2 * level * total + n * level**2
    proof.chain("So it is at least 0 for every m", S.Zero, expanded)
    proof.bound_with("Take the mean for m", S.Zero, expanded, {level: total / n})
    proof.conclude("random_phases.equal_weights", total**2 / n, squares, relation="<=")


def _any_waveform(proof: Proof) -> None:
    s_1, s_2, w, mu_1, mu_2 = symbols("s' s'' w_1 mu_1 mu_2", real=True)
    f, g, circle = Function("f"), Function("g"), (phi, -pi, pi)
    whole = (s_1 + w * f(phi)) ** 2 + (s_2 + w * g(phi)) ** 2
    squares = f(phi) ** 2 + g(phi) ** 2
    products = [(s_1**2 + s_2**2, 1), (2 * w * s_1, f(phi)), (2 * w * s_2, g(phi)), (w**2, squares)]
    proof.linear("The sum so far does not depend on the new phase", Integral(whole, circle), products)
    proof.integral("A turn is 2 pi long", S.One, circle, 2 * pi)
    where = {mu: Integral(one(phi), circle) / (2 * pi) for mu, one in ((mu_1, f), (mu_2, g))}
    left = Integral(whole, circle) / (2 * pi)
    mean = (s_1 + w * mu_1) ** 2 + (s_2 + w * mu_2) ** 2
    right = mean + w**2 * (Integral(squares, circle) / (2 * pi) - mu_1**2 - mu_2**2)
    proof.conclude("random_phases.one_more", left, right, where=where, conditions=(Smooth(f, 0), Smooth(g, 0)))

    t, z, kappa, p_1, p_2, q_1, q_2 = symbols("t z kappa p' p'' q' q''", real=True)
    curve = kappa + p_1 * cos(t) - p_2 * sin(t) + q_1 * cos(2 * t) - q_2 * sin(2 * t)
    turn, rectified = (t, -pi, pi), ReLU(curve)
    proof.equal_by_cases("A ReLU's square is its argument times the ReLU", ReLU(z) ** 2, z * ReLU(z))
    proof.instance("For the waveform", {z: curve}, of=ReLU(z) ** 2)
    proof.rewritten("In the mean", Integral(rectified**2, turn), {rectified**2: curve * rectified})
    waves = [(kappa, S.One), (p_1, cos(t)), (-p_2, sin(t)), (q_1, cos(2 * t)), (-q_2, sin(2 * t))]
    products = [(constant, rectified * wave) for constant, wave in waves]
    value = proof.linear("Wave by wave", Integral(curve * rectified, turn), products)
    proof.conclude("random_phases.any_waveform", Integral(rectified**2, turn) / (2 * pi), value / (2 * pi))


if __name__ == "__main__":
    from quadlens.identities.printing import run_script

    raise SystemExit(run_script(derive))
