"""An executor that keeps a diary of what it has measured, in ``acme-diary.txt`` or in ``ACME_DIARY``."""

import os
from collections.abc import Generator
from pathlib import Path

from harness.execution.base import Block, EndedBuild, Executor, MeasureBlock


class Diary(Executor):
    """Measures on this machine."""

    name = "diary"

    def run(self, block: Block, measure: MeasureBlock) -> Generator[EndedBuild, None, None]:
        """Measure, and write down each build as it ends."""
        for ended in measure(block):
            with Path(os.environ.get("ACME_DIARY", "acme-diary.txt")).open("a", encoding="utf-8") as diary:
                diary.write(f"{ended.planned.cell.id} {ended.planned.number} {block.device}\n")
            yield ended
