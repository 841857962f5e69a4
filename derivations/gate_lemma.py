"""The gate lemma: what ReLU(y) loses when it uses the gate of x, and the forms of it that the certificates use.

Run ``python derivations/gate_lemma.py`` to read the steps.
"""

from collections.abc import Iterable

from sympy import Le, S, Symbol, symbols

from quadlens.identities.functions import Gate, Modulus, ReLU
from quadlens.identities.proof import Derivation, Proof
from quadlens.identities.statement import Statement


def derive(stored: Iterable[Statement] | None = None) -> Derivation:
    """Prove the family ``gate_lemma``; ``stored`` replaces the statements to compare with."""
    proof = Proof("gate_lemma", "ReLU with the gate of another argument", stored)
    x, y = symbols("x y", real=True)
    missed = ReLU(y) - Gate(x) * y
    bound = ReLU(Modulus(y - x) - Modulus(x))
    proof.say("Let g = 1 where x > 0, else 0: what is missed when y is gated by x", missed)
    proof.at_most_by_cases(
        "Both gates agree: nothing is missed; they differ: |y| = |y - x| - |x| is missed", missed, bound
    )
    proof.conclude("gate_lemma", missed, bound, relation="<=")

    proof.at_most_by_cases("The same cases, the other way", S.Zero, missed)
    proof.conclude("gate_lemma.sign", S.Zero, missed, relation="<=")

    g = Symbol("g", integer=True, nonnegative=True)
    epsilon = Symbol("epsilon", nonnegative=True)
    near = Modulus(y - x) + epsilon
    for gate in (0, 1):
        proof.at_most_by_cases(
            f"If |x| <= epsilon, the gate g = {gate} misses at most |y| <= |y - x| + |x|",
            ReLU(y) - gate * y,
            near,
            assuming=(Le(Modulus(x), epsilon),),
        )
    proof.either("g is 0 or 1", ReLU(y) - g * y, near, g, (0, 1), assuming=(Le(Modulus(x), epsilon),))
    conditions = (Le(Modulus(x), epsilon), Le(g, 1))
    proof.conclude("gate_lemma.any_gate", ReLU(y) - g * y, near, conditions=conditions, relation="<=")

    d_A, d_B = symbols("delta_A delta_B", nonnegative=True)
    level = Symbol("l", nonnegative=True)
    joint, parts = ReLU(d_A + d_B - level), ReLU(d_A - level / 2) + ReLU(d_B - level / 2)
    proof.at_most_by_cases("ReLU is subadditive: give half of the level to each part", joint, parts)
    proof.conclude("gate_lemma.levels", joint, parts, relation="<=")

    rho, rho_bar = Symbol("rho", real=True), Symbol(r"\bar{\rho}", nonnegative=True)
    middle = Modulus(rho - rho_bar / 2)
    proof.at_most_by_cases(
        "In an interval no point is further from the middle than the ends",
        middle,
        rho_bar / 2,
        assuming=(Le(0, rho), Le(rho, rho_bar)),
    )
    proof.conclude("gate_lemma.midpoint", middle, rho_bar / 2, conditions=(Le(0, rho), Le(rho, rho_bar)), relation="<=")
    return proof.finish()


if __name__ == "__main__":
    from quadlens.identities.printing import run_script

    raise SystemExit(run_script(derive))
