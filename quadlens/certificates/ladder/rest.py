r"""What a group gives the output frequencies that are not evaluated, bounded: O(p m) with constants from M and W.

With the mean waveform's harmonics ``ĥ_m(d)`` and ``T_m[z] = Σ_i r_i e^{imφ_i} û_{i,z}``, a group's part at z is

    Σ_i h_i û_{i,z} = Σ_{|m|≤M} ĥ_m(d) e^{imωkb} T_m[z]  +  Σ_i (ε_i + r_i t_d) û_{i,z},       |t_d| ≤ tail(d).

Over all inputs the first sum is exact by Parseval over b, but for harmonics whose ``mk`` agree mod p, which are added
up. Of the second, ``E_i = ‖ε_i‖ + r_i ‖tail‖``, a single z gives at most, with V = (Re û, Im û) and the best
positive diagonal D,

    ‖E D⁻¹‖² ‖D V‖₂² = ½ τ (τ + |κ|),    τ = Σ_i E_i |û_{i,z}|,    κ = Σ_i E_i û_{i,z}²/|û_{i,z}|

and W of them together ``‖E D⁻¹‖² ‖D V‖₂²`` with their common Gram matrix: little where outputs are noise.
"""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import BoolArray, ComplexArray, FloatArray, IntArray
from quadlens.certificates.compute.blocks import BLOCK, blocks_of
from quadlens.certificates.ladder.group_waves import GroupWaves, Strays, widest
from quadlens.circuits.circuit import Circuit
from quadlens.decomposition.ideals import output_weights
from quadlens.quadrature.closed_form import harmonics_rounding, waveform_harmonics
from quadlens.quadrature.harmonics import kink_tail
from quadlens.rounding import UNIT_ROUNDOFF, gamma

HARMONICS = 128

