"""The process begins here: what goes wrong before a command runs, or while Python ends, is one line too.

Nothing is imported that Python has not imported already, so that Ctrl-C is taken care of before anything else is:
what ``signal`` and ``typing`` import takes longer than Python's own start.
"""

import _signal as signal  # type: ignore[import-not-found]
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

INTERRUPTED = "quadlens: interrupted; nothing half-written is left behind\n"


def _leave(number: int, frame: "FrameType | None") -> "NoReturn":
    """End at once: nothing has been begun yet, or everything is done."""
    try:
        os.write(2, INTERRUPTED.encode())
    finally:
        os._exit(130)


def main() -> "NoReturn":
    """Run the command line in a process of its own, and exit."""
    # a shell starts what it puts into the background with Ctrl-C ignored: that stays
    heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heard:
        signal.signal(signal.SIGINT, _leave)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    if sys.stdout is None:
        # its number would be given to the next file that is opened
        sys.stderr.write("quadlens: standard output is closed; send it to /dev/null to do without it\n")
        raise SystemExit(2)
    if not sys.warnoptions:
        import warnings

        warnings.simplefilter("ignore")  # a library's warning is no line of ours; python -W shows them

    from quadlens.cli import main as run

    if heard:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        run()
    finally:
        if heard:
            signal.signal(signal.SIGINT, _leave)
