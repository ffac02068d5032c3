"""What the tests run of each room, from coverage's JSON report: statements and branches.

    coverage run -m pytest; coverage combine; coverage json; python benchmarks/room_coverage.py coverage.json

Exits 1 if in one of four rooms less than 95 % of the branches, or of statements and branches together, ran.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

HELD = ("analysis", "store", "execution", "observations")
LEAST = 95.0  # %
COUNTS = ("covered_lines", "num_statements", "covered_branches", "num_branches")


def main(report: Path) -> int:
    """Print the table and return the exit status."""
    rooms = counted(json.loads(report.read_text(encoding="utf-8")))
    print("room                 statements  branches  both")
    short = []
    for room, counts in sorted(rooms.items()):
        lines, branches = counts["covered_lines"], counts["covered_branches"]
        shares = (
            _share(lines, counts["num_statements"]),
            _share(branches, counts["num_branches"]),
            _share(lines + branches, counts["num_statements"] + counts["num_branches"]),
        )
        held = room in HELD
        print(f"{room:20} {shares[0]:9.1f}%  {shares[1]:7.1f}%  {shares[2]:5.1f}%{'  *' if held else ''}")
        if held and min(shares[1:]) < LEAST:
            short.append(room)
    print(f"* at least {LEAST:g} % of the branches" + (f": not so in {', '.join(short)}" if short else ""))
    return 1 if short or not set(HELD) <= set(rooms) else 0


def counted(report: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Return the counts of each room, added up over its modules."""
    rooms: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTS, 0))
    for path, entry in report["files"].items():
        parts = Path(path).parts
        within = parts[parts.index("harness") + 1 :]
        room = within[0] if len(within) > 1 else "(top)"
        for name in COUNTS:
            rooms[room][name] += entry["summary"][name]
    return dict(rooms)


def _share(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 100.0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
