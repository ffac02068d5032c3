"""The morning after a changed night as a new user has it, from a wheel in a fresh environment on.

    python benchmarks/morning.py --out DIR
    python benchmarks/morning.py --out DIR --nights 2

The commands are those of README.md, docs/tutorial/nights.md and docs/how-to/nightly.md, with the script of
the last. Installed is the wheel of this tree with the extras ``history`` and ``notify``; ``trtmatrix`` is
then ``slower_version.py`` on that installation, so that a night can be changed. Told are nights,
one in which one version computes an op more often, the message (apprise's ``json://`` to a listener here),
the page, ``judge``, ``accept`` and the next night, which has to be quiet. Printed is a row a step: its
seconds, and what was seen. Exit status 1 says that a step was not as expected. Nothing else should run
meanwhile.
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
from collections.abc import Mapping
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
    parser.add_argument("--nights", type=int, default=3, help="before the changed one (3)")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True)
    with Listener() as listener:
        morning = Morning(arguments.out.resolve(), listener)
        print("| step | seconds | seen | as expected |\n|---|---|---|---|")
        morning.install()
        for number in range(1, arguments.nights + 1):
            morning.quiet(f"night {number}")
        run = morning.changed()
        morning.page(run, arguments.nights + 1)
        morning.judged_and_accepted(run)
        morning.quiet("the next night, as slow")
        morning.page(run, arguments.nights + 2)
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


class Morning:
    """The steps, each printed when it is over. :ivar wrong: whether one was not as expected"""

    def __init__(self, place: Path, listener: Listener) -> None:
        self.place, self.listener = place, listener
        self.wrong = False
        self.began = time.monotonic()
        # Nothing of the environment that this script runs in reaches the new one.
        kept = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")}
        bins = f"{place / 'bin'}:{place / '.venv/bin'}"
        self.environment: dict[str, str] = {
            **kept,
            "PATH": f"{bins}:{os.environ['PATH']}",
            "TRTMATRIX_NOTIFY": listener.url,
            "SLOWER_TIMES": TIMES,
        }

    def said(self, step: str, seen: str, *, fine: bool) -> None:
        """Print the row of *step*, which is over."""
        seconds = time.monotonic() - self.began
        print(f"| {step} | {seconds:.0f} | {seen} | {'yes' if fine else '**no**'} |", flush=True)
        self.wrong = self.wrong or not fine
        self.began = time.monotonic()

    def call(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the new user's folder; what it says is kept in ``said.log`` too."""
        environment: Mapping[str, str] = {**self.environment, **more}
        done = subprocess.run(
            words, cwd=self.place, env=environment, capture_output=True, text=True, check=False
        )
        with (self.place / "said.log").open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(words)}\n{done.stdout}{done.stderr}[{done.returncode}]\n")
        return done

    def install(self) -> None:
        """Make the wheel and install it where nothing is; write what a user would save."""
        pip, python = ".venv/bin/pip", str(self.place / ".venv/bin/python")
        self.call(sys.executable, "-m", "venv", ".venv")
        self.call(pip, "wheel", "-q", "--no-deps", "-w", "wheels", str(ROOT))
        wheel = next((self.place / "wheels").glob("trtmatrix-*.whl"), None)
        self.said("a wheel", "none" if wheel is None else wheel.name, fine=wheel is not None)
        wanted = f"trtmatrix[history,notify] @ {'' if wheel is None else wheel.as_uri()}"
        done = self.call(pip, "install", "-q", "-c", str(ROOT / "constraints.txt"), wanted)
        where = self.call(python, "-c", "import harness; print(harness.__file__)").stdout.strip()
        version = self.call(".venv/bin/trtmatrix", "--version").stdout.strip()
        fine = done.returncode == 0 and where.startswith(str(self.place)) and version.startswith("trtmatrix")
        self.said("install", version or done.stderr.strip()[-200:], fine=fine)
        (self.place / "bin").mkdir()
        command = self.place / "bin/trtmatrix"
        command.write_text(f'#!/bin/sh\nexec {python} {ROOT}/benchmarks/slower_version.py "$@"\n', "utf-8")
        command.chmod(0o755)
        script = SCRIPT.findall((ROOT / "docs/how-to/nightly.md").read_text("utf-8"))[0]
        (self.place / "night.sh").write_text(script, "utf-8")
        matrix = (ROOT / "benchmarks/twelve_nights.toml").read_text("utf-8")
        # A quiet night says nothing here.
        (self.place / "nightly.toml").write_text(matrix.replace('notify = "always"\n', ""), "utf-8")

    def night(self, **more: str) -> tuple[subprocess.CompletedProcess[str], list[dict[str, Any]]]:
        """Call the script, and return how it ended and the messages that it sent."""
        before = len(self.listener.messages)
        done = self.call("sh", "night.sh", "nightly.toml", **more)
        return done, self.listener.messages[before:]

    def quiet(self, step: str) -> None:
        """Have a night that has to be quiet."""
        changed = {"SLOWER_VERSION": VERSION} if (self.place / "trtmatrix-accepted.toml").exists() else {}
        done, messages = self.night(**changed)
        seen = "; ".join([f"exit status {done.returncode}", *(one["title"] for one in messages)])
        self.said(step, seen, fine=done.returncode == 0 and not messages)

    def changed(self) -> str:
        """Have a night in which one version is slower, and return its run's folder."""
        done, messages = self.night(SLOWER_VERSION=VERSION)
        told = [f"{one['title']}\n{one['message']}" for one in messages]
        fine = done.returncode == 1 and len(told) == 1
        fine = fine and all(word in told[0] for word in (NETWORK, VERSION, LAYER))
        seen = "; ".join([f"exit status {done.returncode}", *(one["title"] for one in messages)])
        self.said("a changed night", seen, fine=fine)
        return f"runs/{max(path.name for path in (self.place / 'runs').iterdir() if path.is_dir())}"

    def page(self, run: str, nights: int) -> None:
        """Look at the page of the nights and at the night's own report; :param nights: so many are there"""
        listed = self.call("trtmatrix", "history", "list", "--history", "history", "--json").stdout
        found = json.loads(listed) if listed else []
        alarms = [one["night"] for one in found if one["alarms"]]
        name = json.loads((self.place / run / "manifest.json").read_text("utf-8"))["run"]
        path = self.place / "trends.html"
        text = path.read_text("utf-8") if path.exists() else ""
        linked = f'href="trends-nights/{name}.html"' in text
        fine = len(found) == nights and alarms == [name] and linked
        fine = fine and (self.place / f"trends-nights/{name}.html").is_file()
        seen = f"{len(found)} nights, alarms in {', '.join(alarms) or 'none'}, {len(text) / 1e6:.1f} MB"
        self.said("the page", seen, fine=fine)

    def judged_and_accepted(self, run: str) -> None:
        """Ask what changed, and take it as it is."""
        judged = self.call("trtmatrix", "judge", run, "--history", "history")
        lines = [line for line in judged.stdout.splitlines() if "regressed" in line and VERSION in line]
        # Where the nights scatter widely, because other work ran meanwhile, it cannot tell.
        whole = judged.stdout.strip().rsplit("\n", 1)[-1]
        self.said("judge", f"{len(lines)} lines that say regressed; {whole}", fine=bool(lines))
        reason = "the new release, and we want it"
        done = self.call("trtmatrix", "accept", run, "--history", "history", "--reason", reason)
        path = self.place / "trtmatrix-accepted.toml"
        text = path.read_text("utf-8") if path.exists() else ""
        seen = f"{text.count(reason)} changes in {path.name}"
        self.said("accept", seen, fine=done.returncode == 0 and reason in text)


if __name__ == "__main__":
    sys.exit(main())
