"""The pass's quantities by p²n sums straight from the definitions, for any plan; and plans without sense."""

from dataclasses import dataclass

import numpy as np

import quadlens as ql
from quadlens.certificates.plan.choose import Choice
from quadlens.certificates.plan.plan import Group, Plan, quantised


@dataclass(frozen=True, kw_only=True, eq=False)
class Dense:
    """``C (|F|, p, p)``, ``R, res (p, p)`` and what ``res`` and ``R`` are made of."""

    C: np.ndarray
    R: np.ndarray
    res: np.ndarray
    rho: np.ndarray
    rho_bar: np.ndarray
    error: np.ndarray
    residual: np.ndarray
    osc: np.ndarray


def dense(circuit: ql.Circuit, plan: Plan, slope: float) -> Dense:
    """Evaluate the definitions; ``rho, rho_bar, error, residual`` (p, p, n) are ρ_i, ρ̄_i, |ε_i| and its bound."""
    p, n, F, a = circuit.p, circuit.neurons, plan.retained, abs(slope)
    omega, c = 2 * np.pi / p, np.arange(p)
    Y = np.add.outer(c, c) % p
    U_hat = np.array([(1 if 2 * z == p else 2) / p * circuit.U @ np.exp(-1j * omega * z * c) for z in F]).reshape(-1, n)
    S_hat = [
        np.array([(1 if 2 * z == p else 2) / p * table @ np.exp(-1j * omega * z * c) for z in F]).reshape(-1, p)
        for table in (circuit.S_a, circuit.S_b)
    ]
    C = S_hat[0][:, :, None] + S_hat[1][:, None, :] + 0j
    R, res = np.zeros((p, p)), np.zeros((p, p))
    rho, rho_bar, error, residual = (np.zeros((p, p, n)) for _ in range(4))
    oscillation = np.zeros(n)
    for group in plan.groups:
        total, squares, norms = np.zeros((p, p)), np.zeros((3, p, p)), np.zeros(p)
        for i in group.members:
            k, r = group.frequency, plan.amplitude[i]
            W = [curve[(plan.cell[i] + plan.grid * k * c) % plan.cells] for curve in (group.A, group.B)]
            T, D = (circuit.A[:, i], circuit.B[:, i]), (circuit.A[:, i] - r * W[0], circuit.B[:, i] - r * W[1])
            H, y = np.add.outer(W[0], W[1]), np.add.outer(T[0], T[1])
            delta = [D[0][:, None] + np.zeros((p, p)), D[1][None, :] + np.zeros((p, p))]
            on, plus = H > 0, [np.maximum(d, 0) for d in delta]
            h, g = np.where(y > 0, y, slope * y), on.astype(float)
            near = (np.abs(H) <= group.level) & plan.bounded[i]
            rho[:, :, i] = np.abs(y) * ((y > 0) != on)
            half = np.where(on, np.maximum(-delta[0], 0) + np.maximum(-delta[1], 0), plus[0] + plus[1])
            rho_bar[:, :, i] = np.where(near, half, 0)
            gated = (g + slope * (1 - g)) * y + (1 - slope) / 2 * rho_bar[:, :, i]
            mine = [F.index(z) for z in group.retained]
            C[mine] += (gated if plan.bounded[i] else h) * U_hat[mine, i][:, None, None]
            kept = np.real(sum(U_hat[F.index(z), i] * np.exp(1j * omega * z * c) for z in group.retained) + 0 * c)
            R += (1 - slope) / 2 * rho_bar[:, :, i] * np.ptp(kept)
            rest = circuit.U[i] - kept
            oscillation[i] = np.ptp(rest)
            norms += rest**2
            eta = [
                np.where(on, np.abs(d), a * np.abs(d) + np.where(near, (1 - a) * up, 0))
                for d, up in zip(delta, plus, strict=True)
            ]
            x = np.where(~on & (y > 0) & ~plan.bounded[i], (1 - a) * y, 0)
            P = np.where(H > 0, H, slope * H)
            error[:, :, i], residual[:, :, i] = np.abs(h - r * P), eta[0] + eta[1] + x
            total += residual[:, :, i] * oscillation[i]
            squares += np.array([eta[0] ** 2, eta[1] ** 2, x**2])
        norms = np.sqrt(norms)
        res += np.minimum(total, np.sqrt(squares).sum(axis=0) * (norms[Y] + norms.max()))
    return Dense(C=C, R=R, res=res, rho=rho, rho_bar=rho_bar, error=error, residual=residual, osc=oscillation)


def random_plan(rng: np.random.Generator, p: int, n: int, *, bounded: float = 0.5, grid: int = 2) -> Plan:
    """Return a plan without sense: every frequency mod p, curves of noise, some amplitudes 0, all levels 0."""
    cells = grid * p
    cell = rng.integers(0, cells, n)
    group_of = np.unique(rng.integers(0, 3, n), return_inverse=True)[1]
    retained = tuple(sorted(map(int, rng.choice(np.arange(1, p // 2 + 1), min(3, p // 2), replace=False))))
    groups = []
    for number in range(int(group_of.max()) + 1):
        members = np.flatnonzero(group_of == number)
        members = members[np.argsort(cell[members], kind="stable")]
        # rounded to whole numbers, H is often 0
        A, B = (quantised(np.round(rng.normal(size=cells), int(rng.integers(0, 4)))) for _ in range(2))
        kept = tuple(z for z in retained if rng.random() < 0.7)
        frequency = int(rng.integers(0, p))
        groups.append(Group(frequency=frequency, members=members, A=A, B=B, level=0.0, retained=kept))
    return Plan(
        p=p,
        grid=grid,
        cell=cell,
        amplitude=np.where(rng.random(n) < 0.2, 0.0, rng.random(n).astype(np.float32).astype(np.float64)),
        groups=tuple(groups),
        bounded=rng.random(n) < bounded,
        harmonics=1,
        head=1,
        retained=retained,
    )


def settled(circuit: ql.Circuit, plan: Plan) -> Choice:
    """Return the plan with levels that its bounded neurons need."""
    from dataclasses import replace

    from quadlens.certificates.plan.unsettled import level_of, levels_needed, needs

    delta = needs(circuit, plan).delta
    groups = []
    for group in plan.groups:
        needed = levels_needed(plan, group, delta)[plan.bounded[group.members]]
        groups.append(replace(group, level=level_of(needed)))
    return Choice(plan=replace(plan, groups=tuple(groups)), delta=delta)


def random_circuit(
    rng: np.random.Generator, plan: Plan, deviations: tuple[float, ...] = (0.0, 0.01, 0.3, 3.0)
) -> ql.Circuit:
    """Return a circuit that follows a plan more or less, with dead neurons, and preactivations of exactly 0."""
    p, n = plan.p, plan.cell.size
    tables = []
    scale = rng.choice(deviations, n)
    for name in ("A", "B"):
        table = np.empty((p, n))
        for group in plan.groups:
            at = plan.cell[group.members] + plan.shifts(group.frequency)[:, None]
            table[:, group.members] = plan.amplitude[group.members] * np.tile(getattr(group, name), 2)[at]
        tables.append(table + scale * np.round(rng.normal(size=(p, n)), 1))
    dead = rng.random(n) < 0.1
    A, B = (np.where(dead, 0.0, table) for table in tables)
    S_a, S_b = rng.normal(size=(2, p, p))
    return ql.Circuit(p=p, A=A, B=B, U=rng.normal(size=(n, p)), S_a=S_a, S_b=S_b)
