"""Fixtures that several test modules share."""

import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.database import InMemoryExampleDatabase

# The tests speak about the installed package; what lies beside it (benchmarks) is found last.
sys.path.append(str(Path(__file__).resolve().parent.parent))

# No test fails because the machine is slow or busy, or the folder that it runs in cannot be written.
_STORED = {} if os.access(os.curdir, os.W_OK) else {"database": InMemoryExampleDatabase()}
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow], **_STORED)
settings.load_profile("any machine")

# A shell starts what it puts into the background with Ctrl-C ignored, and every child would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

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
