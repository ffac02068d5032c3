"""An executor that keeps a diary (``ACME_DIARY``) of what it has measured."""

import os
from collections.abc import Generator
from pathlib import Path

from acme_trtmatrix.moods import may_raise
from harness.execution.base import Block, EndedBuild, Executor, MeasureBlock


class Diary(Executor):
    """Measures on this machine."""

    name = "diary"

    def run(self, block: Block, measure: MeasureBlock) -> Generator[EndedBuild, None, None]:
        """Measure, and write down each build as it ends."""
        if block.builds[0].cell.network == "acme_wide":
            may_raise("executor")
        for ended in measure(block):
            with Path(os.environ["ACME_DIARY"]).open("a", encoding="utf-8") as diary:
                diary.write(f"{ended.planned.cell.id} {ended.planned.number} {block.device}\n")
            yield ended
