"""The squared distance of an MLP from its integrals: what splits, what Parseval adds up, the integrals' own norm.

Run ``python derivations/squared_distance.py`` to read the steps.
"""

from collections.abc import Iterable

from sympy import Expr, Ge, I, IndexedBase, Le, S, Sum, Symbol, cos, exp, pi, symbols

from quadlens.identities.functions import Modulus, Re
from quadlens.identities.proof import Derivation, Proof
from quadlens.identities.statement import Statement

x, y, u, v, t, phi = symbols("x y u v t phi", real=True)
n = Symbol("n", integer=True, positive=True)
j, b, d, k, m = symbols("j b d k m", integer=True)
rest, X, Y = (IndexedBase(name, real=True) for name in ("d", "X", "Y"))
steps, outputs, classes = (j, 0, n - 1), (j, 1, n), (d, 1, n)
BELOW_HALF = (Ge(k, 1), Le(2 * k, n - 1))


def derive(stored: Iterable[Statement] | None = None) -> Derivation:
    """Prove the family ``squared_distance``; ``stored`` replaces the statements to compare with."""
    proof = Proof("squared_distance", "How far an MLP is from its integrals, in squares", stored)
    _split(proof)
    _wave(proof)
    _norm(proof)
    _parseval(proof)
    return proof.finish()


def _vanishing(proof: Proof, order: Expr, shifts: tuple[Expr, ...], conditions: tuple[Expr, ...]) -> None:
    """Show that the cosines of one order, with each of the shifts, add up to 0."""
    exact = Sum(cos(m * (phi + 2 * pi * j / n) + y), steps)
    for shift in shifts:
        values = {phi: S.Zero, m: order, y: shift}
        proof.instance("A wave adds up to 0 over all residues", values, of=exact, assuming=conditions)


def _split(proof: Proof) -> None:
    wave = exp(2 * pi * I * k * j / n)
    kept = Re((x + I * y) * wave)
    whole = Sum((kept + rest[j]) ** 2, outputs)
    crossed = 2 * Re((x + I * y) * Sum(rest[j] * wave, outputs))
    right = Sum(kept**2, outputs) + Sum(rest[j] ** 2, outputs) + crossed
    proof.termwise("A square of a sum, term by term", whole, right)
    proof.conclude("squared_distance", whole, right)


def _added_up(proof: Proof, real: Expr, imaginary: Expr, shift: Expr) -> tuple[Expr, Expr]:
    """Show what the square of one wave adds up to over the outputs, and return both sides."""
    term = Re((real + I * imaginary) * exp(I * (2 * pi * k * j / n + shift))) ** 2
    double = 2 * k * (2 * pi * j / n) + 2 * shift
    waves = (
        (real**2 + imaginary**2) / 2
        + (real**2 - imaginary**2) / 2 * cos(double)
        - real * imaginary * cos(double - pi / 2)
    )
    proof.equal("The square has the orders 0 and 2k", term, waves)
    _vanishing(proof, 2 * k, (2 * shift, 2 * shift - pi / 2), BELOW_HALF)
    total = Sum(term, steps)
    proof.rewritten("In the sum", total, {term: waves})
    proof.linear_sum("Term by term", Sum(waves, steps))
    return total, n * (real**2 + imaginary**2) / 2


def _wave(proof: Proof) -> None:
    proof.lemma("equally_spaced_phases.exact")
    total, value = _added_up(proof, x, y, t)
    proof.conclude("squared_distance.wave", total, value, conditions=BELOW_HALF)


def _norm(proof: Proof) -> None:
    ideal, amplitude = _added_up(proof, X[d], Y[d], -2 * pi * k * (2 * b + d) / n)
    left = Sum(n * ideal, classes)
    proof.say("It does not depend on b: it is the same at all n inputs of the class", amplitude)
    right = proof.rewritten("Add up the classes, n inputs each", left, {ideal: amplitude}, assuming=BELOW_HALF)
    proof.conclude("squared_distance.ideal", left, right, conditions=BELOW_HALF)


def _parseval(proof: Proof) -> None:
    one, other = exp(2 * pi * I * (k + m) * j / n), exp(2 * pi * I * k * j / n)
    number = (x + I * y) * one + (u + I * v) * other
    step = m * (2 * pi * j / n)
    waves = x**2 + y**2 + u**2 + v**2 + 2 * (x * u + y * v) * cos(step) - 2 * (y * u - x * v) * cos(step - pi / 2)
    apart = (Ge(m, 1), Le(m, n - 1))
    proof.modulus_squared("The square of a modulus", number, waves)
    _vanishing(proof, m, (S.Zero, -pi / 2), apart)
    square = Modulus(number) ** 2
    proof.rewritten("In the sum", Sum(square, steps), {square: waves})
    proof.linear_sum("Term by term", Sum(waves, steps))
    value = n * (x**2 + y**2 + u**2 + v**2)
    proof.conclude("squared_distance.parseval", Sum(square, steps), value, conditions=apart)


if __name__ == "__main__":
    from quadlens.identities.printing import run_script

    raise SystemExit(run_script(derive))
