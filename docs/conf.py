"""The site of the docs, made by Sphinx of the pages as they are: ``tox -e docs``."""

from importlib.metadata import version as version_of
from pathlib import Path

project = "trtmatrix"
copyright = "the trtmatrix maintainers, Apache-2.0"
version = release = version_of("trtmatrix")

extensions = ["myst_parser", "sphinx_external_toc"]
root_doc = "README"
exclude_patterns = ["conf.py", "_toc.yml", "_theme"]

# Headings of every depth can be linked to, by the names that GitHub gives them.
myst_heading_anchors = 4
myst_enable_extensions = ["strikethrough"]
# A link that leads nowhere is a warning, and warnings end the build (-W).
nitpicky = True

html_theme = "furo"
html_title = "trtmatrix"
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
# The site needs nothing of the net, and its front page is the index of all pages.
html_additional_pages = {"index": "to-readme.html"}
templates_path = ["_theme"]

# What the theme leaves out, and axe-core finds: the level of headings in the navigation, names of its two
# sides, and boxes that scroll and cannot be reached by keyboard.
READABLE = (
    ('role="heading"', 'role="heading" aria-level="2"'),
    ('<aside class="sidebar-drawer">', '<aside class="sidebar-drawer" aria-label="Pages">'),
    ('<aside class="toc-drawer', '<aside aria-label="On this page" class="toc-drawer'),
    ("<pre>", '<pre tabindex="0">'),
    ('<div class="table-wrapper', '<div tabindex="0" class="table-wrapper'),
)


def _readable(app, error):
    for page in Path(app.outdir).rglob("*.html") if error is None else ():
        text = page.read_text(encoding="utf-8")
        for plain, better in READABLE:
            # Pages that are not written again hold it already.
            text = text.replace(better, plain).replace(plain, better)
        page.write_text(text, encoding="utf-8")


def setup(app):
    """Register with Sphinx."""
    app.connect("build-finished", _readable)
