"""What this machine's memory can hold, asked before it is taken: a process that takes more is killed without a word."""

import os

from quadlens.errors import OptionError


def physical_bytes() -> int | None:
    """Return the size of this machine's memory, or None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def require_memory(needed: int, what: str) -> None:
    """Refuse what this machine cannot hold; ``what`` says in words what needs the bytes.

    Raises
    ------
    OptionError
        If more is needed than there is.
    """
    there = physical_bytes()
    if there is not None and needed > there:
        sizes = f"{needed / 2**30:,.0f} GiB of memory, this machine has {there / 2**30:,.0f} GiB"
        raise OptionError(f"{what} needs {sizes}")
