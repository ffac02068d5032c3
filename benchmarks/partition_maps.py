"""Small maps of TF-TRT's partitions, made on a machine without a GPU and held against those of one.

    trtmatrix pack suites/tftrt.toml -o tftrt ...          # as docs/how-to/offline-gpu-host.md says
    cat tftrt/trtmatrix-pack.part* | tar -x
    trtmatrix-pack/start.sh --results R --rounds 1 --only '*-fp32-b1-clip-tftrt-*' --only '*-placed_gpu-*'
    python benchmarks/partition_maps.py R tests/data/runtimes/tftrt/partitions.json

Each of these builds ends `unsupported`, with its partition: a TRTEngineOp runs on a GPU only.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def small_map(partition: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many nodes each segment has, of which ops and data formats, and what stayed outside."""
    return {
        "segments": [
            {"nodes": len(one["nodes"]), "ops": dict(sorted(Counter(map(_kind, one["nodes"])).items()))}
            for one in partition["segments"]
        ],
        "outside": dict(sorted(Counter(map(_kind, partition["outside"])).items())),
    }


def _kind(node: Mapping[str, Any]) -> str:
    return node["op"] + (f" {node['data_format']}" if node["data_format"] else "")


def maps_of(results: Path) -> dict[str, Any]:
    """Return cell to its small map, of all builds below the folder *results*."""
    found = {}
    for path in sorted(results.rglob("evidence/partition.json")):
        cell = path.parents[2].name
        found[cell] = small_map(json.loads(path.read_text(encoding="utf-8")))
    return found


def main(words: Sequence[str] | None = None) -> None:
    """Write the maps."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("results", type=Path, help="folder of results")
    parser.add_argument("target", type=Path, help="JSON file to write")
    asked = parser.parse_args(words)
    asked.target.write_text(json.dumps(maps_of(asked.results), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
