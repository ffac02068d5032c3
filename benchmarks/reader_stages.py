"""Where the time of reading a builder log goes: its stages, each timed alone.

Run: ``python benchmarks/reader_stages.py [--megabytes 4] [--repeat 8]``. The log is that of
``benchmarks/readers.py``; times are processor seconds of one core, the best of a few.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from readers import compose

from harness.cli.parse import json_text
from harness.evidence.prefixes import Prefixes
from harness.evidence.reader import read_file
from harness.evidence.record import RecordSink
from harness.evidence.source import Source
from harness.evidence.tactic_blocks import TacticBlocks
from harness.evidence.textlog import TextLog

T = TypeVar("T")
LINE_END = b"\n"


class Stages:
    """The best time of each stage, in processor seconds."""

    def __init__(self) -> None:
        self.best: dict[str, float] = {}

    def time(self, name: str, action: Callable[[], T]) -> T:
        """Run one stage and keep its time if it is the best so far."""
        start = time.process_time()
        result = action()
        self.best[name] = min(self.best.get(name, float("inf")), time.process_time() - start)
        return result


def once(path: Path, stages: Stages) -> str:
    """Time every stage once; return what the parts of the log are."""
    with path.open("rb") as stream:
        texts = stages.time("bytes of the file", lambda: list(Source(stream).texts()))
    text = b"".join([part + LINE_END for part in texts])
    finder = TacticBlocks(Prefixes())
    parts = stages.time("blocks found and cut up", lambda: list(finder.walk(text) or ()))
    expression = next(shape[0] for shape in finder._shapes.values() if shape is not None)
    stages.time("their expression alone", lambda: sum(1 for _ in expression.finditer(text)))
    blocks = [(part, part.text.count(b"\n")) for part in parts if not isinstance(part, bytes)]
    search = TextLog(RecordSink()).search
    stages.time("blocks taken", lambda: [search.block(block, 1, count) for block, count in blocks])
    record = stages.time("the record in all", lambda: read_file(path))
    stages.time("its JSON", lambda: sum(map(len, record.json_pieces())))
    stages.time("--json in all", lambda: sum(map(len, json_text([str(path)]))))
    taken = sum(count for _, count in blocks)
    return f"{len(blocks)} blocks of {taken} lines, {text.count(LINE_END) - taken} other lines"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=4)
    parser.add_argument("--repeat", type=int, default=8)
    args = parser.parse_args()
    stages = Stages()
    gc.disable()  # as the command does
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "build.log"
        compose(path, args.megabytes)
        size = path.stat().st_size / 1e6
        for _ in range(args.repeat):
            said = once(path, stages)
    print(f"{size:.1f} MB: {said}")
    for name, seconds in stages.best.items():
        print(f"{name}: {seconds * 1000:.0f} ms, {size / seconds:.0f} MB/s")


if __name__ == "__main__":
    main()
