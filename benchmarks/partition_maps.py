"""Small maps of TF-TRT's partitions, made on a machine without a GPU and held against those of one.

    trtmatrix run suites/tftrt_partitions.toml --out PARTITIONS
    python benchmarks/partition_maps.py PARTITIONS

Each of these builds ends `unsupported`, with its partition: a TRTEngineOp runs on a GPU only. The maps go
into ``tests/data/runtimes/tftrt/partitions.json``, their table into ``docs/reference/tftrt-partitions.md``. A
folder of a pack's results is read as well.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.store.documents.partition import OutsideNode, Partition, PartitionNode, read_partition

ROOT = Path(__file__).resolve().parents[1]
MAPS = ROOT / "tests/data/runtimes/tftrt/partitions.json"
PAGE = ROOT / "docs/reference/tftrt-partitions.md"
HEAD = """\
# What TF-TRT cuts out of each network

Made by `trtmatrix run suites/tftrt_partitions.toml --out PARTITIONS` and
`python benchmarks/partition_maps.py PARTITIONS` on a machine without a GPU. TensorFlow 1.15.0 has a stub of
TensorRT that tells its version and nothing else: it cuts graphs, and no engine of it was ever run by us.
A test holds the maps to what a GPU cut, where both exist. `placed_gpu`: nodes carry `/gpu:0`. 1.15 turns
images to NCHW wherever a GPU is, 2.12 to 2.14 only where nodes are placed on it and TF32 is off: since then
the segment of a graph that names no device stays NHWC.
"""
COLUMNS = ("cell", "segments", "nodes in them", "of these constants", "images lie", "outside")


def small_map(partition: Partition) -> dict[str, Any]:
    """Return how many nodes each segment has, of which ops and data formats, and what stayed outside."""
    return {
        "segments": [{"nodes": len(one.nodes), "ops": _counts(one.nodes)} for one in partition.segments],
        "outside": _counts(partition.outside),
    }


def _counts(nodes: Sequence[PartitionNode | OutsideNode]) -> dict[str, int]:
    kinds = (node.op + (f" {node.data_format}" if node.data_format else "") for node in nodes)
    return dict(sorted(Counter(kinds).items()))


def maps_of(results: Path) -> dict[str, Any]:
    """Return cell to its small map, of all builds below the folder *results*.

    :raises InputError: a partition is torn
    """
    found = {}
    for path in sorted(results.rglob("evidence/partition.json")):
        partition = read_partition(path.parent)
        assert partition is not None
        found[path.parents[2].name] = small_map(partition)
    return found


def page(maps: Mapping[str, Any]) -> str:
    """Return the table of *maps*, in Markdown."""
    lines = [
        *HEAD.splitlines(),
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
        *(f"| {' | '.join(row)} |" for row in _rows(maps)),
    ]
    return "\n".join(lines) + "\n"


def _rows(maps: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    for cell, one in sorted(maps.items()):
        segments = one["segments"]
        ops = Counter[str]()
        for segment in segments:
            ops.update(segment["ops"])
        formats = sorted({kind.split()[1] for kind in ops if " " in kind})
        yield (
            cell,
            str(len(segments)),
            " + ".join(str(segment["nodes"]) for segment in segments),
            str(ops["Const"]),
            ", ".join(formats),
            ", ".join(f"{count} {kind}" for kind, count in one["outside"].items()),
        )


def main(words: Sequence[str] | None = None) -> None:
    """Write maps and table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("results", type=Path, nargs="+", help="folders of runs, or of a pack's results")
    parser.add_argument("--maps", type=Path, default=MAPS, help="JSON file to write (%(default)s)")
    parser.add_argument("--page", type=Path, default=PAGE, help="page to write (%(default)s)")
    asked = parser.parse_args(words)
    maps = {cell: one for results in asked.results for cell, one in maps_of(results).items()}
    asked.maps.write_text(json.dumps(maps, indent=1) + "\n", encoding="utf-8")
    asked.page.write_text(page(maps), encoding="utf-8")


if __name__ == "__main__":
    main()
