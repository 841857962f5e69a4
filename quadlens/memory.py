"""What this process may hold in memory, asked before it is taken: one that takes more is killed without a word."""

import os
import resource
from pathlib import Path

from quadlens.errors import OptionError

GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


def physical_bytes() -> int | None:
    """Return how much memory this process can have, or None where the system does not say.

    The least of the machine's memory, the limits of the control groups that a container or a batch system puts it in,
    and its own limits.
    """
    found = [limit for limit in (_machine(), *_of_process(), *_of_groups()) if limit is not None]
    return min(found, default=None)


def _machine() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _of_process() -> list[int]:
    limits = [resource.getrlimit(which)[0] for which in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    return [limit for limit in limits if limit != resource.RLIM_INFINITY]


def _of_groups() -> list[int]:
    """Return the memory limits of the process's control groups, of version 2 and of version 1, and of those above."""
    try:
        lines = OWN_GROUPS.read_text().splitlines()
    except (OSError, ValueError):
        return []
    found = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers not in ("", "memory") and "memory" not in controllers.split(","):
            continue
        root, name = (GROUPS / "memory", "memory.limit_in_bytes") if controllers else (GROUPS, "memory.max")
        group = root / path.strip("/")
        # in a container the path is that of the host, and the container's own group lies at the root
        for folder in {root, group, *(parent for parent in group.parents if parent.is_relative_to(root))}:
            try:
                text = (folder / name).read_text().strip()
            except (OSError, ValueError):
                continue
            found += [int(text)] if text.isdecimal() else []  # otherwise "max"
    return found


def require_memory(needed: int, what: str) -> None:
    """Refuse what this process cannot hold; ``what`` says in words what needs the bytes.

    Raises
    ------
    OptionError
        If more is needed than there is.
    """
    there = physical_bytes()
    if there is not None and needed > there:
        # whole numbers: a size of thousands of digits is no float
        sizes = f"{-(-needed // 2**30)} GiB of memory, there are {there // 2**30} GiB"
        raise OptionError(f"{what} needs {sizes}")
