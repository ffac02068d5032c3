"""View models of the HTML page and the Markdown summary.

It may import analysis, observations and what lies below; nothing is measured here.
"""
