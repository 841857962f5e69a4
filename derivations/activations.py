"""Other activations: curvature is what counts; |x|, x^2 and GELU; x^2 is exact with few phases.

Run ``python derivations/activations.py`` to read the steps.
"""

from collections.abc import Iterable

from sympy import Function, Ge, Integral, Rational, S, Sum, Symbol, besseli, cos, erf, exp, pi, sin, sqrt, symbols

from quadlens.identities.conditions import Smooth
from quadlens.identities.functions import Modulus
from quadlens.identities.proof import Derivation, Proof
from quadlens.identities.statement import Statement

KINKS = (-pi, -pi / 2, pi / 2, pi)
x, y, t, phi, lam = symbols("x y t phi lambda", real=True)
j, n = Symbol("j", integer=True), Symbol("n", integer=True, positive=True)
circle = (x, -pi, pi)


def derive(stored: Iterable[Statement] | None = None) -> Derivation:
    """Prove the family ``activations``; ``stored`` replaces the statements to compare with."""
    proof = Proof("activations", "Which property of an activation the second harmonic needs", stored)
    _curvature(proof)
    _even_part(proof)
    _absolute_and_square(proof)
    _few_phases(proof)
    _gelu(proof)
    return proof.finish()


def _curvature(proof: Proof) -> None:
    f, z = Function("f"), Symbol("z", real=True)
    first, second = (f(z).diff(z, order).subs(z, lam * cos(x)) for order in (1, 2))
    function = f(lam * cos(x)) * sin(2 * x) / 2 + lam * first * sin(x) ** 3 / 3
    integrand = f(lam * cos(x)) * cos(2 * x) - lam**2 * second * sin(x) ** 4 / 3
    proof.say("Integrate by parts twice: the boundary terms are those of", function)
    zero = proof.fundamental("Its derivative is the difference of the two integrands", function, integrand, circle)
    proof.equal("Over a turn it comes back to where it was", zero, S.Zero)
    left = Integral(f(lam * cos(x)) * cos(2 * x), circle)
    right = lam**2 / 3 * Integral(second * sin(x) ** 4, circle)
    proof.isolated("So the two integrals agree", Integral(integrand, circle), zero, left)
    proof.conclude("activations", left, right, conditions=(Smooth(f, 2),))


def _even_part(proof: Proof) -> None:
    f = Function("f")
    whole = f(cos(x)) * cos(2 * x + t)
    apart = f(cos(x)) * cos(2 * x) * cos(t) - f(cos(x)) * sin(2 * x) * sin(t)
    proof.rewritten("Addition theorem", Integral(whole, circle), {whole: apart})
    proof.linear("Two integrals", Integral(apart, circle))
    proof.odd("The second is odd", f(cos(x)) * sin(2 * x), circle)
    mirrored = f(-cos(x)) * cos(2 * x)
    proof.periodic("A shift by pi changes the sign of cos x only", mirrored, circle, shift=pi)
    even = (f(cos(x)) + f(-cos(x))) / 2 * cos(2 * x)
    proof.linear("The even part's integral is the mean of two that agree", Integral(even, circle))
    left = Integral(whole, circle)
    proof.conclude("activations.even_part", left, cos(t) * Integral(even, circle), conditions=(Smooth(f, 0),))


def _absolute_and_square(proof: Proof) -> None:
    r = Symbol("r", positive=True)
    value = r * Rational(4, 3) * cos(t)
    for sign in (1, -1):
        integrand = Modulus(sign * r * cos(x)) * cos(2 * x + t)
        proof.integral_by_pieces(f"lambda = {'' if sign > 0 else '-'}r with r > 0", integrand, x, KINKS, value)
    integrand = Modulus(lam * cos(x)) * cos(2 * x + t)
    right = Rational(4, 3) * Modulus(lam) * cos(t)
    proof.by_sign("lambda is positive, 0 or negative", Integral(integrand, circle), right, lam, r)
    proof.conclude("activations.absolute", Integral(integrand, circle), right)

    f, c = Function("f"), Symbol("c", real=True)
    proof.instance("Without an output phase", {t: S.Zero}, of=Integral(integrand, circle))
    smooth, kinked = f(lam * cos(x)) * cos(2 * x), c * Modulus(lam * cos(x)) * cos(2 * x)
    product = (f(lam * cos(x)) + c * Modulus(lam * cos(x))) * cos(2 * x)
    proof.rewritten("A smooth part and a kink", Integral(product, circle), {product: smooth + kinked})
    proof.linear("Two integrals", Integral(smooth + kinked, circle))
    z = Symbol("z", real=True)
    second = f(z).diff(z, 2).subs(z, lam * cos(x))
    right = lam**2 / 3 * Integral(second * sin(x) ** 4, circle) + Rational(4, 3) * c * Modulus(lam)
    proof.conclude("activations.kinked", Integral(product, circle), right, conditions=(Smooth(f, 2),))

    integrand = (lam * cos(x)) ** 2 * cos(2 * x + t)
    square = pi * lam**2 / 2 * cos(t)
    proof.integral("cos^2 has the harmonics 0 and 2, and 2 meets 2", integrand, circle, square)
    proof.conclude("activations.square", Integral(integrand, circle), square)


