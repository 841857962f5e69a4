"""A progress bar for whatever takes longer than two seconds, drawn on stderr where that is a terminal."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from quadlens.cli.show import is_quiet

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE_SECONDS = 2.0


LONG_SECONDS = 20.0


def announce(what: str, seconds: float) -> None:
    """Say beforehand on stderr how long something takes, if that is long; ``seconds`` is an estimate."""
    if is_quiet() or seconds < LONG_SECONDS:
        return
    import click

    shown = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
    click.echo(f"{what} takes about {shown} (estimated)", err=True)


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[float], None]]:
    """Yield a function that takes the fraction done, in [0, 1]; what ends within two seconds shows nothing.

    Work that reports no fraction gets a bar that only says that it goes on.
    """
    if is_quiet() or not sys.stderr.isatty():
        yield lambda fraction: None
        return
    bar = _Bar(label)
    timer = threading.Timer(PATIENCE_SECONDS, bar.draw)
    timer.daemon = True
    timer.start()
    try:
        yield bar.report
    finally:
        timer.cancel()
        bar.stop()


class _Bar:
    """A bar that a timer draws, and whose fraction another thread reports; once stopped it is never drawn."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.fraction: float | None = None
        self.stopped = False
        self.drawn: Progress | None = None
        self.lock = threading.Lock()

    def draw(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        with self.lock:
            if self.stopped:
                return
            self.drawn = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TextColumn("time left"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            total = None if self.fraction is None else 1.0
            task = self.drawn.add_task(self.label, total=total)
            self.drawn.update(task, completed=self.fraction or 0.0)
            self.drawn.start()

    def report(self, fraction: float) -> None:
        with self.lock:
            self.fraction = min(max(fraction, 0.0), 1.0)
            if self.drawn is not None:
                self.drawn.update(self.drawn.task_ids[0], total=1.0, completed=self.fraction)

    def stop(self) -> None:
        with self.lock:
            self.stopped = True
            if self.drawn is not None:
                self.drawn.stop()
