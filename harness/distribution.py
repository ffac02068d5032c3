"""This distribution: its version, and the marker with which its own parts and plugins implement its hooks."""

from __future__ import annotations

import pluggy

__version__ = "0.9.0"

hookimpl = pluggy.HookimplMarker("trtmatrix")
"""Marks an implementation of a hook of :mod:`harness.plugins.hookspecs`."""
