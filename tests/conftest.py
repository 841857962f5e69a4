"""Fixtures that several test modules share."""

import sys
from pathlib import Path

import pytest

# The tests speak about the installed package; what lies beside it (benchmarks) is found last.
sys.path.append(str(Path(__file__).resolve().parent.parent))

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of other projects' checkpoints, which lies beside this repository and never in it."""
    if not (SHARED / "checkpoints").is_dir():
        pytest.skip("needs ../shared/checkpoints: other projects' trained networks are not part of this repository")
    return SHARED


@pytest.fixture(scope="session")
def model_a(shared: Path):
    """Return another project's trained network, the one whose values design.md quotes."""
    import quadlens as ql

    return ql.load(shared / "checkpoints" / "pizza" / "model_p99zdpze5l.pt")
