"""Short nights of the CPU runtimes, one after the other: alarms, open changes, and false alarms.

    python benchmarks/twelve_nights.py --out DIR
    python benchmarks/twelve_nights.py --out DIR --nights 24 --change 0 --busy ""

The first are twelve, with a change from the eighth on and other work on the machine in the third and tenth;
in the second nothing changes. From the night of the change on one version computes one op of MobileNet v2
eight more times (``slower_version.py``); in a busy night other processes take every CPU. Expected is one new
alarm, in the night of the change, of that version, whose layers are the repeated ones; afterwards it is open.
Exit status 1 says that it was not so. Nights are kept under DIR; ``--resume`` leaves those that are there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
VERSION, NETWORK, LAYER = "1.32.0", "mobilenet_v2", "expanded_conv_2/depthwise"
KEEP = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
BURN = "while True: pass"


def main() -> int:
    """Measure the nights, print a row for each, and say whether they told what they should."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--matrix", type=Path, default=HERE / "twelve_nights.toml")
    parser.add_argument("--nights", type=int, default=12)
    parser.add_argument("--change", type=int, default=8, metavar="NIGHT", help="0: none")
    parser.add_argument("--busy", default="3,10", metavar="NIGHTS")
    parser.add_argument("--resume", action="store_true", help="leave the nights that are there")
    arguments = parser.parse_args()
    busy = {int(word) for word in arguments.busy.split(",") if word}
    arguments.out.mkdir(parents=True, exist_ok=arguments.resume)
    print("| night | busy | changed | seconds | new alarms | open |\n|---|---|---|---|---|---|")
    wrong = []
    for night in range(1, arguments.nights + 1):
        changed = bool(arguments.change) and night >= arguments.change
        told = one_night(arguments, night, changed=changed, busy=night in busy)
        new = [f"{alarm['verdict']}: {alarm['bottleneck']} of {alarm['cell']}" for alarm in told["alarms"]]
        still = [alarm["cell"] for alarm in told["open"]]
        row = [night, "yes" if night in busy else "", "yes" if changed else "", told["seconds"]]
        print("|", " | ".join(map(str, [*row, "; ".join(new), "; ".join(still)])), "|", flush=True)
        wrong += problems(
            told, is_first=night == arguments.change, after=changed and night > arguments.change
        )
    page(arguments.out)
    for line in wrong:
        print(f"not as expected: {line}")
    return 1 if wrong else 0


def problems(told: Mapping[str, Any], *, is_first: bool, after: bool) -> Iterator[str]:
    """Yield in words what a night told that it should not have, or did not tell."""
    mine = [one for one in told["alarms"] if NETWORK in one["cell"] and one["version"] == VERSION]
    others = len(told["alarms"]) - len(mine)
    if others or (mine and not is_first):
        yield f"night {told['night']}: {told['title']}"
    if is_first and not mine:
        yield f"night {told['night']}: the change was not told"
    if is_first and mine and not any(layer.startswith(LAYER) for layer in mine[0]["layers"]):
        yield f"night {told['night']}: layers {', '.join(mine[0]['layers']) or 'none'}"
    if after and not any(NETWORK in one["cell"] for one in told["open"]):
        yield f"night {told['night']}: the change is not open"


def one_night(arguments: argparse.Namespace, night: int, *, changed: bool, busy: bool) -> dict[str, Any]:
    """Measure one night and return its message; of one that is there already the message that it sent."""
    run, message = arguments.out / f"night-{night}", arguments.out / f"message-{night}.json"
    if message.exists():
        return {**json.loads(message.read_text(encoding="utf-8")), "night": night, "seconds": ""}
    words = ["run", str(arguments.matrix), "--out", str(run), "--history", str(arguments.out / "history")]
    words += ["--resume"] if run.exists() else []
    keep = f"{sys.executable} -c '{KEEP.replace(chr(39), chr(34))}' {message}"
    command = [sys.executable, str(HERE / "slower_version.py"), *words, "--notify-command", keep]
    environment = {**os.environ, "SLOWER_VERSION": VERSION if changed else ""}
    began = time.monotonic()
    with others(os.cpu_count() or 1 if busy else 0), (arguments.out / f"night-{night}.log").open("w") as log:
        done = subprocess.run(command, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False)
    if not message.exists():
        raise SystemExit(f"night {night} ended with {done.returncode} and sent no message: see {log.name}")
    took = round(time.monotonic() - began)
    return {**json.loads(message.read_text(encoding="utf-8")), "night": night, "seconds": took}


@contextmanager
def others(count: int) -> Iterator[Sequence[subprocess.Popen[bytes]]]:
    """Let *count* processes do nothing but take a CPU each."""
    running = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(count)]
    try:
        yield running
    finally:
        for process in running:
            process.kill()
            process.wait()


def page(folder: Path) -> None:
    """Write the page of the nights."""
    words = ["trends", str(folder / "history"), "-o", str(folder / "trends.html")]
    subprocess.run([sys.executable, "-m", "harness.cli", *words], check=True)


if __name__ == "__main__":
    sys.exit(main())
