"""The error of any weighted rule as exponential sums, its supremum, and the decay of the harmonics.

Run ``python derivations/harmonic_error.py`` to read the steps.
"""

from collections.abc import Iterable
from typing import Any

from sympy import (
    Expr,
    Function,
    Ge,
    I,
    IndexedBase,
    Integral,
    Le,
    Ne,
    S,
    Sum,
    Symbol,
    cos,
    exp,
    pi,
    sin,
    symbols,
)

from quadlens.identities.conditions import Smooth
from quadlens.identities.functions import Modulus, Re, ReLU
from quadlens.identities.proof import Derivation, Proof
from quadlens.identities.statement import Statement

x, y, alpha, beta = symbols("x y alpha beta", real=True)
n, M = symbols("n M", integer=True, positive=True)
i, j = symbols("i j", integer=True)
w, phi, psi = IndexedBase("w", nonnegative=True), IndexedBase("phi", real=True), IndexedBase("psi", real=True)
nodes = (i, 1, n)


def derive(stored: Iterable[Statement] | None = None) -> Derivation:
    """Prove the family ``harmonic_error``; ``stored`` replaces the statements to compare with."""
    proof = Proof("harmonic_error", "The error of any weighted rule, harmonic by harmonic", stored)
    _rule(proof)
    _supremum(proof)
    _by_parts(proof)
    _decay(proof)
    _arc(proof)
    _kink_tail(proof)
    _equidistributed(proof)
    return proof.finish()


def _sum(harmonic: Expr) -> Expr:
    return Sum(w[i] * exp(I * (harmonic * phi[i] + psi[i])), nodes)


def _rule(proof: Proof) -> None:
    angle, height = phi[i] + x, psi[i] + y
    part, tail = _at_node(proof, height)
    coefficient = (-1) ** (j + 1) / (pi * (4 * j**2 - 1))
    rule = (
        Sum(w[i] * (ReLU(cos(angle)) * cos(height)), nodes)
        - Re(exp(I * y) * _sum(S.Zero)) / pi
        - Re(exp(I * (x + y)) * _sum(S.One) + exp(I * (y - x)) * _sum(-S.One)) / 4
        - Sum(
            coefficient * Re(exp(I * (2 * j * x + y)) * _sum(2 * j) + exp(I * (y - 2 * j * x)) * _sum(-2 * j)),
            (j, 1, M),
        )
    )
    proof.termwise("Each order collects into its exponential sums", part, rule, over=nodes)
    proof.conclude("harmonic_error", Modulus(rule), Sum(w[i], nodes) * tail, relation="<=")

    order = Re(exp(I * (y - 2 * x)) * Sum(w[i] * exp(I * (2 * phi[i] - 2 * phi[i])), nodes)) / (3 * pi)
    value = Sum(w[i], nodes) * cos(y - 2 * x) / (3 * pi)
    proof.equal("The coefficient at order 2 (j = 1)", coefficient.subs(j, 1), 1 / (3 * pi))
    proof.termwise("With psi = 2 phi nothing turns", order, value)
    proof.conclude("harmonic_error.target", order, value)


def _turned(proof: Proof, X: Expr, Y: Expr) -> Expr:
    """Show that a complex number, turned by x, has a real part that is at most its modulus; return the real part."""
    turned, size = Re(exp(I * x) * (X + I * Y)), Modulus(X + I * Y)
    proof.modulus_squared("The modulus of a complex number", X + I * Y, X**2 + Y**2)
    rest = (X * sin(x) + Y * cos(x)) ** 2
    proof.at_most("A turned real part's square is at most that", turned**2, size**2, rest)
    proof.modulus_at_most("So the real part is at most the modulus, for every x", turned, size)
    return turned


def _supremum(proof: Proof) -> None:
    X, Y, c = (IndexedBase(name, real=True)[i] for name in ("X", "Y", "c"))
    number = X + I * Y
    part = _turned(proof, X, Y)
    proof.multiplied("Times the coefficient", (c, Modulus(c)), (part, Modulus(number)))
    proof.summed("Triangle inequality", c * part, Modulus(c) * Modulus(number), nodes)
    left, right = Modulus(Sum(c * part, nodes)), Sum(Modulus(c) * Modulus(number), nodes)
    proof.conclude("harmonic_error.supremum", left, right, relation="<=")


