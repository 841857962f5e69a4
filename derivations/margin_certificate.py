"""The margin of the right answer, bounded below by what a certificate computes.

Run ``python derivations/margin_certificate.py`` to read the steps.
"""

from collections.abc import Iterable

from sympy import I, IndexedBase, Le, Sum, Symbol, cos, exp, sin, symbols

from quadlens.identities.functions import Modulus, Re, ReLU
from quadlens.identities.proof import Derivation, Proof
from quadlens.identities.statement import Statement

alpha, beta, delta, omega, x = symbols("alpha beta delta omega x", real=True)
Z, E1, E2 = symbols("Z E' E''", real=True)
chord = 1 - exp(I * alpha)


def derive(stored: Iterable[Statement] | None = None) -> Derivation:
    """Prove the family ``margin_certificate``; ``stored`` replaces the statements to compare with."""
    proof = Proof("margin_certificate", "The inequalities that a certificate adds up", stored)
    _frequency(proof)
    _gate(proof)
    _elementary(proof)
    _margin(proof)
    _circuit(proof)
    return proof.finish()


def _real_part(proof: Proof, a: Symbol, b: Symbol, c: Symbol, d: Symbol) -> None:
    """Show |Re(zw)| <= |z||w| for z = a + ib and w = c + id, by the square that is left."""
    z, w = a + I * b, c + I * d
    proof.modulus_squared("The first modulus", z, a**2 + b**2)
    proof.modulus_squared("The second modulus", w, c**2 + d**2)
    bound = Modulus(z) * Modulus(w)
    part = Re(z * w)
    proof.at_most("The imaginary part's square is what is missing", part**2, bound**2, (a * d + b * c) ** 2)
    proof.modulus_at_most("So the real part of a product is at most the product of the moduli", part, bound)


def _frequency(proof: Proof) -> None:
    a, b, c, d = symbols("a b c d", real=True)
    s = Symbol("s", real=True)
    _real_part(proof, a, b, c, d)
    z, w = a + I * b, c + I * d
    values = {a: E1, b: E2, c: 1 - cos(alpha), d: -sin(alpha)}
    proof.equal("1 - e^{i alpha} in real and imaginary part", chord, w.subs(values))
    proof.instance("For the error and the chord", values, of=Modulus(Re(z * w)))
    error = Re(z * w).subs(values, simultaneous=True)
    proof.at_most_by_cases("A number is at least minus its modulus", -Modulus(s), s)
    proof.bound_with("For that real part", -Modulus(s), s, {s: error})
    lowest = -Modulus(E1 + I * E2) * Modulus(w.subs(values))
    proof.chain("The error takes at most the product away", lowest, -Modulus(error), error)
    left = Z * (1 - cos(alpha)) - Modulus(E1 + I * E2) * Modulus(chord)
    right = Re((Z + E1 + I * E2) * chord)
    proof.rewritten("The chord, written so", Modulus(chord), {chord: w.subs(values)})
    proof.equal("The ideal part is real times 1 - cos", right, Z * (1 - cos(alpha)) + error)
    proof.conclude("margin_certificate.frequency", left, right, relation="<=")

    proof.modulus_squared("The square of the chord", w.subs(values), 4 * sin(alpha / 2) ** 2)
    proof.modulus_squared("The square of the sine", sin(alpha / 2), sin(alpha / 2) ** 2)
    proof.equal_squares("So the chord is twice the sine of half the angle", Modulus(chord), 2 * Modulus(sin(alpha / 2)))
    proof.conclude("margin_certificate.chord", Modulus(chord), 2 * Modulus(sin(alpha / 2)))


def _gate(proof: Proof) -> None:
    rho, u1, u2 = symbols("rho u' u''", real=True)
    rho_bar = Symbol(r"\bar{\rho}", nonnegative=True)
    a, b, c, d = symbols("a b c d", real=True)
    turned = {a: u1, b: u2, c: cos(beta) - cos(alpha + beta), d: sin(beta) - sin(alpha + beta)}
    w = (c + I * d).subs(turned)
    proof.instance("The output of a neuron on a turned chord", turned, of=Modulus(Re((a + I * b) * (c + I * d))))
    part = Re((u1 + I * u2) * w)
    condition = Le(Modulus(rho), rho_bar / 2)
    proof.given("The gate's error, less its midpoint", condition)
    product = Modulus(u1 + I * u2) * Modulus(w)
    proof.multiplied("Times that output", (rho, rho_bar / 2), (part, product), assuming=(condition,))
    proof.modulus_squared("A turn does not change a chord", w, 4 * sin(alpha / 2) ** 2)
    proof.equal_squares("Its length", Modulus(w), 2 * Modulus(sin(alpha / 2)))
    written = Re((u1 + I * u2) * exp(I * beta) * chord)
    proof.equal("The same real part", written, part)
    proof.opposite("So the same modulus", Modulus(rho * written), Modulus(rho * part))
    right = rho_bar / 2 * (Modulus(u1 + I * u2) * Modulus(chord))
    proof.conclude("margin_certificate.gate", Modulus(rho * written), right, relation="<=", conditions=(condition,))