TOGETHER = 64
"""W: so many output frequencies share one Gram matrix."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rest:
    """Bounds on a group's part of every output frequency ``z = 1 … p//2``, over all inputs and logits.

    ``up, down (M + 1, p//2)`` bound ``√(Σ_d |ĥ_m(d)|²) |T_m[z]|`` for m and −m; the mean of the waveform's activation,
    ``mean (p,)`` with ``T_0[z]``, is kept with its sign, ``lost (p//2,)`` says how far rounding can move their products
    over all classes. ``second (p//2,)`` is of the second sum, ``E (members,)``; ``rounding`` of both together.
    ``moduli (p, M + 1)`` bound ``|ĥ_m(d)|`` of both signs together, ``sums (M + 1, p)`` are
    ``Σ_i r_i e^{imφ_i} U_i(c)`` after a transform over c; ``tail (p,)``.
    """

    key: int
    up: FloatArray
    down: FloatArray
    mean: FloatArray
    T_0: ComplexArray
    lost: FloatArray
    second: FloatArray
    E: FloatArray
    rounding: float
    moduli: FloatArray
    sums: ComplexArray
    tail: FloatArray


def output_waves(circuit: Circuit, rows: IntArray, z: IntArray) -> ComplexArray:
    """Return ``û_{i,z} = (ν/p) Σ_c U[i, c] e^{−iωzc}`` of some neurons, ν = 2, or 1 at 2z = p; shape (rows, z)."""
    p = circuit.p
    wave = np.exp(-2j * np.pi / p * (np.outer(np.arange(p), z) % p)) / output_weights(p, z)
    both = np.concatenate([wave.real, wave.imag], axis=1)
    out = np.empty((rows.size, z.size), dtype=np.complex128)
    for block in blocks_of(rows.size, 4 * BLOCK // p):
        part = circuit.U[rows[block]] @ both
        out[block] = part[:, : z.size] + 1j * part[:, z.size :]
    return out


def rest(circuit: Circuit, waves: GroupWaves, stray: Strays, activation: str) -> Rest:
    """Return the bounds of one group."""
    p, i, k = circuit.p, waves.group.members, waves.group.frequency
    m = np.arange(HARMONICS + 1)
    h = waveform_harmonics(waves.coefficients, m, activation)
    shift = 64 * UNIT_ROUNDOFF * np.abs(waves.coefficients).sum(axis=1)
    moduli = np.abs(h) + harmonics_rounding(waves.coefficients, m)
    tail = kink_tail(waves.coefficients, HARMONICS) / (2 * np.pi) * (2 if activation == "abs" else 1) + shift
    root = np.sqrt(stray.energy) + waves.r * (np.sqrt(p) * float(np.linalg.norm(tail)) * (1 + gamma(2 * p)))
    sums = np.zeros((m.size, p), dtype=np.complex128)
    tau, kappa = np.zeros(p // 2), np.zeros(p // 2, dtype=np.complex128)
    most, large = float(waves.r @ waves.top), float(waves.size @ waves.top)
    z = np.arange(1, p // 2 + 1)
    weight = output_weights(p, z)
    factor = 1 / weight  # ν/p, as in `output_waves`
    for block in blocks_of(i.size, BLOCK // p):
        U = circuit.U[i[block]]
        turned = waves.r[block] * np.exp(1j * np.outer(m, waves.phi[block]))
        sums += turned.real @ U + 1j * (turned.imag @ U)
        u = np.fft.rfft(U, axis=1)[:, 1:] * factor
        modulus = np.abs(u)
        tau += root[block] @ modulus
        with np.errstate(divide="ignore", invalid="ignore"):
            kappa += root[block] @ np.where(modulus > 0, u * u / modulus, 0)
    # a transform over c gives T_m[z] at z and the conjugate of T_{−m}[z] at −z
    sums = np.fft.fft(sums, axis=1)
    off = 4 * gamma(2 * i.size + 2 * p + 8 * HARMONICS + 64) * most * p * factor
    norms = np.sqrt((moduli**2).sum(axis=0))[:, None]
    up, down = (norms * (np.abs(sums[:, at]) * factor + off) for at in (z, -z))
    T_0 = sums[0, z] * factor
    return Rest(
        key=k,
        up=up,
        down=down,
        mean=h[:, 0].real,
        T_0=T_0,
        lost=norms[0] * off + float(np.linalg.norm(moduli[:, 0] - np.abs(h[:, 0]))) * np.abs(T_0),
        second=np.sqrt(0.5 * tau * (tau + np.abs(kappa))) * (1 + 1e-9) * np.sqrt(weight),
        E=root,
        rounding=gamma(8 * (i.size + 2 * p) + 64) * p * large * p,
        moduli=moduli * np.where(m == 0, 1, 2),
        sums=sums,
        tail=tail,
    )


def zero_order(rests: list[Rest], z: IntArray, p: int) -> FloatArray:
    """Return bounds on the first sums of some groups together, at each z over all inputs and logits.

    By Parseval over b, harmonics of different ``mk mod p`` are orthogonal; those of one are added up, but for m = 0,
    where all groups meet: ``Σ_d |Σ_γ ĥ_{γ,0}(d) T_{γ,0}[z]|²`` is evaluated.
    """
    waves = np.zeros((p, z.size))
    means, sums = np.stack([one.mean for one in rests]), np.stack([one.T_0[z - 1] for one in rests])
    square = np.einsum("gz,gh,hz->z", sums.conj(), means @ means.T, sums).real
    size = np.linalg.norm(means, axis=1) @ np.abs(sums)
    waves[0] = np.sqrt(np.maximum(square, 0) + gamma(8 * p + 8 * len(rests)) * size**2)
    waves[0] += np.sum([one.lost[z - 1] for one in rests], axis=0)
    for one in rests:
        for m in range(1, one.up.shape[0]):
            waves[m * one.key % p] += one.up[m, z - 1]
            waves[-m * one.key % p] += one.down[m, z - 1]
    return np.asarray(np.linalg.norm(waves, axis=0) * np.sqrt(p * output_weights(p, z)) * (1 + 1e-9))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gram:
    """``whole`` is ``‖E D⁻¹‖²``, ``matrices`` are those of ``D V`` for W output frequencies at a time."""

    whole: float
    matrices: FloatArray


def gram(circuit: Circuit, members: IntArray, found: Rest, z: IntArray) -> Gram:
    """Return the Gram matrices of a group at frequencies z."""
    p, spans = circuit.p, -(-z.size // TOGETHER)
    matrices, whole = np.zeros((spans, 2 * TOGETHER, 2 * TOGETHER)), 0.0
    if not z.size:
        return Gram(whole=whole, matrices=matrices)
    scale = 1 / np.sqrt(output_weights(p, z))
    for block in blocks_of(members.size, BLOCK // p):
        V = np.zeros((block.stop - block.start, 2, spans * TOGETHER))
        u = np.fft.rfft(circuit.U[members[block]], axis=1)[:, z] * scale
        V[:, 0, : z.size], V[:, 1, : z.size] = u.real, u.imag
        size, E = np.sqrt((V**2).sum(axis=(1, 2))), found.E[block]
        alive = (size > 0) & (E > 0)
        V[~alive] = 0
        V[alive] *= np.sqrt(E[alive] / size[alive])[:, None, None]
        whole += float(E[alive] @ size[alive])
        # rows of V: both parts of one span beside each other
        split = V.reshape(-1, 2, spans, TOGETHER).transpose(2, 0, 1, 3).reshape(spans, -1, 2 * TOGETHER)
        matrices += np.matmul(split.transpose(0, 2, 1), split)
    return Gram(whole=whole, matrices=matrices)


def left(rests: list[Rest], grams: list[Gram], z: IntArray, p: int) -> float:
    """Return the bound on what some groups together give the frequencies z, over all inputs and logits."""
    if not z.size or not rests:
        return 0.0
    matrices = np.sum([one.matrices for one in grams], axis=0)
    trace = np.trace(matrices, axis1=1, axis2=2)
    together = sum(one.whole for one in grams) * (np.linalg.eigvalsh(matrices)[:, -1] + 1e-9 * trace)
    alone = np.sum([one.second[z - 1] for one in rests], axis=0) ** 2
    second = np.minimum(together, np.add.reduceat(alone, np.arange(0, z.size, TOGETHER))).sum()
    first = np.linalg.norm(zero_order(rests, z, p))
    return float((first + np.sqrt(second)) * (1 + 1e-9)) + sum(one.rounding for one in rests)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Peaks:
    """Bounds on single logits of a group's part that is not evaluated: ``of_class (p,)``, ``of_a``, ``of_b (p,)``."""

    of_class: FloatArray
    of_a: FloatArray
    of_b: FloatArray

    @property
    def most(self) -> float:
        """The bound on every logit."""
        return float(self.of_class.max() + self.of_a.max() + self.of_b.max())


def peaks(circuit: Circuit, waves: GroupWaves, found: Rest, kept: BoolArray) -> Peaks:
    """Return how large a single logit of what is left can be; ``kept (p//2,)`` says what is evaluated."""
    p, i = circuit.p, waves.group.members
    if kept.all():
        return Peaks(of_class=np.zeros(p), of_a=np.zeros(p), of_b=np.zeros(p))
    away = np.concatenate([[0], 1 + np.flatnonzero(kept)])
    most = np.empty(i.size)
    for block in blocks_of(i.size, BLOCK // p):
        rows = circuit.U[i[block]]
        spectrum = np.fft.rfft(rows, axis=1)
        spectrum[:, away] = 0
        left = np.fft.irfft(spectrum, p, axis=1)
        most[block] = np.abs(left).max(axis=1) + 4 * gamma(4 * p) * np.abs(rows).max(axis=1)
    spectrum = found.sums.copy()
    spectrum[:, away] = 0
    spectrum[:, -away] = 0
    largest = np.abs(np.fft.ifft(spectrum, axis=1)).max(axis=1)
    largest = largest + 8 * gamma(2 * i.size + 4 * p + 8 * HARMONICS) * float(waves.r @ most)
    largest = largest + 8 * gamma(4 * p) * float(np.abs(found.sums).max())
    of_a, of_b = widest(circuit, waves, most)
    return Peaks(of_class=found.moduli @ largest + found.tail * float(waves.r @ most), of_a=of_a, of_b=of_b)
