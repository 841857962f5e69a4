"""The zones of ``arcs`` in compiled loops, for large circuits."""

from quadlens.arrays import FloatArray
from quadlens.certificates.arcs import Zones
from quadlens.certificates.compiled import kernel


@kernel()
def zones_of_curves(
    twice: FloatArray, B: FloatArray, grid: int, thresholds: FloatArray, start: int, stop: int, zone: Zones
) -> None:
    """Write how many thresholds lie below ``A[c + g s] + B[c]`` to ``zone (p, G)``, rows ``s = start … stop − 1``.

    ``twice`` is A, twice round.
    """
    for s in range(start, stop):
        for c in range(B.size):
            zone[s, c] = 0
        for number in range(thresholds.size):
            for c in range(B.size):
                zone[s, c] += thresholds[number] < twice[c + grid * s] + B[c]
