"""How the documentation is built: ``sphinx-build -W docs docs/_build``."""

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "mpnet"
author = "the mpnet authors"
copyright = author
release = version = installed("mpnet")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
    "generated",
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "_ext"]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_typehints = "none"  # the docstrings give shapes and units, which types do not
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"mpnet {release}"
copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True

# Two classes are called Explanation: what a node predicts by noisy OR, and why a belief is held.
suppress_warnings = ["ref.python"]
