"""Bundles on disk: documents, files that are whole or absent, facts of the machine.

It may import matrix and errors.
"""
