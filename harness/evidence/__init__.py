"""Readers of what runtimes and their tools print and export, named after the tool.

It imports errors and nothing else of the harness: one file in, one record out.
"""
