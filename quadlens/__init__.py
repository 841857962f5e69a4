"""quadlens: see a trained network's MLP as a quadrature rule, and prove what follows.

The names below are imported when first used, so that ``import quadlens`` costs nothing and works before torch is
imported.
"""

import sys

TYPE_CHECKING = False  # typing's own takes as long to import as Python to start, and Ctrl-C is not heard meanwhile
if TYPE_CHECKING:
    from typing import Any

if sys.platform == "win32":
    raise ImportError("quadlens runs on Linux and macOS: it locks and renames files as POSIX does; on Windows use WSL")

__version__ = "0.2.0.dev0"

_HOMES = {
    "Circuit": "quadlens.circuits.circuit",
    "Weights": "quadlens.circuits.weights",
    "Product": "quadlens.circuits.weights",
    "QuadlensError": "quadlens.errors",
    "bundled": "quadlens.circuits.bundled",
    "certify": "quadlens.certificates.certify",
    "circuit_from_weights": "quadlens.circuits.weights",
    "construct": "quadlens.circuits.construct",
    "decompose": "quadlens.decomposition.ladder",
    "evaluate": "quadlens.circuits.forward",
    "fit": "quadlens.form.amplitude_phase",
    "from_module": "quadlens.circuits.from_module",
    "from_state_dict": "quadlens.circuits.in_memory",
    "from_tensors": "quadlens.circuits.from_tensors",
    "identities": "quadlens.identities",
    "load": "quadlens.circuits.load",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> "Any":
    if name not in _HOMES:
        raise AttributeError(f"module 'quadlens' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
