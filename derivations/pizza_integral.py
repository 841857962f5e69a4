"""The integral of ReLU(cos x) cos(2x + t) over a turn, its shifts and its scale, and the two halves of ReLU.

Run ``python derivations/pizza_integral.py`` to read the steps.
"""

from collections.abc import Iterable

from sympy import Integral, Rational, S, Symbol, cos, pi, symbols

from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.proof import Derivation, Proof
from quadlens.identities.statement import Statement

KINKS = (-pi, -pi / 2, pi / 2, pi)


def derive(stored: Iterable[Statement] | None = None) -> Derivation:
    """Prove the family ``pizza_integral``; ``stored`` replaces the statements to compare with."""
    proof = Proof("pizza_integral", "The integral that the MLP of a pizza network computes", stored)
    x, s, t = symbols("x s t", real=True)
    circle = (x, -pi, pi)
    target = ReLU(cos(x)) * cos(2 * x + t)
    proof.say("Between the kinks -pi/2 and pi/2 the integrand is cos x cos(2x + t), elsewhere it is 0", target)
    proof.equal("Product to sum", cos(x) * cos(2 * x + t), cos(x + t) / 2 + cos(3 * x + t) / 2)
    value = Rational(2, 3) * cos(t)
    proof.integral_by_pieces("The middle piece gives cos t - (1/3) cos t", target, x, KINKS, value)
    proof.conclude("pizza_integral", Integral(target, circle), value)

    shifted = ReLU(cos(x + s)) * cos(2 * x + t)
    moved = proof.periodic("Put x - s for x", shifted, circle, shift=-s)
    proof.integral_by_pieces("The same integral at the phase t - 2s", moved, x, KINKS, Rational(2, 3) * cos(t - 2 * s))
    proof.conclude("pizza_integral.shifted", Integral(shifted, circle), Rational(2, 3) * cos(t - 2 * s))

    identity = cos(x + s) / 2 * cos(2 * x + t)
    proof.equal("The harmonics are 1 and 3, and no 0", identity, cos(x + t - s) / 4 + cos(3 * x + t + s) / 4)
    proof.integral("Over a whole turn both vanish", identity, circle, S.Zero)
    proof.conclude("pizza_integral.identity_half", Integral(identity, circle), S.Zero)

    absolute = Modulus(cos(x + s)) / 2 * cos(2 * x + t)
    moved = proof.periodic("Put x - s for x", absolute, circle, shift=-s)
    proof.integral_by_pieces("Each of the two half turns gives 1/3", moved, x, KINKS, Rational(2, 3) * cos(t - 2 * s))
    proof.conclude("pizza_integral.absolute_half", Integral(absolute, circle), Rational(2, 3) * cos(t - 2 * s))

    _scaled(proof, x, t)
    return proof.finish()


def _scaled(proof: Proof, x: Symbol, t: Symbol) -> None:
    lam, positive = Symbol("lambda", real=True), Symbol("r", positive=True)
    circle = (x, -pi, pi)
    value = positive * Rational(2, 3) * cos(t)
    for sign in (1, -1):
        integrand = ReLU(sign * positive * cos(x)) * cos(2 * x + t)
        text = f"lambda = {'' if sign > 0 else '-'}r with r > 0, where r = |lambda|"
        proof.integral_by_pieces(text, integrand, x, KINKS, value)
    integrand = ReLU(lam * cos(x)) * cos(2 * x + t)
    value = Rational(2, 3) * Modulus(lam) * cos(t)
    proof.by_sign("lambda is positive, 0 or negative", Integral(integrand, circle), value, lam, positive)
    proof.conclude("pizza_integral.scaled", Integral(integrand, circle), value)


if __name__ == "__main__":
    from quadlens.identities.printing import run_script

    raise SystemExit(run_script(derive))