def _by_parts(proof: Proof) -> None:
    f, m = Function("f"), Symbol("m", real=True)
    wave, limits = exp(-I * m * x), (x, alpha, beta)
    function = (I * f(x) / m + f(x).diff(x) / m**2) * wave
    integrand = f(x) * wave + f(x).diff(x, 2) * wave / m**2
    value = proof.fundamental(
        "An antiderivative of f e^{-imx} + f'' e^{-imx}/m^2, for m != 0", function, integrand, limits
    )
    whole, second = Integral(f(x) * wave, limits), Integral(f(x).diff(x, 2) * wave, limits)
    proof.isolated("Solve for the first integral", Integral(integrand, limits), value, whole)
    proof.conclude("harmonic_error.by_parts", whole, value - second / m**2, conditions=(Ne(m, 0), Smooth(f, 2)))


def _decay(proof: Proof) -> None:
    more = Symbol("d", integer=True, nonnegative=True)
    m, v = 2 + more, Symbol("v", real=True)
    integrand, kinks = ReLU(cos(x)) * exp(-I * m * x), (-pi, -pi / 2, pi / 2, pi)
    numerator, denominator = cos(pi * m / 2), pi * (m**2 - 1)
    proof.integral("The slope of ReLU(cos) varies by 2 on its arc", cos(x), (x, -pi / 2, pi / 2), S(2))
    proof.say("and it jumps by 1 at each of the two kinks: V = 2 + 1 + 1 = 4, and V/(2 pi m^2) = 2/(pi m^2)", S(4))
    value = -2 * pi * numerator / denominator
    proof.integral_by_pieces("The harmonic of order m = 2 + d", integrand, x, kinks, value, nonzero=(1 - m, 1 + m))
    proof.bound_with("A cosine is at most 1 in modulus", Modulus(cos(v)), S.One, {v: pi * m / 2})
    half = pi * m**2 / 2
    proof.at_most("m^2/2 is at most m^2 - 1", half, denominator, pi * (1 + 2 * more + more**2 / 2))
    proof.fraction("So the harmonic is at most", (numerator, S.One), (denominator, half))
    left = Modulus(Integral(integrand, (x, -pi, pi)) / (2 * pi))
    proof.opposite("The sign does not matter", left, Modulus(numerator / denominator))
    symbol = Symbol("m", integer=True)
    wave = Modulus(Integral(ReLU(cos(x)) * exp(-I * symbol * x), (x, -pi, pi)) / (2 * pi))
    proof.conclude("harmonic_error.decay", wave, 2 / (pi * symbol**2), relation="<=", where={symbol: m})

    end = Symbol("K", integer=True, nonnegative=True)
    after = M + 1 + more
    telescoped = 1 / (after - 1) - 1 / after
    proof.at_most("With m = M + 1 + d", 1 / after**2, telescoped, 1 / (after**2 * (M + more)))
    terms = (more, 0, end)
    proof.summed_bound("Add up", 1 / after**2, telescoped, terms)
    closed = 1 / M - 1 / (M + 1 + end)
    proof.induction("The right side telescopes", telescoped, terms, closed)
    proof.conclude("harmonic_error.tail", Sum(1 / after**2, terms), closed, relation="<=")


