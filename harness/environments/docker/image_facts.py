"""What an image really holds, read inside it at first use; it wins over the catalogue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from harness.environments.base import Limits
from harness.environments.cache import cache_folder
from harness.environments.docker.engine import Engine
from harness.environments.docker.errors import ENGINE_ERRORS, text_of
from harness.environments.docker.labels import KIND, OWNER, mark_active, mark_done, owner, remove_container
from harness.environments.docker.recipes import Image
from harness.errors import BrokenPythonError
from harness.versions import parse

_SECONDS = 120

# Runs in the image's own Python, 3.5 and newer. Libraries are asked of the package manager and of variables:
# importing TensorRT needs a driver, and takes seconds.
_ASK = r"""
import json, os, platform, re, subprocess, sys, sysconfig
def dpkg():
    try:
        out = subprocess.check_output(["dpkg-query", "-W", "-f", "${Package} ${Version}\n"],
                                      stderr=subprocess.DEVNULL).decode("utf-8", "replace")
    except (OSError, subprocess.CalledProcessError):
        return {}
    rows = [line.split(" ", 1) for line in out.splitlines() if " " in line]
    ours = r"(lib)?(nvinfer|cudnn|cublas|nvonnxparsers|nvparsers|tensorrt)"
    return {n: v for n, v in rows if re.match(ours, n)}
def packages():
    try:
        from importlib import metadata
        return {d.metadata["Name"]: d.version for d in metadata.distributions() if d.metadata["Name"]}
    except ImportError:
        try:
            import pkg_resources
            return {d.project_name: d.version for d in pkg_resources.working_set}
        except ImportError:
            return {}
def release():
    try:
        with open("/etc/os-release") as stream:
            rows = [line.rstrip("\n").split("=", 1) for line in stream if "=" in line]
        return dict(rows).get("PRETTY_NAME", "").strip('"')
    except OSError:
        return ""
names = re.compile(r"(TENSORRT|TRT|NVIDIA_TENSORRT|CUDA|CUDNN|CUBLAS|NVIDIA_BUILD|TENSORFLOW|"
                   r"NVIDIA_TENSORFLOW)_(VERSION|ID)$")
found = packages()
try:
    import numpy
    found.setdefault("numpy", numpy.__version__)
except ImportError:
    pass
print("trtmatrix-facts:" + json.dumps({
    "python": platform.python_version(), "packages": found, "libraries": dpkg(), "system": release(),
    "libc": " ".join(platform.libc_ver()), "machine": platform.machine(),
    "variables": {k: v for k, v in os.environ.items() if names.match(k)}}))
"""


def read_facts(engine: Engine, image: str, python: str) -> dict[str, Any]:
    """Return the facts of the image with the id *image*, from the cache where it was asked before.

    :param python: the command that starts its Python
    :return: ``python``, ``packages``, ``libraries`` (of the package manager), ``variables``, ``system`` ...
    :raises UnavailableError: the image has no Python that runs
    """
    file = cache_folder() / "docker" / "facts" / f"{image.rpartition(':')[2]}.json"
    if file.is_file():
        known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return known
    facts = _ask(engine, image, python)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{owner().rpartition('/')[2]}.part")
    part.write_text(json.dumps(facts, indent=1), encoding="utf-8")
    part.replace(file)
    return facts


def read_python(engine: Engine, image: str, python: str) -> tuple[int, int]:
    """Return major and minor release of the Python in *image*."""
    major, minor = str(read_facts(engine, image, python)["python"]).split(".")[:2]
    return int(major), int(minor)


def _ask(engine: Engine, image: str, python: str) -> dict[str, Any]:
    container = engine.client.containers.create(
        image,
        entrypoint=[python],
        command=["-c", _ASK],
        network_mode="none",
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        user="65534:65534",
        mem_limit=Limits().memory_bytes,
        pids_limit=256,
        labels={KIND: "container", OWNER: owner()},
    )
    mark_active(str(container.id))
    try:
        container.start()
        code = int(container.wait(timeout=_SECONDS)["StatusCode"])
        said = container.logs(stdout=True, stderr=True).decode("utf-8", "replace")
    except ENGINE_ERRORS as error:
        raise BrokenPythonError(f"{python} does not run in the image: {text_of(error)}") from error
    finally:
        remove_container(engine, str(container.id))
        mark_done(str(container.id))
    for line in said.splitlines():
        if line.startswith("trtmatrix-facts:"):
            facts: dict[str, Any] = json.loads(line.partition(":")[2])
            return facts
    last = said.strip().rpartition("\n")[2]
    raise BrokenPythonError(f"{python} does not run in the image (exit status {code}): {last}")


def summary(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return the versions in *facts* under the catalogue's names, each from the surest place that has it."""
    packages = {k.lower().replace("_", "-"): v for k, v in (facts.get("packages") or {}).items()}
    variables, libraries = facts.get("variables") or {}, facts.get("libraries") or {}
    nvinfer = next((v for n, v in sorted(libraries.items()) if n.startswith("libnvinfer")), "")
    found = {
        "python": str(facts.get("python", "")),
        "tensorrt": packages.get("tensorrt", "")
        or nvinfer.partition("-")[0]
        or _of(variables, "TENSORRT", "TRT"),
        "cuda": _of(variables, "CUDA"),
        "cudnn": _of(variables, "CUDNN"),
        "tensorflow": packages.get("tensorflow", "") or packages.get("tensorflow-gpu", ""),
        "numpy": packages.get("numpy", ""),
        "pycuda": packages.get("pycuda", ""),
    }
    return {name: value for name, value in found.items() if value}


def differences(image: Image, facts: Mapping[str, Any]) -> list[str]:
    """Return where *facts* contradict the catalogue, one line each; a shorter version that agrees is none."""
    said = {"tensorrt": image.tensorrt, "cuda": image.cuda, "cudnn": image.cudnn, "python": image.python}
    found = summary(facts)
    return [
        f"{name}: the catalogue says {value}, the image holds {found[name]}"
        for name, value in said.items()
        if value and name in found and not _agree(value, found[name])
    ]


def _agree(stated: str, real: str) -> bool:
    a, b = parse(stated), parse(real.partition("-")[0])
    if a is None or b is None:
        return stated.strip() == real.strip()
    length = min(len(a.release), len(b.release))
    return a.release[:length] == b.release[:length]


def _of(variables: Mapping[str, str], *names: str) -> str:
    return next((str(variables[f"{n}_VERSION"]) for n in names if f"{n}_VERSION" in variables), "")
