"""Is the proved distance of an MLP from its integrals ever below the true one? ``benchmarks.soundness --mlp`` asks."""

from collections.abc import Iterator

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray
from quadlens.certificates.inequality.rounding import sizes, too_large
from quadlens.certificates.mlp.prove import MlpBound, budget_of, prove
from quadlens.certificates.plan.choose import Budget
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.forward import mlp_logits
from quadlens.decomposition.ideals import Ideal, integral_ideal
from quadlens.errors import CertificateError, CircuitError
from quadlens.form.amplitude_phase import fit


def outputs_of(ideal: Ideal) -> ComplexArray:
    """Return the ideal's outputs ``I_z(a, b)`` at all inputs, (z, p, p)."""
    return np.concatenate([block.outputs for block in ideal.blocks()], axis=1)


def differences(circuit: Circuit, ideal: Ideal) -> FloatArray:
    """Return ``M − I`` of every input and logit, (p, p, p): the MLP without its skip path, less its mean over c."""
    p = circuit.p
    M = mlp_logits(circuit, slice(None))
    M -= M.mean(axis=2, keepdims=True)
    outputs = np.moveaxis(outputs_of(ideal), 0, -1)
    wave = np.exp(2j * np.pi / p * (np.outer(ideal.frequencies, np.arange(p)) % p))
    return np.asarray(M - outputs.real @ wave.real + outputs.imag @ wave.imag)


def bounds_of(circuit: Circuit, budget: Budget | None = None) -> tuple[MlpBound, ...]:
    """Return the bounds of a circuit against both integrals; none where there is no integral or it may overflow."""
    size = sizes(circuit)
    if too_large(size) is not None:
        return ()
    try:
        form = fit(circuit)
        ideals = (integral_ideal(form), integral_ideal(form, pure=True))
        return prove(circuit, size, ideals, budget_of(circuit.p) if budget is None else budget).bounds
    except (CircuitError, CertificateError):
        return ()


def any_budget(generator: np.random.Generator) -> Budget:
    """Return a budget that leaves harmonics out, has coarse cells, and gates that are bounded."""
    return Budget(
        retained=int(generator.integers(1, 8)),
        retained_by_group=int(generator.integers(1, 5)),
        harmonics=int(generator.integers(0, 20)),
        head=0,
        cells=int(generator.choice([2, 7, 40, 118])),
        candidates=int(generator.choice([0, 0, 1, 32])),
    )


def false_claims(circuit: Circuit, bound: MlpBound) -> Iterator[str]:
    """Yield the claims of a bound that are false, compared with no slack."""
    p, ideal = circuit.p, bound.ideal
    apart = differences(circuit, ideal)
    if not np.linalg.norm(apart) <= bound.l2 * ideal.norm:
        yield f"{ideal.name}: the distance is {np.linalg.norm(apart)!r}, claimed {bound.l2 * ideal.norm!r}"
    if not np.abs(apart).max() <= bound.largest * ideal.largest:
        yield f"{ideal.name}: the largest is {np.abs(apart).max()!r}, claimed {bound.largest * ideal.largest!r}"
    d = (np.arange(p)[:, None] - np.arange(p)) % p
    own = np.sqrt(np.bincount(d.ravel(), weights=(apart**2).sum(axis=2).ravel(), minlength=p))
    if not (np.sqrt(p) * own <= bound.classes * ideal.norm).all():
        yield f"{ideal.name}: a class is further off than claimed"
    outputs = outputs_of(ideal)
    for z, claimed in bound.frequencies:
        E = 2 / p * apart @ np.exp(-2j * np.pi / p * (z * np.arange(p) % p))
        I = outputs[ideal.frequencies.index(z)]
        if 2 * z == p:
            E, I = E.real / 2, I.real
        if not np.linalg.norm(E) <= claimed * np.linalg.norm(I):
            yield f"{ideal.name}: at frequency {z} the distance is {np.linalg.norm(E)!r}, claimed {claimed!r}"
