"""The summary of a step of GitHub Actions: written where ``$GITHUB_STEP_SUMMARY`` names its file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.analysis.run_analysis import RunAnalysis

VARIABLE = "GITHUB_STEP_SUMMARY"


def append_summary(analysis: Callable[[], RunAnalysis]) -> None:
    """Append the Markdown summary to the file of the step, where there is one; a failure is only said.

    :param analysis: makes what is summed up, called only where it is asked for
    """
    name = os.environ.get(VARIABLE)
    if not name:
        return
    from harness.report.markdown import LIMIT, summary

    path = Path(name)
    try:
        # All that a step writes shares one limit: what others wrote is left as it is.
        room = LIMIT - (path.stat().st_size if path.exists() else 0)
        text = summary(analysis(), max(room, 0))
        with path.open("a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
    except OSError as error:
        print(f"trtmatrix: {VARIABLE}: {name}: {error.strerror or error}", file=sys.stderr)
