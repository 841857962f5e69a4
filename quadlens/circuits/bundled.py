"""The trained networks that come with the package, each with how it was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from quadlens.circuits.circuit import Circuit
from quadlens.circuits.native import read, read_provenance
from quadlens.errors import CheckpointError

FOLDER = Path(__file__).parent / "models"
DEFAULT = "p59-seed0"


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledNetwork:
    """One bundled network: what it is and how it was made; ``sha256`` is that of its weights, as in certificates."""

    name: str
    p: int
    neurons: int
    activation: str
    accuracy: float
    command: str
    sha256: str
    provenance: Mapping[str, str]


def bundled_names() -> tuple[str, ...]:
    """Return the names of the bundled networks, the default one first."""
    names = sorted(path.stem for path in FOLDER.glob("*.safetensors"))
    return tuple(sorted(names, key=lambda name: (name != DEFAULT, int(name[1:].split("-")[0]), name)))


def bundled_path(name: str | None = None) -> Path:
    """Return the file of the network called ``name``, by default the default one.

    Raises
    ------
    CheckpointError
        If no bundled network has that name.
    """
    names = bundled_names()
    wanted = DEFAULT if name is None else name
    if wanted not in names:
        raise CheckpointError(f"no bundled network is called {wanted!r}; there are {', '.join(names)}")
    return FOLDER / f"{wanted}.safetensors"


def bundled(name: str | None = None) -> Circuit:
    """Return the circuit of a bundled network.

    >>> bundled().p
    59
    """
    return read(bundled_path(name))


@cache
def bundled_networks() -> tuple[BundledNetwork, ...]:
    """Describe every bundled network."""
    networks = []
    for name in bundled_names():
        path = bundled_path(name)
        circuit, provenance = read(path), read_provenance(path)
        networks.append(
            BundledNetwork(
                name=name,
                p=circuit.p,
                neurons=circuit.neurons,
                activation=circuit.activation,
                accuracy=float(provenance["accuracy"]),
                command=provenance["command"],
                sha256=provenance["sha256"],
                provenance=MappingProxyType(provenance),
            )
        )
    return tuple(networks)