def _arc(proof: Proof) -> None:
    f, m = Function("f"), Symbol("m", positive=True)
    limits = (x, alpha, beta)
    slope, bend, third = (f(x).diff(x, times) for times in (1, 2, 3))
    wave = exp(-I * m * x)
    function = (I * f(x) / m + slope / m**2 - I * bend / m**3) * wave
    integrand = f(x) * wave - I * third * wave / m**3
    text = "An antiderivative of the wave times f less i/m^3 times its third derivative, for m > 0"
    value = proof.fundamental(text, function, integrand, limits)
    whole, rest = Integral(f(x) * wave, limits), Integral(third * wave, limits)
    proof.isolated("Solve for the first integral", Integral(integrand, limits), value, whole)
    proof.modulus_squared("A wave times its conjugate is 1", wave, S.One)
    proof.equal_squares("So its modulus is 1", Modulus(wave), S.One)
    proof.multiplied("Times the wave", (third, Modulus(third)), (wave, S.One))
    order = (Le(alpha, beta),)
    proof.integrated("Integrate over the arc", third * wave, Modulus(third), limits, assuming=order)
    bounds = [_scaled(proof, rest, Integral(Modulus(third), limits), I / m**3, 1 / m**3, order)]
    for end, sign in ((beta, 1), (alpha, -1)):
        proof.instance(f"The wave at {end}", {x: end}, of=Modulus(wave))
        for part, factor, size in ((slope, sign / m**2, 1 / m**2), (bend, -sign * I / m**3, 1 / m**3)):
            at_end = part.subs(x, end)
            turned = at_end * wave.subs(x, end)
            proof.multiplied("Times the wave", (at_end, Modulus(at_end)), (wave.subs(x, end), S.One))
            bounds.append(_scaled(proof, turned, Modulus(at_end), factor, size, ()))
    proof.triangle("Five terms beside the values at the ends", *(term for term, _ in bounds))
    total, bound = sum(term for term, _ in bounds), sum(bound for _, bound in bounds)
    parts = [(Modulus(total), sum(Modulus(term) for term, _ in bounds))]
    parts += [(Modulus(term), bound) for term, bound in bounds]
    proof.added("Everything together", Modulus(total), bound, parts, assuming=order)
    left = Modulus(whole - I * (f(beta) * wave.subs(x, beta) - f(alpha) * wave.subs(x, alpha)) / m)
    proof.opposite("These terms are what the values at the ends leave", left, Modulus(total))
    proof.conclude("harmonic_error.arc", left, bound, relation="<=", conditions=(*order, Smooth(f, 3)))


def _scaled(
    proof: Proof, term: Expr, bound: Expr, factor: Expr, size: Expr, order: tuple[Any, ...]
) -> tuple[Expr, Expr]:
    """Show ``|factor term| <= size bound`` from the established ``|term| <= bound``; return both sides' insides."""
    proof.modulus_squared("The square of the factor", factor, size**2)
    proof.equal_squares("Its modulus", Modulus(factor), size)
    proof.multiplied("So the term is at most", (factor, size), (term, bound), assuming=order)
    return factor * term, size * bound


def _kink_tail(proof: Proof) -> None:
    more, end = Symbol("d", integer=True, nonnegative=True), Symbol("K", integer=True, nonnegative=True)
    K, V = Symbol("K'", nonnegative=True), Symbol("V", nonnegative=True)
    after, terms = M + 1 + more, (more, 0, end)
    term = K / after**2 + V / after**3
    telescoped = K * (1 / (after - 1) - 1 / after) + V * (1 / (after - 1) ** 2 - 1 / after**2) / 2
    slack = K / (after**2 * (M + more)) + V * (3 * (M + more) + 1) / (2 * after**3 * (M + more) ** 2)
    proof.at_most("With m = M + 1 + d, both parts are at most differences of neighbours", term, telescoped, slack)
    proof.summed_bound("Add up", term, telescoped, terms)
    last = M + 1 + end
    closed = K * (1 / M - 1 / last) + V * (1 / M**2 - 1 / last**2) / 2
    proof.induction("The right side telescopes", telescoped, terms, closed)
    whole = K / M + V / (2 * M**2)
    proof.at_most("What is subtracted is not negative", closed, whole, K / last + V / (2 * last**2))
    proof.chain("So the sum is bounded", Sum(term, terms), Sum(telescoped, terms), closed, whole)
    proof.added("Twice, for both signs", 2 * Sum(term, terms), 2 * whole, [(Sum(term, terms), whole)] * 2)
    proof.conclude("harmonic_error.kink_tail", 2 * Sum(term, terms), 2 * whole, relation="<=")


