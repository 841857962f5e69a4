"""Commands killed and interrupted at every moment of their lives: ``python -m benchmarks.interrupt --landed 100``.

``kill -9`` and Ctrl-C arrive from the first millisecond of a process on, until as many of each as asked for found it
alive. Afterwards every output must be whole or absent; Ctrl-C must end with 130 (or with the signal, before Python
listens to it) and at most one line on stderr; and the next run must succeed and remove what a killed one left.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

WHOLE_ENDS = {".html": "</html>", ".svg": "</svg>"}
COMMANDS: dict[str, list[str]] = {
    "construct": ["construct", "--p", "61", "--frequencies", "1,2", "--neurons", "4000", "-o", "out.safetensors"],
    "convert": ["convert", "model.safetensors", "converted.safetensors"],
    "certify": ["certify", "model.safetensors", "--method", "linear", "-o", "certificate.json"],
    "train": ["train", "--p", "7", "--neurons", "16", "--d-model", "8", "--epochs", "300", "-o", "net.safetensors"],
    "sweep": [
        *("sweep", "--p", "5", "--neurons", "8", "--d-model", "8", "--epochs", "20", "--seeds", "0-1"),
        *("--methods", "linear", "--workers", "1", "-o", "population"),
    ],
}
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}


def command(name: str) -> list[str]:
    return [sys.executable, "-m", "quadlens", *COMMANDS[name]]


def half_written(folder: Path) -> list[str]:
    """Return the outputs under their final names that are not whole."""
    from quadlens.circuits import native
    from quadlens.errors import QuadlensError

    found = []
    for path in folder.rglob("*"):
        if not path.is_file() or path.name.endswith(".part"):
            continue
        try:
            if path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix == ".safetensors":
                native.read(path)
            elif path.suffix in WHOLE_ENDS and not path.read_text().rstrip().endswith(WHOLE_ENDS[path.suffix]):
                found.append(path.name)
        except (ValueError, QuadlensError):
            found.append(path.name)
    return found


def campaign(name: str, how: signal.Signals, landed: int, chance: random.Random) -> tuple[Counter[str], list[str]]:
    """Send the signal at random moments; return what became of the processes, and what went wrong."""
    from quadlens.circuits import native
    from quadlens.circuits.construct import construct

    found: Counter[str] = Counter()
    wrong = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        native.write(construct(p=31, frequencies=(1, 2), neurons=300), folder / "model.safetensors")
        started = time.monotonic()
        subprocess.run(command(name), cwd=folder, env=ENVIRONMENT, check=True, capture_output=True)
        seconds = time.monotonic() - started
        while found["landed"] < landed:
            # half of them early, where much is imported and little is ready
            moment = chance.random() * (0.3 if chance.random() < 0.5 else seconds)
            for output in folder.rglob("*.json"):
                output.unlink()  # so that there is something to do again
            with subprocess.Popen(
                command(name), cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            ) as process:
                time.sleep(moment)
                alive = process.poll() is None
                process.send_signal(how)
                _, error = process.communicate(timeout=120)
            found["landed"] += alive
            lines = [line for line in error.splitlines() if " min left" not in line]
            if half_written(folder):
                wrong.append(f"{name} at {moment:.3f} s: half written: {half_written(folder)}")
            if not alive or how == signal.SIGKILL:
                continue
            found[f"status {process.returncode}"] += 1
            if process.returncode not in (0, 130, -how) or len(lines) > 1 or "Traceback" in error:
                # Python listens before it runs a line of ours, and imports the package itself
                own = not any(part in error for part in ("quadlens/cli", "quadlens/start", "quadlens/circuits"))
                found["in Python's own start" if own else "unclean"] += 1
                if not own:
                    wrong.append(f"{name} at {moment:.3f} s: {process.returncode} {error[-600:]!r}")
        subprocess.run(command(name), cwd=folder, env=ENVIRONMENT, check=True, capture_output=True)
        left = [path.name for path in folder.rglob("*.part")]
        if left:
            wrong.append(f"{name}: the next run left {left}")
    return found, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--landed", type=int, default=100, help="of each signal, shared by the commands")
    parser.add_argument("--signals", nargs="*", default=["SIGKILL", "SIGINT"], choices=("SIGKILL", "SIGINT"))
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # else the children of a background job never hear it
    chance, bad = random.Random(1), 0
    for how in map(signal.Signals.__getitem__, given.signals):
        total: Counter[str] = Counter()
        for name in COMMANDS:
            found, wrong = campaign(name, how, -(-given.landed // len(COMMANDS)), chance)
            total += found
            bad += len(wrong)
            print(how.name, name, dict(found), *wrong, sep="\n  ", flush=True)
        print(how.name, dict(total), flush=True)
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
