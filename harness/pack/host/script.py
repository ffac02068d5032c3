"""A script of the user's in the environment of packed cells: benchmarks that need a version and a GPU."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .machine import host_facts
from .unpack import Pack, PackError
from .worker_process import place_job, variables


def run_script(pack: Pack, cells: Sequence[str], command: Sequence[str], gpu: str | None) -> int:
    """Run ``SCRIPT JOB.json ... ARGUMENTS`` with the Python, packages and libraries of *cells*.

    :param cells: all of one version; each gives one ``job.json``, beside its inputs, in this order
    :param command: the script and its own arguments
    :return: exit status of the script
    :raises PackError: the cells are of several versions, or there is no such script
    """
    jobs = [pack.document["jobs"][cell] for cell in cells]
    (site, *others) = dict.fromkeys(job["site"] for job in jobs)
    if others:
        raise PackError("--script: the cells of --only are of several versions: " + ", ".join(cells))
    script = Path(command[0]).absolute()
    if not script.is_file():
        raise PackError(f"--script {command[0]}: no such file")
    gpus = host_facts(gpu)["gpus"]
    if gpu is not None and not gpus:
        raise PackError(f"--gpu {gpu}: there is no such GPU here; nvidia-smi -L lists them")
    code = pack.root / "code"
    environment = variables(pack.python.parent.parent, code, pack.site(site), pack.document["sites"][site])
    if gpus:
        environment["CUDA_VISIBLE_DEVICES"] = gpus[0]["uuid"]
    with tempfile.TemporaryDirectory(dir=str(pack.root), prefix="script-") as scratch:
        paths = []
        for number, job in enumerate(jobs):
            folder = Path(scratch) / str(number)
            folder.mkdir()
            device = gpus[0]["uuid"] if gpus and job["wants_gpu"] else None
            document = dict(job["document"], device=device)
            paths.append(str(place_job(folder, document, pack.site(job["inputs"]))))
        line = [str(pack.python), str(script), *paths, *command[1:]]
        return subprocess.run(line, env=environment, check=False).returncode
