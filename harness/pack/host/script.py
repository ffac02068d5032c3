"""A script of the user's in the environment of packed cells: benchmarks that need a version and a GPU."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .machine import gpus
from .unpack import Pack, PackError
from .worker_process import place_job, variables


def run_script(pack: Pack, cells: Sequence[str], command: Sequence[str], gpu: str | None) -> int:
    """Run ``SCRIPT JOB.json ... ARGUMENTS`` with the Python, packages and libraries of *cells*.

    :param cells: all of one version; each gives one ``job.json``, beside its inputs, in this order
    :param command: the script and its own arguments
    :return: exit status of the script
    :raises PackError: the cells are of several versions, or there is no such script or GPU
    """
    jobs = [pack.document["jobs"][cell] for cell in cells]
    (site, *others) = dict.fromkeys(job["site"] for job in jobs)
    if others:
        raise PackError("--script: the cells of --only are of several versions: " + ", ".join(cells))
    script = Path(command[0]).absolute()
    if not script.is_file():
        raise PackError(f"--script {command[0]}: no such file")
    found = gpus(gpu)
    device = found[0]["uuid"] if found else None
    code = pack.root / "code"
    environment = variables(pack.python.parent.parent, code, pack.site(site), pack.document["sites"][site])
    if device is not None:
        environment["CUDA_VISIBLE_DEVICES"] = device
    with tempfile.TemporaryDirectory(dir=str(pack.root), prefix="script-") as scratch:
        paths = []
        for number, job in enumerate(jobs):
            folder = Path(scratch) / str(number)
            folder.mkdir()
            document = dict(job["document"], device=device if job["wants_gpu"] else None)
            paths.append(str(place_job(folder, document, pack.site(job["inputs"]))))
        line = [str(pack.python), str(script), *paths, *command[1:]]
        return subprocess.run(line, env=environment, check=False).returncode