def _elementary(proof: Proof) -> None:
    moved = Modulus(ReLU(x + delta) - ReLU(x))
    proof.at_most_by_cases("ReLU has slope 0 or 1", moved, Modulus(delta))
    proof.conclude("margin_certificate.lipschitz", moved, Modulus(delta), relation="<=")

    low, high, one, other = symbols("f_0 f_1 f_y f_c", real=True)
    conditions = (Le(low, one), Le(one, high), Le(low, other), Le(other, high))
    proof.at_most_by_cases("Two points of an interval", Modulus(one - other), high - low, assuming=conditions)
    proof.conclude(
        "margin_certificate.oscillation", Modulus(one - other), high - low, relation="<=", conditions=conditions
    )

    j, n = Symbol("j", integer=True), Symbol("n", integer=True, positive=True)
    h, q = (IndexedBase(f"{name}'", real=True)[j] + I * IndexedBase(f"{name}''", real=True)[j] for name in ("h", "q"))
    for factor in (h, q):
        real, imaginary = factor.subs(I, 0), (factor - factor.subs(I, 0)) / I
        proof.modulus_squared("A modulus", factor, real**2 + imaginary**2)
    a, b = (factor.subs(I, 0) for factor in (h, q))
    c, d = ((factor - factor.subs(I, 0)) / I for factor in (h, q))
    proof.modulus_squared("That of the product", h * q, (a**2 + c**2) * (b**2 + d**2))
    proof.equal_squares("Moduli multiply", Modulus(h * q), Modulus(h) * Modulus(q))
    terms = (j, 1, n)
    proof.summed("Triangle inequality", h * q, Modulus(h) * Modulus(q), terms)
    left, right = Modulus(Sum(h * q, terms)), Sum(Modulus(h) * Modulus(q), terms)
    proof.conclude("margin_certificate.harmonics", left, right, relation="<=")


def _margin(proof: Proof) -> None:
    j, n = Symbol("j", integer=True), Symbol("n", integer=True, positive=True)
    ideal, e1, e2, order = (IndexedBase(name, real=True)[j] for name in ("Z", "E'", "E''", "z"))
    gates = IndexedBase("R", nonnegative=True)[j]
    G, Q, T = symbols("G Q T", real=True)
    D, O = symbols("D O", nonnegative=True)
    s, terms, turn = Symbol("s", real=True), (j, 1, n), omega * order * delta
    bent = Modulus(1 - exp(I * turn))
    conditions = (Le(Modulus(G), Sum(gates / 2 * bent, terms)), Le(Modulus(Q), D), Le(Modulus(T), O))
    left = Z * (1 - cos(alpha)) - Modulus(E1 + I * E2) * Modulus(chord)
    right = Re((Z + E1 + I * E2) * chord)
    values = {Z: ideal, E1: e1, E2: e2, alpha: turn}
    proof.bound_with("One frequency z", left, right, values)
    lower, upper = (side.subs(values, simultaneous=True) for side in (left, right))
    proof.summed_bound("Add up the frequencies", lower, upper, terms)
    total = Sum(ideal * (1 - cos(turn)), terms) - Sum((Modulus(e1 + I * e2) + gates / 2) * bent, terms)
    proof.linear_sum("The ideal part and the errors apart", Sum(lower, terms))
    proof.linear_sum("The errors and the gates apart", Sum((Modulus(e1 + I * e2) + gates / 2) * bent, terms))
    proof.linear_sum("Half of the gates", Sum(gates / 2 * bent, terms))
    for condition, symbol in zip(conditions, (G, Q, T), strict=True):
        proof.given("The certificate has computed a bound", condition)
        proof.bound_with("A number is at least minus its modulus", -Modulus(s), s, {s: symbol})
        proof.chain(
            "So it takes at most the bound away", -condition.gts, -Modulus(symbol), symbol, assuming=(condition,)
        )
    bottom, margin = total - D - O, Sum(upper, terms) + G + Q + T
    parts = [
        (Sum(lower, terms), Sum(upper, terms)),
        *((-condition.gts, symbol) for condition, symbol in zip(conditions, (G, Q, T), strict=True)),
    ]
    proof.added("Everything together", bottom, margin, parts, assuming=conditions)
    proof.conclude("margin_certificate", bottom, margin, relation="<=", conditions=conditions)


