"""The bound on one arc between kinks: a sum of waves is within the second-order term of its tangent.

Run ``python derivations/exact_arcs.py`` to read the steps.
"""

from collections.abc import Iterable

from sympy import I, IndexedBase, Integral, Le, S, Sum, Symbol, exp, symbols

from quadlens.identities.functions import Modulus
from quadlens.identities.proof import Derivation, Proof
from quadlens.identities.statement import Statement

m, s = symbols("m s", real=True)
eta, share = symbols("eta lambda", nonnegative=True)
n, j = Symbol("n", integer=True, positive=True), Symbol("j", integer=True)
X, Y, rates = (IndexedBase(name, real=True) for name in ("X", "Y", "m"))
terms = (j, 1, n)
C = X[j] + I * Y[j]


def derive(stored: Iterable[Statement] | None = None) -> Derivation:
    """Prove the family ``exact_arcs``; ``stored`` replaces the statements to compare with."""
    proof = Proof("exact_arcs", "Between two kinks the error follows its tangent", stored)
    _wave(proof)
    _arc(proof)
    _tangent(proof)
    return proof.finish()


def _wave(proof: Proof) -> None:
    limits = (s, 0, eta)
    wave = exp(I * m * s)
    rest = exp(I * m * eta) - 1 - I * m * eta
    integrand = -(m**2) * ((eta - s) * wave)
    proof.fundamental(
        "A wave less its tangent is an integral", (I * m * (eta - s) + 1) * wave, integrand, limits
    )
    proof.modulus_squared("A wave has the modulus 1", wave, S.One)
    proof.equal_squares("That is", Modulus(wave), S.One)
    proof.multiplied("Their product", (eta - s, Modulus(eta - s)), (wave, S.One))
    proof.at_most_by_cases("A square is its own modulus", Modulus(-(m**2)), m**2)
    proof.multiplied("Times the square of the rate", (-(m**2), m**2), ((eta - s) * wave, Modulus(eta - s)))
    proof.integrated("Integrate along the arc", integrand, m**2 * Modulus(eta - s), limits)
    proof.linear("The rate is a constant", Integral(m**2 * Modulus(eta - s), limits))
    proof.integral_by_pieces("The distance has one sign", Modulus(eta - s), s, (0, eta), eta**2 / 2)
    proof.conclude("exact_arcs.wave", Modulus(rest), m**2 * eta**2 / 2, relation="<=")


def _arc(proof: Proof) -> None:
    rate = rates[j]
    rest = exp(I * rate * eta) - 1 - I * rate * eta
    bound = rate**2 * eta**2 / 2
    alone = exp(I * m * eta) - 1 - I * m * eta
    proof.bound_with("For each wave of the sum", Modulus(alone), m**2 * eta**2 / 2, {m: rate})
    proof.multiplied("Times the coefficient", (C, Modulus(C)), (rest, bound))
    proof.summed("Add up the waves", C * rest, Modulus(C) * bound, terms)
    whole, tangent, remainder = (Sum(C * part, terms) for part in (exp(I * rate * eta), 1 + I * rate * eta, rest))
    proof.termwise("The sum is its tangent and the rests", whole, tangent + remainder)
    proof.triangle("Triangle inequality", tangent, remainder)
    taylor = Sum(Modulus(C) * bound, terms)
    proof.added(
        "So the sum is at most its tangent and the rests' bounds",
        Modulus(whole),
        Modulus(tangent) + taylor,
        [(Modulus(tangent + remainder), Modulus(tangent) + Modulus(remainder)), (Modulus(remainder), taylor)],
    )
    proof.conclude("exact_arcs", Modulus(whole), Modulus(tangent) + taylor, relation="<=")


def _tangent(proof: Proof) -> None:
    x, y, u, v = symbols("x y u v", real=True)
    one, other, within = x + I * y, u + I * v, (Le(share, 1),)
    parts = []
    for scale, end in ((share, one), (1 - share, other)):
        proof.at_most_by_cases("A share is its own modulus", Modulus(scale), scale, assuming=within)
        proof.multiplied("A share of it", (scale, scale), (end, Modulus(end)), assuming=within)
        parts.append((Modulus(scale * end), scale * Modulus(end)))
    mixed = share * one + (1 - share) * other
    proof.triangle("The modulus of a sum", share * one, (1 - share) * other)
    parts.append((Modulus(mixed), Modulus(share * one) + Modulus((1 - share) * other)))
    bound = share * Modulus(one) + (1 - share) * Modulus(other)
    proof.added("So between the ends it is at most the mean of theirs", Modulus(mixed), bound, parts, assuming=within)
    proof.conclude("exact_arcs.tangent", Modulus(mixed), bound, relation="<=", conditions=within)


if __name__ == "__main__":
    from quadlens.identities.printing import run_script

    raise SystemExit(run_script(derive))
