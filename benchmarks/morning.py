"""The morning after a changed night as a new user has it, from a wheel in a fresh environment on.

    python benchmarks/morning.py --out DIR

The commands are those of README.md, docs/tutorial/nights.md and docs/how-to/nightly.md, with the script of
the last. Installed is the wheel of this tree with the extras ``history`` and ``notify``; ``trtmatrix`` is
then ``slower_version.py`` on that installation, so that a night can be changed. Told are nights,
one in which one version computes an op more often, the message (apprise's ``json://`` to a listener here),
the page, ``judge``, ``accept`` and the next night, which has to be quiet. Printed is a row a step: its
seconds, and what was seen. Exit status 1 says that a step was not as expected. Nothing else should run
meanwhile: ``judge`` holds the changed night against earlier ones, and where these scatter widely it cannot
tell a version that takes twice the time. With another call and the same DIR it goes on where it was ended.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
VERSION, NETWORK, LAYER, TIMES = "1.32.0", "mobilenet_v2", "expanded_conv_2/depthwise", "24"
SCRIPT = re.compile(r"^```sh\n(#!/bin/sh\n.*?)^```", re.M | re.S)


def main() -> int:
    """Have the morning, and return 1 where a step of it was not as expected."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--nights", type=int, default=5, help="before the changed one (5)")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with Listener() as listener:
        morning, last = Morning(arguments.out.resolve(), listener), arguments.nights
        print("| step | seconds | seen | as expected |\n|---|---|---|---|")
        morning.step("a wheel", morning.wheel)
        morning.step("install", morning.install)
        for number in range(1, last + 1):
            morning.step(f"night {number}", morning.quiet)
        morning.step("a changed night", morning.changed)
        morning.step("the page", lambda: morning.page(last, 1))
        morning.step("judge", morning.judged)
        morning.step("accept", morning.accepted)
        morning.step("the next night, as slow", lambda: morning.quiet(SLOWER_VERSION=VERSION))
        morning.step("the page after it", lambda: morning.page(last, 2))
    return 1 if morning.wrong else 0


class Listener:
    """Takes what is posted to it, as a server of messages would."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        messages = self.messages

        class Taking(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"]))
                messages.append(json.loads(text))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing of it."""

        self._server = HTTPServer(("127.0.0.1", 0), Taking)

    @property
    def url(self) -> str:
        """What ``TRTMATRIX_NOTIFY`` is set to."""
        return f"json://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Listener:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


Seen = tuple[str, bool]
"""What a step saw, and whether that was as expected."""


