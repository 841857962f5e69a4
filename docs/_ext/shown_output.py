"""On the pages of ``shown_output_pages``: below each block of commands, what they print, run when the page is built."""

import os
import shlex
import subprocess
import sys
import tempfile
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

MOST_LINES = 36
ENVIRONMENT = {"COLUMNS": "80", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}


def printed(command: str, folder: str) -> str:
    """Return what ``quadlens …`` prints, its beginning if that is long.

    Raises
    ------
    ExtensionError
        If the command fails: a page must not show what does not work.
    """
    words = shlex.split(command)
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, env=os.environ | ENVIRONMENT, capture_output=True, text=True
    )
    if done.returncode:
        raise ExtensionError(f"{command} ended with {done.returncode}: {done.stderr.strip()}")
    lines = done.stdout.rstrip().splitlines()
    return "\n".join(lines[:MOST_LINES] + (["…"] if len(lines) > MOST_LINES else []))


def add_output(app: Sphinx, doctree: nodes.document) -> None:
    """Put the output of each console block's commands below the block."""
    if app.env.docname not in app.config.shown_output_pages:
        return
    with tempfile.TemporaryDirectory() as folder:
        for block in list(doctree.findall(nodes.literal_block)):
            if block.get("language") != "console":
                continue
            commands = [line[2:] for line in block.astext().splitlines() if line.startswith("$ ")]
            text = "\n".join(filter(None, (printed(command, folder) for command in commands)))
            if text:
                shown = nodes.literal_block(text, text, language="text", classes=["printed"])
                block.parent.insert(block.parent.index(block) + 1, shown)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("shown_output_pages", [], "env")
    app.connect("doctree-read", add_output)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
