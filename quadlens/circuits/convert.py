"""Converting a circuit, read from whatever family, to a native file that is known to read back the same."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from quadlens import __version__
from quadlens.circuits import native
from quadlens.circuits.circuit import TABLES, Circuit
from quadlens.circuits.limits import Budget, Limits
from quadlens.errors import OutputError
from quadlens.files import write_atomically
from quadlens.untrusted_text import one_line


def convert(
    circuit: Circuit,
    path: str | os.PathLike[str],
    *,
    original: str | os.PathLike[str] | None = None,
    measured: Mapping[str, str] | None = None,
) -> str:
    """Write ``circuit`` to ``path`` as a native file, and return the file's sha256.

    The content is read back before it is written: every table, its rounding radius and the activation are then the
    same.

    Parameters
    ----------
    original : the file that the circuit was read from; its name and sha256 go into the provenance
    measured : what was measured of the circuit (accuracy, margin), for the provenance

    Raises
    ------
    OutputError
        If the file cannot be written, or would not read back the same.
    """
    native.require_own_name(path)
    provenance = {"converted_by": f"quadlens {__version__}", **(measured or {})}
    if original is not None:
        provenance["original"] = ascii(Path(original).name)[1:-1]
        provenance["original_sha256"] = hashlib.sha256(Path(original).read_bytes()).hexdigest()
    content = native.encode(circuit, provenance=provenance)
    # as large as it is, it was just written from memory
    budget = Budget(where=one_line(path), limits=Limits(max_bytes=2**62))
    again = native.from_bytes(content, str(path), budget)
    same = (again.p, again.activation, again.family) == (circuit.p, circuit.activation, circuit.family)
    for name in TABLES:
        same = same and np.array_equal(getattr(again, name), getattr(circuit, name))
        same = same and again.radius[name] == circuit.radius[name]
    if not same:
        raise OutputError(f"cannot write {path}: the file would not read back the same; report this as a bug")
    write_atomically(path, content)
    return hashlib.sha256(content).hexdigest()
