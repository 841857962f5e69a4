"""The rectangle rule: the slope of the integrand, one cell with its node inside or outside, the folded and the exact
half.

Run ``python derivations/rectangle_bound.py`` to read the steps.
"""

from collections.abc import Iterable

from sympy import Expr, I, IndexedBase, Integral, Le, Rational, S, Sum, Symbol, cos, diff, exp, pi, sin, symbols

from quadlens.identities.functions import Modulus, Re, ReLU
from quadlens.identities.proof import Derivation, Proof
from quadlens.identities.statement import Statement

x, y, t, phi, psi, u, v = symbols("x y t phi psi u v", real=True)
low, high = symbols("v_0 v_1", real=True)
ORDER = (Le(low, high),)


def derive(stored: Iterable[Statement] | None = None) -> Derivation:
    """Prove the family ``rectangle_bound``; ``stored`` replaces the statements to compare with."""
    proof = Proof("rectangle_bound", "What a rectangle can be off by", stored)
    _slope(proof)
    _cell(proof)
    _distances(proof)
    _halves(proof)
    _doubled(proof)
    _convex(proof)
    return proof.finish()


def _slope(proof: Proof) -> None:
    branch = cos(phi + x) * cos(2 * phi + y)
    slope = -sin(phi + x) * cos(2 * phi + y) - 2 * cos(phi + x) * sin(2 * phi + y)
    proof.say("Where cos(phi + x) < 0, h is 0; where it is > 0, h is the product", branch)
    proof.derivative("Its derivative", branch, phi, slope)
    general = sin(u) * cos(v) + 2 * cos(u) * sin(v)
    proof.equal("With u = phi + x and v = 2 phi + y", -slope, general.subs({u: phi + x, v: 2 * phi + y}))
    rest = 3 * sin(u) ** 2 + (sin(u) * sin(v) - 2 * cos(u) * cos(v)) ** 2
    proof.at_most("Its square and two other squares add up to 4", general**2, S(4), rest)
    proof.modulus_at_most("So its modulus is at most 2", general, S(2))
    proof.conclude("rectangle_bound.derivative", Modulus(general), S(2), relation="<=")
    attained = slope.subs({phi: -x, y: 2 * x - pi / 2}, simultaneous=True)
    proof.equal("At phi = -x and y = 2x - pi/2 only the second term is left", attained, S(2))
    proof.conclude("rectangle_bound.attained", slope, S(2), where={phi: -x, y: 2 * x - pi / 2})


def _target(angle: Expr) -> Expr:
    return ReLU(cos(angle + x)) * cos(2 * angle + y)


def _over_cell(proof: Proof, function: Expr, steepest: Expr) -> tuple[Expr, Expr]:
    """Integrate the established ``|f(t) - f(phi)| <= L |t - phi|`` over a cell; return the error and its bound."""
    cell, distance, height = (t, low, high), Modulus(t - phi), function.subs(t, phi)
    proof.integrated("Integrate over the cell", function - height, steepest * distance, cell, assuming=ORDER)
    proof.linear("The height at the node is a constant", Integral(function - height, cell))
    for integrand in (steepest * distance, function):
        factor, _ = integrand.as_coeff_Mul()
        if factor != 1:
            proof.linear(f"So is the factor {factor}", Integral(integrand, cell))
    return Modulus(Integral(function, cell) - (high - low) * height), steepest * Integral(distance, cell)


def _cell(proof: Proof) -> None:
    general = sin(u) * cos(v) + 2 * cos(u) * sin(v)
    proof.bound_with("The slope at t", Modulus(general), S(2), {u: t + x, v: 2 * t + y})
    text = "h is continuous, and where it is smooth its slope is 0 or at most 2 in modulus"
    proof.mean_value(text, _target(t), t, t, phi, S(2))
    error, bound = _over_cell(proof, _target(t), S(2))
    proof.conclude("rectangle_bound", error, bound, relation="<=", conditions=ORDER)


def _distances(proof: Proof) -> None:
    distance = Modulus(t - phi)
    cases = (
        ("inside", (low, phi, high), (Le(low, phi), Le(phi, high)), (high - phi) ** 2 + (phi - low) ** 2),
        ("left_of_cell", (low, high), (Le(phi, low), Le(low, high)), (high - phi) ** 2 - (low - phi) ** 2),
        ("right_of_cell", (low, high), (Le(high, phi), Le(low, high)), (low - phi) ** 2 - (high - phi) ** 2),
    )
    for name, points, conditions, twice in cases:
        text = f"The distance has one sign on each piece ({name.replace('_', ' ')})"
        proof.integral_by_pieces(text, distance, t, points, twice / 2, assuming=conditions)
        left = Integral(distance, (t, low, high))
        proof.conclude(f"rectangle_bound.{name}", left, twice / 2, conditions=conditions)


