"""How the manual is built: Sphinx with Markdown, no network, no theme to install."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import appliance

project = "MusicConnect"
author = "the MusicConnect authors"
release = version = appliance.__version__
extensions = ["myst_parser"]
exclude_patterns = ["_build", "images"]
myst_heading_anchors = 4
# Fenced examples are highlighted as far as they can be; an ASCII drawing is text.
highlight_language = "text"
html_theme = "alabaster"
html_theme_options = {"description": "A music platform that a collective owns.", "page_width": "1080px"}
html_copy_source = False