def _few_phases(proof: Proof) -> None:
    m = Symbol("m", integer=True)
    phase, steps = phi + 2 * pi * j / n, (j, 0, n - 1)
    term = cos(phase + x) ** 2 * cos(2 * phase + y)
    waves = cos(2 * phase + y) / 2 + cos(4 * phase + 2 * x + y) / 4 + cos(y - 2 * x) / 4
    value = pi / 2 * cos(y - 2 * x)
    proof.equal("The orders 2 and 4, and a constant", term, waves)
    proof.lemma("equally_spaced_phases.exact")
    exact = Sum(cos(m * phase + y), steps)
    for order, shift in ((2, y), (4, 2 * x + y)):
        proof.instance(f"The order {order} vanishes, since it is below n", {m: order, y: shift}, of=exact)
    proof.rewritten("In the sum", Sum(term, steps), {term: waves})
    proof.linear_sum("Term by term", Sum(waves, steps))
    left = 2 * pi / n * Sum(term, steps)
    proof.conclude("activations.square_exact", left, value, conditions=(Ge(n, 5),))

    for name, count, right in (
        ("three", 3, value),
        ("four", 4, pi / 2 * (cos(y - 2 * x) + cos(4 * phi + 2 * x + y))),
    ):
        angle = phi + 2 * pi * j / count
        total = Sum(cos(angle + x) ** 2 * cos(2 * angle + y), (j, 0, count - 1))
        proof.written_out(f"With {name} phases", total)
        proof.conclude(f"activations.square_{name}", 2 * pi / count * total, right)


def _gelu(proof: Proof) -> None:
    z, q = symbols("z q", real=True)
    gelu = z * (1 + erf(z / sqrt(2))) / 2
    value, slope = (function.subs(z, lam * cos(x)) for function in (gelu, gelu.diff(z)))
    square = lam**2 / 4
    bell = exp(-square) * exp(-square * cos(2 * x)) * sqrt(2 / pi) / 3
    proof.say("GELU(z) = z (1 + erf(z / sqrt 2)) / 2 has second derivative (2 - z^2) e^{-z^2/2} / sqrt(2 pi)", gelu)
    bessels = square - (square + 1) * cos(2 * x)
    integrand = value * cos(2 * x) - bell * bessels
    function = (
        value * sin(2 * x) / 2
        + lam * slope * sin(x) ** 3 / 3
        + bell * ((1 - square) * sin(2 * x) + square * sin(2 * x) * cos(2 * x)) / 2
    )
    zero = proof.fundamental("By parts, and the powers of cos 2x beyond the first as well", function, integrand, circle)
    proof.equal("Over a turn it comes back to where it was", zero, S.Zero)
    for order in (0, 1):
        proof.bessel(f"The definition of I_{order}", order, square, x)
    single = value * cos(2 * x)
    proof.isolated("So the two integrals agree", Integral(integrand, circle), zero, Integral(single, circle))
    proof.linear("Bessel's integrals", Integral(bessels * exp(-square * cos(2 * x)), circle))
    whole, sine = value * cos(2 * x + t), value * sin(2 * x)
    proof.linear("Addition theorem", Integral(whole, circle), [(cos(t), single), (-sin(t), sine)])
    proof.odd("The second is odd", sine, circle)
    right = 2 * sqrt(2 * pi) / 3 * exp(-q) * (q * besseli(0, q) + (q + 1) * besseli(1, q)) * cos(t)
    proof.conclude("activations.gelu", Integral(whole, circle), right, where={q: square})


if __name__ == "__main__":
    from quadlens.identities.printing import run_script

    raise SystemExit(run_script(derive))
