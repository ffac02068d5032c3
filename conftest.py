"""For every pytest session in this clone: the project's own suites and tests need no other set-up."""

from __future__ import annotations

pytest_plugins = ["pytester"]
