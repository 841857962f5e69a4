"""Fixtures that several test modules share."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of other projects' checkpoints, which lies beside this repository and never in it."""
    if not (SHARED / "checkpoints").is_dir():
        pytest.skip("needs ../shared/checkpoints: other projects' trained networks are not part of this repository")
    return SHARED
