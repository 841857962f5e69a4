"""Configuration of the documentation: ``python -m sphinx -W -b html docs docs/_build/html``. Needs no network."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_ext"))

from quadlens import __version__  # noqa: E402

project = "quadlens"
author = "the quadlens authors"
project_copyright = author
release = version = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "drawn_mathematics",
    "command_help",
    "plain_docstrings",
    "stored_identities",
    "executed_scripts",
    "shown_output",
]
shown_output_pages = ["tour"]
exclude_patterns = ["_build", "_ext", "conf.py"]

myst_enable_extensions = ["dollarmath", "amsmath", "deflist", "fieldlist"]
myst_heading_anchors = 3
html_math_renderer = "drawn"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_param = False

html_theme = "furo"
html_title = f"quadlens {version}"
html_static_path = ["_static"]
html_css_files = ["quadlens.css"]
html_show_sphinx = False
html_copy_source = False
