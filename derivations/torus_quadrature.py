"""Independent phases of the two inputs: the mean over the torus, and why the blind spot averages out.

Run ``python derivations/torus_quadrature.py`` to read the steps.
"""

from collections.abc import Iterable

from sympy import Ge, Integral, Le, cos, pi, sin, symbols

from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.proof import Derivation, Proof
from quadlens.identities.statement import Statement

x, y, t, v = symbols("x y t v", real=True)


def derive(stored: Iterable[Statement] | None = None) -> Derivation:
    """Prove the family ``torus_quadrature``; ``stored`` replaces the statements to compare with."""
    proof = Proof("torus_quadrature", "Networks whose two inputs have independent phases", stored)
    _inner_and_outer(proof)
    _logits(proof)
    integrand = Modulus(cos(v))
    proof.integral_by_pieces("Two half turns of 2 each", integrand, v, (-pi, -pi / 2, pi / 2, pi), 4)
    proof.conclude("torus_quadrature.blind_spot", Integral(integrand, (v, -pi, pi)) / (2 * pi), 2 / pi)
    return proof.finish()


def _inner_and_outer(proof: Proof) -> None:
    integrand = ReLU(cos(x) + cos(y)) * cos(x + y + t)
    turn_x, turn_y = (x, -pi, pi), (y, -pi, pi)
    product = [2, cos((x + y) / 2), cos((x - y) / 2)]
    proof.equal(
        "Sum to product shows the kinks: x = pi - y and x = y - pi", cos(x) + cos(y), 2 * product[1] * product[2]
    )
    factors = {cos(x) + cos(y): product}
    upper = (pi - y + sin(y) * cos(y)) * cos(y + t)
    lower = (pi + y - sin(y) * cos(y)) * cos(y + t)
    above, below = (Ge(y, 0), Le(y, pi)), (Ge(y, -pi), Le(y, 0))
    for label, conditions, edge, value in (
        ("0 <= y <= pi", above, pi - y, upper),
        ("-pi <= y <= 0", below, pi + y, lower),
    ):
        points = (-pi, -edge, edge, pi)
        proof.integral_by_pieces(
            f"One phase first, for {label}", integrand, x, points, value, factors=factors, assuming=conditions
        )
    proof.conclude("torus_quadrature.inner", Integral(integrand, turn_x), upper, conditions=above)

    total = 16 * cos(t) / 3
    pieces = [(-pi, 0, lower), (0, pi, upper)]
    proof.iterated("Then the other", integrand, turn_x, y, pieces, total)
    left = Integral(integrand, turn_x, turn_y)
    proof.conclude("torus_quadrature.phase", left / (2 * pi) ** 2, total / (2 * pi) ** 2)
    proof.instance("Without a phase", {t: 0}, of=left)
    plain = Integral(ReLU(cos(x) + cos(y)) * cos(x + y), turn_x, turn_y) / (2 * pi) ** 2
    proof.conclude("torus_quadrature", plain, 4 / (3 * pi**2))


def _logits(proof: Proof) -> None:
    a, b, c, k, omega, first, second = symbols("a b c k omega phi chi", real=True)
    neuron = ReLU(cos(omega * k * a + first) + cos(omega * k * b + second)) * cos(omega * k * c + first + second)
    one, other = (first, -pi, pi), (second, -pi, pi)
    shift = {first: first - omega * k * a, second: second - omega * k * b}
    plain = ReLU(cos(first) + cos(second)) * cos(first + second + omega * k * (c - a - b))
    proof.shifted_torus("Shift both phases: the integrand has period 2 pi in each", neuron, one, other, shift, plain)
    double = Integral(ReLU(cos(x) + cos(y)) * cos(x + y + t), (x, -pi, pi), (y, -pi, pi))
    proof.instance("The phase that is left is omega k (c - a - b)", {t: omega * k * (c - a - b)}, of=double)
    left = Integral(neuron, (first, -pi, pi), (second, -pi, pi)) / (2 * pi) ** 2
    proof.conclude("torus_quadrature.logits", left, 4 / (3 * pi**2) * cos(omega * k * (a + b - c)))


if __name__ == "__main__":
    from quadlens.identities.printing import run_script

    raise SystemExit(run_script(derive))
