r"""The output side split in two: retained frequencies, treated exactly, and the rest.

    U[i, c] = Re Σ_{z∈F} û_{i,z} e^{iωzc} + dU_i(c)          û_{i,z} = (ν_z/p) Σ_c U[i,c] e^{−iωzc},  ν = 2, or 1 at
    2z = p

and the same for the rows of ``S_a`` and ``S_b``.
"""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.certificates.operations import OperationCounter
from quadlens.circuits.circuit import Circuit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Retained:
    """The split of U, S_a and S_b at the frequencies ``F``.

    ``waves (|F|, p)`` are ``e^{iωzc}``, ``u_hat (n, |F|)``, ``dU (n, p)`` with ``osc (n,)`` its rows' oscillation,
    ``skip_a, skip_b
    (p, |F|)`` the skip path's components, and ``rest_a[a, Y]``, ``rest_b[b, Y]`` ``(p,
    p)`` how far the rest of a row lies below its
    maximum at Y.
    """

    frequencies: tuple[int, ...]
    waves: ComplexArray
    u_hat: ComplexArray
    dU: FloatArray
    osc: FloatArray
    skip_a: ComplexArray
    skip_b: ComplexArray
    rest_a: FloatArray
    rest_b: FloatArray


def waves(p: int, frequencies: tuple[int, ...]) -> ComplexArray:
    """Return ``e^{iωzc}`` for each retained z and each c, shape (|F|, p); the residue ``zc mod p`` is exact."""
    turns = np.array(frequencies, dtype=np.int64)[:, None] * np.arange(p) % p
    return np.asarray(np.exp(2j * np.pi / p * turns))


def components(rows: FloatArray, frequencies: tuple[int, ...], basis: ComplexArray) -> ComplexArray:
    """Return ``(ν_z/p) Σ_c rows[·,c] e^{−iωzc}``, shape (rows, |F|)."""
    p = rows.shape[1]
    factor = np.array([1.0 if 2 * z == p else 2.0 for z in frequencies]) / p
    return np.asarray((rows @ basis.conj().T) * factor)


def split(circuit: Circuit, frequencies: tuple[int, ...], count: OperationCounter) -> Retained:
    """Split the output side of a circuit at the given frequencies; O((pn + p²)|F|)."""
    p, n, kept = circuit.p, circuit.neurons, len(frequencies)
    basis = waves(p, frequencies)
    real_basis = np.concatenate([basis.real, -basis.imag])

    def rest(rows: FloatArray, hat: ComplexArray) -> FloatArray:
        count.add(8 * rows.shape[0], p, kept)
        return np.asarray(rows - np.concatenate([hat.real, hat.imag], axis=1) @ real_basis)

    u_hat = components(circuit.U, frequencies, basis)
    skip_a, skip_b = (components(table, frequencies, basis) for table in (circuit.S_a, circuit.S_b))
    dU, rest_a, rest_b = rest(circuit.U, u_hat), rest(circuit.S_a, skip_a), rest(circuit.S_b, skip_b)
    count.add(2 * n + 4 * p, p)
    return Retained(
        frequencies=frequencies,
        waves=basis,
        u_hat=u_hat,
        dU=dU,
        osc=dU.max(axis=1) - dU.min(axis=1),
        skip_a=skip_a,
        skip_b=skip_b,
        rest_a=rest_a.max(axis=1, keepdims=True) - rest_a,
        rest_b=rest_b.max(axis=1, keepdims=True) - rest_b,
    )


def cross_oscillation(
    retained: Retained, own: IntArray, members: IntArray, count: OperationCounter
) -> FloatArray:
    """Return ``V_i``, the oscillation over c of the retained waves of each member but its own.

    ``own[i]`` is the position of neuron i's own frequency in ``frequencies``, or −1.
    """
    hat = retained.u_hat[members].copy()
    has_own = own[members] >= 0
    hat[np.flatnonzero(has_own), own[members][has_own]] = 0
    basis = retained.waves
    values = np.concatenate([hat.real, hat.imag], axis=1) @ np.concatenate([basis.real, -basis.imag])
    count.add(4 * members.size, basis.shape[1], basis.shape[0])
    count.add(2 * members.size, basis.shape[1])
    return np.asarray(values.max(axis=1) - values.min(axis=1))