class Morning:
    """The steps, each printed when it is over. :ivar wrong: whether one was not as expected"""

    def __init__(self, place: Path, listener: Listener) -> None:
        self.place, self.listener = place, listener
        self.wrong = False
        self._kept = place / "steps.json"
        self._done: dict[str, dict[str, Any]] = (
            json.loads(self._kept.read_text("utf-8")) if self._kept.exists() else {}
        )
        # Nothing of the environment that this script runs in reaches the new one.
        kept = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")}
        bins = f"{place / 'bin'}:{place / '.venv/bin'}"
        self.environment: dict[str, str] = {
            **kept,
            "PATH": f"{bins}:{os.environ['PATH']}",
            "TRTMATRIX_NOTIFY": listener.url,
            "SLOWER_TIMES": TIMES,
        }

    def step(self, name: str, do: Callable[[], Seen]) -> None:
        """Do what *name* stands for, unless an earlier call has, and print its row."""
        if name not in self._done:
            began = time.monotonic()
            seen, fine = do()
            self._done[name] = {"seconds": time.monotonic() - began, "seen": seen, "fine": fine}
            self._kept.write_text(json.dumps(self._done, indent=1), "utf-8")
        row = self._done[name]
        said = "yes" if row["fine"] else "**no**"
        print(f"| {name} | {row['seconds']:.0f} | {row['seen']} | {said} |", flush=True)
        self.wrong = self.wrong or not row["fine"]

    def call(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the new user's folder; what it says is kept in ``said.log`` too."""
        environment: Mapping[str, str] = {**self.environment, **more}
        done = subprocess.run(
            words, cwd=self.place, env=environment, capture_output=True, text=True, check=False
        )
        with (self.place / "said.log").open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(words)}\n{done.stdout}{done.stderr}[{done.returncode}]\n")
        return done

    def wheel(self) -> Seen:
        """Make the wheel, and write what a user would save."""
        self.call(sys.executable, "-m", "venv", ".venv")
        self.call(".venv/bin/pip", "wheel", "-q", "--no-deps", "-w", "wheels", str(ROOT))
        (self.place / "bin").mkdir(exist_ok=True)
        command, python = self.place / "bin/trtmatrix", self.place / ".venv/bin/python"
        command.write_text(f'#!/bin/sh\nexec {python} {ROOT}/benchmarks/slower_version.py "$@"\n', "utf-8")
        command.chmod(0o755)
        script = SCRIPT.findall((ROOT / "docs/how-to/nightly.md").read_text("utf-8"))[0]
        (self.place / "night.sh").write_text(script, "utf-8")
        matrix = (ROOT / "benchmarks/twelve_nights.toml").read_text("utf-8")
        # A quiet night says nothing here.
        (self.place / "nightly.toml").write_text(matrix.replace('notify = "always"\n', ""), "utf-8")
        found = [path.name for path in (self.place / "wheels").glob("trtmatrix-*.whl")]
        return ", ".join(found) or "none", len(found) == 1

    def install(self) -> Seen:
        """Install the wheel where nothing is."""
        wheel = next((self.place / "wheels").glob("trtmatrix-*.whl"))
        wanted = f"trtmatrix[history,notify] @ {wheel.as_uri()}"
        done = self.call(".venv/bin/pip", "install", "-q", "-c", str(ROOT / "constraints.txt"), wanted)
        where = self.call(".venv/bin/python", "-c", "import harness; print(harness.__file__)").stdout
        version = self.call(".venv/bin/trtmatrix", "--version").stdout.strip()
        fine = done.returncode == 0 and where.startswith(str(self.place)) and version.startswith("trtmatrix")
        return version or done.stderr.strip()[-200:], fine

    def night(self, **more: str) -> tuple[subprocess.CompletedProcess[str], list[dict[str, Any]], str]:
        """Call the script, and return how it ended, the messages that it sent, and both in a line."""
        before = len(self.listener.messages)
        done = self.call("sh", "night.sh", "nightly.toml", **more)
        messages = self.listener.messages[before:]
        return done, messages, "; ".join([f"exit status {done.returncode}", *(x["title"] for x in messages)])

    def quiet(self, **more: str) -> Seen:
        """Have a night that has to be quiet."""
        done, messages, seen = self.night(**more)
        return seen, done.returncode == 0 and not messages

    def changed(self) -> Seen:
        """Have a night in which one version is slower."""
        done, messages, seen = self.night(SLOWER_VERSION=VERSION)
        told = [f"{one['title']}\n{one['message']}" for one in messages]
        fine = done.returncode == 1 and len(told) == 1
        return seen, fine and all(word in told[0] for word in (NETWORK, VERSION, LAYER))

    def run(self) -> str:
        """Return the folder of the changed night: the one whose alarm the history has."""
        listed = self.nights()
        alarms = [one["night"] for one in listed if one["alarms"]]
        known = {
            json.loads(path.read_text("utf-8"))["run"]: path.parent
            for path in self.place.glob("runs/*/manifest.json")
        }
        return str(known[alarms[0]].relative_to(self.place)) if alarms else "no night with an alarm"

    def nights(self) -> list[dict[str, Any]]:
        """Return the nights that the history lists."""
        listed = self.call("trtmatrix", "history", "list", "--history", "history", "--json").stdout
        found: list[dict[str, Any]] = json.loads(listed) if listed else []
        return found

    def page(self, quiet: int, more: int) -> Seen:
        """Look at the page of *quiet* nights and *more*, the first of which alone has an alarm."""
        found = self.nights()
        alarms = [number for number, one in enumerate(found) if one["alarms"]]
        path = self.place / "trends.html"
        text = path.read_text("utf-8") if path.exists() else ""
        reports = [f"trends-nights/{found[number]['night']}.html" for number in alarms]
        fine = len(found) == quiet + more and alarms == [quiet]
        fine = fine and all(f'href="{one}"' in text and (self.place / one).is_file() for one in reports)
        raised = ", ".join(found[number]["night"] for number in alarms) or "none"
        return f"{len(found)} nights, alarms in {raised}, {len(text) / 1e6:.1f} MB", fine

    def judged(self) -> Seen:
        """Ask what changed since the nights before: that version of that network, to the worse."""
        judged = self.call("trtmatrix", "judge", self.run(), "--history", "history", "--json")
        verdicts = json.loads(judged.stdout)["verdicts"] if judged.stdout else []
        own = [
            one
            for one in verdicts
            if one["bottleneck"] == "latency" and f"{NETWORK}-" in one["cell"] and VERSION in one["cell"]
        ]
        seen = "; ".join(f"{one['verdict']}: {one['reason']}" for one in own) or "nothing of that version"
        return seen, [one["verdict"] for one in own] == ["regressed"]

    def accepted(self) -> Seen:
        """Take what changed as it is."""
        reason = "the new release, and we want it"
        done = self.call("trtmatrix", "accept", self.run(), "--history", "history", "--reason", reason)
        path = self.place / "trtmatrix-accepted.toml"
        text = path.read_text("utf-8") if path.exists() else ""
        return f"{text.count(reason)} changes in {path.name}", done.returncode == 0 and reason in text


if __name__ == "__main__":
    sys.exit(main())
