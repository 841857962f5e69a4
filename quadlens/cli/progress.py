"""A progress bar for whatever takes longer than two seconds, drawn on stderr where that is a terminal."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE_SECONDS = 2.0


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[float], None]]:
    """Yield a function that takes the fraction done, in [0, 1]; it draws nothing in the first two seconds."""
    started = time.monotonic()
    bar: Progress | None = None

    def report(fraction: float) -> None:
        nonlocal bar
        if bar is None:
            if time.monotonic() - started < PATIENCE_SECONDS or not sys.stderr.isatty():
                return
            bar = _draw(label)
        bar.update(bar.task_ids[0], completed=min(max(fraction, 0.0), 1.0))

    try:
        yield report
    finally:
        if bar is not None:
            bar.stop()


def _draw(label: str) -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    bar.add_task(label, total=1.0)
    bar.start()
    return bar