def _circuit(proof: Proof) -> None:
    j, n = Symbol("j", integer=True), Symbol("n", integer=True, positive=True)
    y, z, s, a, b, c, d = symbols("y z s a b c d", real=True)
    h, r, u1, u2, d1, d2 = (IndexedBase(name, real=True)[j] for name in ("h", "r", "u'", "u''", "d", "d'"))
    terms, turn, angle = (j, 1, n), omega * z * delta, omega * z * y
    row, bent = u1 + I * u2, Modulus(1 - exp(I * turn))
    real, imaginary = u1 * cos(angle) - u2 * sin(angle), u1 * sin(angle) + u2 * cos(angle)
    retained = Re((real + I * imaginary) * (1 - cos(turn) - I * sin(turn)))

    even, odd = Sum(ReLU(h) * real, terms), Sum(ReLU(h) * imaginary, terms)
    values = {E1: even - Z, E2: odd, alpha: turn}
    left = Z * (1 - cos(alpha)) - Modulus(E1 + I * E2) * Modulus(chord)
    right = Re((Z + E1 + I * E2) * chord)
    proof.bound_with("The curves' neurons are one wave: its error against Z costs a chord", left, right, values)
    lowest, ideal = (side.subs(values, simultaneous=True) for side in (left, right))
    whole = Sum(ReLU(h) * row * exp(I * angle), terms)
    proof.termwise("Their sum, as cosines and sines", whole, even + I * odd)

    moved, rest = ReLU(h + r) - ReLU(h), d1 - d2
    text = "A neuron moves by at most what its curve leaves"
    proof.instance(text, {x: h, delta: r}, of=Modulus(ReLU(x + delta) - ReLU(x)))
    parts = {a: real, b: imaginary, c: 1 - cos(turn), d: -sin(turn)}
    proof.instance("A wave's difference", parts, of=Modulus(Re((a + I * b) * (c + I * d))))
    proof.modulus_squared("A turn does not change a row", real + I * imaginary, u1**2 + u2**2)
    proof.modulus_squared("The row itself", row, u1**2 + u2**2)
    proof.equal_squares("So it keeps its modulus", Modulus(real + I * imaginary), Modulus(row))
    proof.rewritten("The chord, written so", bent, {1 - exp(I * turn): 1 - cos(turn) - I * sin(turn)})
    sizes = [(Modulus(row) * bent, retained), (Modulus(rest), rest)]
    bounds = []
    for size, part in sizes:
        proof.multiplied("Times what a neuron moves by", (moved, Modulus(r)), (part, size))
        proof.summed("Add up the neurons", moved * part, Modulus(r) * size, terms)
        bounds.append((Sum(moved * part, terms), Sum(Modulus(r) * size, terms)))
    on_curves = Sum(ReLU(h) * rest, terms)
    bounds.append((on_curves, Modulus(on_curves)))
    pairs = [(lowest, ideal)]
    for total, bound in bounds:
        proof.bound_with("A number is at least minus its modulus", -Modulus(s), s, {s: total})
        both = [(-Modulus(total), total), (Modulus(total), bound)]
        proof.added("So it takes at most its bound away", -bound, total, both)
        pairs.append((-bound, total))
    bottom, margin = (sum(pair[side] for pair in pairs) for side in (0, 1))
    proof.added("Everything together", bottom, margin, pairs)
    logits = [
        Sum(ReLU(h + r) * (Re(row * exp(I * omega * z * output)) + own), terms)
        for output, own in ((y, d1), (y + delta, d2))
    ]
    proof.termwise("The margin is these four parts", logits[0] - logits[1], margin)
    proof.linear_sum("A chord is the same for all neurons", bounds[0][1])
    shown = Z * (1 - cos(turn)) - Modulus(whole - Z) * bent - bent * Sum(Modulus(r) * Modulus(row), terms)
    shown += -Modulus(on_curves) - bounds[1][1]
    proof.conclude("margin_certificate.circuit", shown, logits[0] - logits[1], relation="<=")


if __name__ == "__main__":
    from quadlens.identities.printing import run_script

    raise SystemExit(run_script(derive))