def _halves(proof: Proof) -> None:
    half = Modulus(cos(t + x)) / 2 * cos(2 * t + y)
    proof.periodic("The absolute-value half has period pi", half, (t, 0, pi), shift=0)
    general = sin(u) * cos(v) + 2 * cos(u) * sin(v)
    branch = cos(t + x) / 2 * cos(2 * t + y)
    proof.equal(
        "Its branches are plus and minus half of the product above",
        2 * diff(branch, t) + general.subs({u: t + x, v: 2 * t + y}),
        S.Zero,
    )
    text = "It is continuous, and where it is smooth its slope is at most 1 in modulus: half of that above"
    proof.mean_value(text, half, t, t, phi, S.One)
    error, bound = _over_cell(proof, half, S.One)
    proof.conclude("rectangle_bound.folded", error, bound, relation="<=", conditions=ORDER)

    j, n = Symbol("j", integer=True), Symbol("n", integer=True, positive=True)
    w, nodes = IndexedBase("w", nonnegative=True), IndexedBase("phi", real=True)
    third, first = (Sum(w[j] * exp(m * I * nodes[j]), (j, 1, n)) for m in (3, 1))
    rule = Sum(w[j] * cos(nodes[j] + x) / 2 * cos(2 * nodes[j] + y), (j, 1, n))
    value = Re(exp(I * (x + y)) * third + exp(I * (y - x)) * first) * Rational(1, 4)
    proof.termwise("The identity half has the harmonics 3 and 1 only", rule, value)
    proof.conclude("rectangle_bound.identity_half", rule, value)

    z = Symbol("z", real=True)
    moved = cos(psi + y) - cos(2 * phi + y)
    slope = sin(z + y)
    proof.derivative("The slope of the cosine is a sine", cos(z + y), z, -slope)
    proof.at_most("Its square is at most 1", slope**2, S.One, cos(z + y) ** 2)
    proof.modulus_at_most("So is its modulus", slope, S.One)
    text = "So two cosines differ by at most the difference of their angles"
    proof.mean_value(text, cos(z + y), z, psi, 2 * phi, S.One)
    proof.conclude("rectangle_bound.phase_mismatch", Modulus(moved), Modulus(psi - 2 * phi), relation="<=")


def _doubled(proof: Proof) -> None:
    doubled = Modulus(cos(t / 2 + x)) / 2 * cos(t + y)
    general = sin(u) * cos(v) + 2 * cos(u) * sin(v)
    proof.bound_with("The slope at twice the phase", Modulus(general), S(2), {u: t / 2 + x, v: t + y})
    proof.derivative(
        "As a function of twice the phase, each branch is half as steep",
        cos(t / 2 + x) / 2 * cos(t + y),
        t,
        -general.subs({u: t / 2 + x, v: t + y}) / 4,
    )
    text = "So it moves by at most half the distance"
    proof.mean_value(text, doubled, t, t, phi, Rational(1, 2))
    error, bound = _over_cell(proof, doubled, Rational(1, 2))
    proof.conclude("rectangle_bound.doubled", error, bound, relation="<=", conditions=ORDER)


def _convex(proof: Proof) -> None:
    share, s = Symbol("lambda", nonnegative=True), Symbol("s", real=True)
    limits, within = (t, low, high), (Le(share, 1),)
    one, other, between = t + u - phi, t + v - phi, t + (share * u + (1 - share) * v) - phi
    mean = share * (x + I * y) + (1 - share) * (u + I * v)
    values = {x: one, y: S.Zero, u: other, v: S.Zero}
    proof.lemma("exact_arcs.tangent")
    proof.instance("Of the two distances", values, of=Modulus(mean), assuming=within)
    mixed = mean.subs(values, simultaneous=True)
    proof.opposite("A point between two is as far as their mean", Modulus(between), Modulus(mixed))
    bound = share * Modulus(one) + (1 - share) * Modulus(other)
    proof.equal_by_cases("A modulus is its own modulus", Modulus(Modulus(s)), Modulus(s))
    proof.instance("That of the distance", {s: between}, of=Modulus(Modulus(s)))
    proof.at_most_by_cases("A number is at most its modulus", s, Modulus(s))
    order = (*ORDER, *within)
    proof.integrated("Integrate over the cell", Modulus(between), bound, limits, assuming=order)
    whole = Integral(Modulus(between), limits)
    proof.bound_with("An integral is at most its modulus", s, Modulus(s), {s: whole})
    terms = [(share, Modulus(one)), (1 - share, Modulus(other))]
    right = proof.linear("The shares are constants", Integral(bound, limits), terms)
    proof.chain("So the mean distance is convex", whole, Modulus(whole), Integral(bound, limits), assuming=order)
    proof.conclude("rectangle_bound.convex", whole, right, relation="<=", conditions=order)


if __name__ == "__main__":
    from quadlens.identities.printing import run_script

    raise SystemExit(run_script(derive))
