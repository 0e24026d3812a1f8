"""Sphinx: the pages in this folder, and the reference that `_site` makes from the code."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "cardio"
author = "The cardio developers"
copyright = author  # noqa: A001 - Sphinx's own name
release = version_of("cardio-core")
version = ".".join(release.split(".")[:2])

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "myst_nb",
    "sphinx_copybutton",
    "sphinx_design",
    "_site",
]
exclude_patterns = ["_build", "_records", "_site", "examples", "forensics/papers.yaml"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
root_doc = "index"
default_role = "code"

nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_timeout = 900
nb_execution_raise_on_error = True
nb_merge_streams = True

myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 4
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_default_options = {"exclude-members": "__init__, model_config"}

smartquotes = False  # two hyphens are an option, not a dash

html_theme = "furo"
html_title = f"cardio {release}"
html_static_path = ["_static"]
html_css_files = ["cardio.css"]
html_show_sourcelink = False
html_copy_source = False
copybutton_exclude = ".linenos, .gp"
linkcheck_ignore = [r"https?://"]  # nothing is looked up: the build needs no network