def _equidistributed(proof: Proof) -> None:
    X, Y = symbols("X Y", real=True)
    turned = _turned(proof, X, Y)

    def size(harmonic: Expr) -> Expr:
        return Modulus(Sum(w[i] * exp(I * harmonic * phi[i]), nodes))

    def order(angle: Expr, harmonic: Expr) -> Expr:
        even, odd = (Sum(w[i] * wave(harmonic * phi[i]), nodes) for wave in (cos, sin))
        values = {x: angle, X: even, Y: odd}
        proof.bound_with(f"The order {harmonic}", Modulus(turned), Modulus(X + I * Y), values)
        inside = size(harmonic).args[0]
        proof.termwise("Its exponential sum, as cosines and sines", inside, even + I * odd)
        part = turned.subs(values, simultaneous=True)
        proof.chain("So the order adds at most", Modulus(part), size(harmonic))
        return part

    at_node, tail = _at_node(proof, 2 * phi[i] + y)
    first = [(S.One / pi, y, 2), (S.One / 4, x + y, 3), (S.One / 4, y - x, 1)]
    parts = [(scale * order(angle, S(m)), scale * size(S(m)), scale) for scale, angle, m in first]
    bounds = [(at_node, Sum(w[i], nodes) * tail)]
    for term, bound, scale in parts:
        proof.at_most_by_cases("A positive number is its own bound", Modulus(scale), scale)
        proof.multiplied("Times its coefficient", (scale, scale), (term / scale, bound / scale))
        bounds.append((term, bound))
    coefficient, decay = (-1) ** (j + 1) / (pi * (4 * j**2 - 1)), 1 / (pi * (4 * j**2 - 1))
    later = (Ge(j, 1),)
    proof.at_most("A coefficient of the series, squared", coefficient**2, decay**2, S.Zero)
    proof.modulus_at_most("So its modulus", coefficient, decay, assuming=later)
    sums = []
    for angle, shift, begin in ((2 * j * x + y, 2, 1), (2 * j * x - y, -2, 2)):
        part, limits = order(angle, 2 * j + shift), (j, begin, M)
        proof.multiplied("Times it", (coefficient, decay), (part, size(2 * j + shift)), assuming=later)
        proof.summed("Add up the orders", coefficient * part, decay * size(2 * j + shift), limits)
        bounds.append((Sum(coefficient * part, limits), Sum(decay * size(2 * j + shift), limits)))
        sums.append(Sum(coefficient * part, (j, 1, M)))
    proof.peeled("The first of them is the target", sums[1])
    rule = Sum(w[i] * (ReLU(cos(phi[i] + x)) * cos(2 * phi[i] + y)), nodes)
    others = sum(term for term, _, _ in parts) + sum(sums)
    proof.termwise("Each order collects into its exponential sums", at_node, rule - others, over=nodes)
    target = Sum(w[i], nodes) * cos(y - 2 * x) / (3 * pi)
    proof.linear_sum("At the order 0 no sine is left", Sum(S.Zero, nodes))
    total, bound = sum(term for term, _ in bounds), sum(bound for _, bound in bounds)
    proof.triangle("The error is the sum of what is left", *(term for term, _ in bounds))
    pairs = [(Modulus(total), sum(Modulus(term) for term, _ in bounds))]
    proof.added("Everything together", Modulus(total), bound, pairs + [(Modulus(a), b) for a, b in bounds])
    proof.opposite("It is", Modulus(total), Modulus(rule - target))
    proof.conclude("harmonic_error.equidistributed", Modulus(rule - target), bound, relation="<=")


def _at_node(proof: Proof, height: Expr) -> tuple[Expr, Expr]:
    """Return what the series leaves out at the nodes, weighted and summed, and its bound for a weight of 1."""
    proof.lemma("rectified_cosine.series")
    angle, z, v = phi[i] + x, Symbol("x", real=True), Symbol("v", real=True)
    term = 2 * (-1) ** (j + 1) * cos(2 * j * z) / (pi * (4 * j**2 - 1))
    remainder = ReLU(cos(z)) - 1 / pi - cos(z) / 2 - Sum(term, (j, 1, M))
    tail = 1 / (pi * (2 * M + 1))
    proof.bound_with("The series at the phase of node i", Modulus(remainder), tail, {z: angle})
    at_node = remainder.subs(z, angle)
    proof.at_most("A cosine is at most 1 in modulus", cos(v) ** 2, S.One, sin(v) ** 2)
    proof.modulus_at_most("That is", cos(v), S.One)
    proof.bound_with("The output wave of node i", Modulus(cos(v)), S.One, {v: height})
    proof.multiplied("Times the output wave", (at_node, tail), (cos(height), S.One))
    proof.summed("Add up the nodes", at_node * cos(height), tail, nodes, weight=w[i])
    proof.linear_sum("The tail is the same for all nodes", Sum(w[i] * tail, nodes))
    return Sum(w[i] * (at_node * cos(height)), nodes), tail


if __name__ == "__main__":
    from quadlens.identities.printing import run_script

    raise SystemExit(run_script(derive))
