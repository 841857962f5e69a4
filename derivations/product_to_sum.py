"""Sums of two waves as products.

With equal and unequal amplitudes, in (a - b, a + b) and in the parity-free form in (a - b, b).

Run ``python derivations/product_to_sum.py`` to read the steps.
"""

from collections.abc import Iterable

from sympy import I, cos, exp, expand, sin, symbols

from quadlens.identities.functions import Modulus, Re
from quadlens.identities.proof import Derivation, Proof
from quadlens.identities.statement import Statement


def derive(stored: Iterable[Statement] | None = None) -> Derivation:
    """Prove the family ``product_to_sum``; ``stored`` replaces the statements to compare with."""
    proof = Proof("product_to_sum", "Two waves of one frequency as one", stored)
    a, b, k, d, omega, phi, theta, kappa = symbols("a b k d omega phi theta kappa", real=True)
    A, B, S, D = symbols("A B S D", real=True)
    wave_a, wave_b = cos(omega * k * a + phi), cos(omega * k * b + phi)
    difference, total = omega * k * (a - b) / 2, omega * k * (a + b) / 2 + phi

    proof.equal("The phase of a is the half sum plus the half difference", omega * k * a + phi, total + difference)
    proof.equal("The phase of b is the half sum minus the half difference", omega * k * b + phi, total - difference)
    proof.equal("Addition theorem, plus", cos(S + D), cos(S) * cos(D) - sin(S) * sin(D))
    proof.equal("Addition theorem, minus", cos(S - D), cos(S) * cos(D) + sin(S) * sin(D))
    proof.equal("Equal amplitudes: the sine terms cancel", cos(S + D) + cos(S - D), 2 * cos(D) * cos(S))
    product = (2 * cos(D) * cos(S)).subs({S: total, D: difference})
    proof.equal("Put S and D back", wave_a + wave_b, product)
    proof.conclude("product_to_sum", wave_a + wave_b, product)

    unequal = (A + B) * cos(D) * cos(S) - (A - B) * sin(D) * sin(S)
    proof.equal("Unequal amplitudes: the sine terms keep the difference", A * cos(S + D) + B * cos(S - D), unequal)
    proof.equal("Put S and D back", A * wave_a + B * wave_b, unequal.subs({S: total, D: difference}))
    proof.conclude("product_to_sum.unequal", A * wave_a + B * wave_b, unequal.subs({S: total, D: difference}))

    e_A, e_B, s_A, s_B = (
        first + I * second
        for first, second in (symbols(f"{name}' {name}''", real=True) for name in ("e_A", "e_B", "s_A", "s_B"))
    )
    theta_a = theta + omega * k * d
    table_a = Re(e_A * exp(I * theta_a) + s_A * exp(2 * I * theta_a))
    table_b = Re(e_B * exp(I * theta) + s_B * exp(2 * I * theta))
    first, second = e_A * exp(I * omega * k * d) + e_B, s_A * exp(2 * I * omega * k * d) + s_B
    waveform = Re(first * exp(I * theta) + second * exp(2 * I * theta)) + kappa
    proof.say("With theta = omega k b + phi, the phase of a is theta + omega k d, where d = a - b", theta_a)
    proof.equal(
        "The first harmonic: e^{i(theta + omega k d)} = e^{i omega k d} e^{i theta}",
        e_A * exp(I * theta_a) + e_B * exp(I * theta),
        expand(first * exp(I * theta)),
    )
    proof.equal(
        "The second harmonic turns twice as fast",
        s_A * exp(2 * I * theta_a) + s_B * exp(2 * I * theta),
        expand(second * exp(2 * I * theta)),
    )
    proof.conclude("product_to_sum.parity_free", table_a + table_b + kappa, waveform)

    real, imaginary = A * cos(omega * k * d) + B, A * sin(omega * k * d)
    proof.equal("Real and imaginary part", A * exp(I * omega * k * d) + B, real + I * imaginary)
    squared = A**2 + B**2 + 2 * A * B * cos(omega * k * d)
    proof.equal("Sum of their squares", real**2 + imaginary**2, squared)
    halves = (A - B) ** 2 + 4 * A * B * cos(omega * k * d / 2) ** 2
    proof.equal("Half the angle: cos 2z = 2 cos^2 z - 1", squared, halves)
    wave = A * exp(I * omega * k * d) + B
    proof.modulus_squared("The modulus squared is that sum", wave, halves)
    proof.conclude("product_to_sum.amplitude", Modulus(wave) ** 2, halves)
    return proof.finish()


if __name__ == "__main__":
    from quadlens.identities.printing import run_script

    raise SystemExit(run_script(derive))
