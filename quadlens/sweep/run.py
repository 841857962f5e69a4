"""Running a population on any ``concurrent.futures.Executor``: submit, as_completed, nothing else."""

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quadlens.errors import DependencyError, OptionError
from quadlens.files import make_folder
from quadlens.sweep.item import SweepItem
from quadlens.sweep.result_file import accepted, read_result
from quadlens.sweep.worker import THREAD_VARIABLES, run_item, start_worker
from quadlens.untrusted_text import one_line

MOST_RESTARTS = 3
"""How often in a row a pool that lost a worker is started again without one result in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An item that gave no result, and why, in one line."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepOutcome:
    """What a sweep did: result files in the items' order, how many of them were there before, and what failed.

    ``set_aside`` has a sentence for each file in the folder that was not what its name says.
    """

    results: tuple[Path, ...]
    reused: int
    failures: tuple[Failure, ...]
    set_aside: tuple[str, ...] = ()


def run_sweep(
    items: Sequence[SweepItem],
    folder: str | os.PathLike[str],
    executor: Executor,
    *,
    progress: Callable[[float], None] | None = None,
    on_item: Callable[[str, int, int, int], None] | None = None,
) -> SweepOutcome:
    """Make every missing result with ``executor``; a failing item never stops the others.

    Parameters
    ----------
    items : the population; items that are equal are run once
    folder : seen by every worker under the same path
    executor : whose ``submit`` runs a module-level function elsewhere
    progress : called with the fraction of items done
    on_item : called with an item's name, how many items are done, how many there are, and how many this run has done
    """
    root = make_folder(folder).resolve()
    unique = {item.name: item for item in items}
    notes: list[str] = []
    todo = {name: item for name, item in unique.items() if not _has_result(item, root, notes)}
    futures: dict[Future[Any], str] = {}
    failures: dict[str, BaseException] = {}
    for name, item in todo.items():
        try:
            futures[executor.submit(run_item, item.to_dict(), str(root))] = name
        except Exception as error:  # a scheduler that is gone says so here, in its own words
            failures[name] = error
    done = len(unique) - len(todo) + len(failures)
    for future in as_completed(futures):
        name = futures[future]
        try:
            notes += future.result() or ()
        except (Exception, CancelledError) as error:
            failures[name] = error
        done += 1
        if on_item is not None:
            on_item(name, done, len(unique), done - len(unique) + len(todo))
        if progress is not None:
            progress(done / len(unique))
    there = {name: name not in todo or _has_result(item, root, notes) for name, item in unique.items()}
    return SweepOutcome(
        results=tuple(item.result_file(root) for name, item in unique.items() if there[name]),
        reused=len(unique) - len(todo),
        failures=tuple(Failure(name=name, reason=_reason(failures.get(name))) for name in unique if not there[name]),
        set_aside=tuple(notes),
    )


def _has_result(item: SweepItem, root: Path, notes: list[str]) -> bool:
    file = item.result_file(root)
    return accepted(file, lambda: read_result(file), notes)


def run_locally(
    items: Sequence[SweepItem],
    folder: str | os.PathLike[str],
    *,
    workers: int | None = None,
    progress: Callable[[float], None] | None = None,
    on_item: Callable[[str, int, int, int], None] | None = None,
) -> SweepOutcome:
    """Run a sweep on processes of this machine; a killed worker's items are run again.

    A process pool that loses a worker gives up all its work, so a new pool takes over what is missing, as long as
    every pool finishes something (or up to three times in a row without).
    """
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    count = available if workers is None else workers
    if count < 1:
        raise OptionError(f"workers must be >= 1, got {count}")
    restarts, results, reused = 0, -1, None
    notes: list[str] = []
    while True:
        with _pool(min(count, max(1, len(items)))) as pool:
            outcome = run_sweep(items, folder, pool, progress=progress, on_item=on_item)
        reused = outcome.reused if reused is None else reused
        notes += outcome.set_aside
        broken = any(failure.reason.startswith(BrokenProcessPool.__name__) for failure in outcome.failures)
        restarts = 0 if len(outcome.results) > results else restarts + 1
        results = len(outcome.results)
        if not broken or restarts >= MOST_RESTARTS:
            return SweepOutcome(
                results=outcome.results, reused=reused, failures=outcome.failures, set_aside=tuple(notes)
            )


@contextlib.contextmanager
def _pool(workers: int) -> Iterator[Executor]:
    # a library's threads are counted when it is imported, which in a spawned process is before any initializer runs
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    others = set(multiprocessing.active_children())
    try:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context, initializer=start_worker) as pool:
            try:
                yield pool
            except BaseException:
                # the pool would wait for what its workers are doing: minutes, after Ctrl-C; what they did is resumed
                pool.shutdown(wait=False, cancel_futures=True)
                for worker in set(multiprocessing.active_children()) - others:
                    worker.kill()
                raise
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def dask_executor(address: str) -> Iterator[Executor]:
    """Yield an executor on an existing Dask cluster.

    Raises
    ------
    DependencyError
        If Dask's scheduler library is not installed.
    OptionError
        If no scheduler answers at the address.
    """
    try:
        from distributed import Client
    except ImportError:
        raise DependencyError("--dask needs Dask: python -m pip install 'quadlens[dask]'") from None
    make_client: Any = Client  # Dask has no types
    try:
        client = make_client(address, timeout=20, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise OptionError(f"no Dask scheduler answers at {address!r}: {str(error) or type(error).__name__}") from None
    with client:
        yield client.get_executor(pure=False)


def _reason(error: BaseException | None) -> str:
    if error is None:
        return "its worker said it was done, and its result file is not there: do all workers see the same folder?"
    return one_line(" ".join(f"{type(error).__name__}: {error}".split()), 400)
