"""What has to hold before a version can run in a container: one check each, with reason and remedy."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime

import docker.errors

from harness.environments import gpus
from harness.environments.base import Check
from harness.environments.compute_capability import capability_reason
from harness.environments.docker.engine import Engine
from harness.environments.docker.errors import ENGINE_ERRORS, explain_pull, registry_of
from harness.environments.docker.gpu_access import REMEDY, gpu_access, offer_of
from harness.environments.docker.images import disk_problem
from harness.environments.docker.posture import user_ids
from harness.environments.docker.recipes import Choice, Image
from harness.environments.docker.settings import DockerSettings
from harness.environments.docker.transfer import brought_name
from harness.environments.needs import RuntimeNeeds
from harness.environments.pythons import find_python
from harness.versions import parse

# A registry that does not answer by then is not reachable, as far as planning a run goes.
REGISTRY_SECONDS = 4.0
_CONSUMER = re.compile(r"GeForce|TITAN|Quadro|RTX", re.IGNORECASE)


def docker_checks(
    engine: Engine,
    choice: Choice,
    runtime: RuntimeNeeds,
    version: str,
    settings: DockerSettings,
    *,
    registry: bool,
    host: gpus.Host | None = None,
) -> list[Check]:
    """Look at everything *version* needs on *engine*.

    :param registry: whether a registry is asked for images that are not here
    :param host: driver and GPUs, those of this machine by default
    """
    here = host if host is not None else gpus.host()
    checks = [_engine(engine), _files(engine)]
    if choice.recipe.gpu == "required":
        checks.append(_gpu(here))
        # Without a GPU nothing is said of ways to it: the missing GPU is the one thing to see to.
        checks += [_gpu_access(engine, here)] if here.gpus else []
    if choice.image is not None:
        checks += gpu_checks(choice.image, here)
    checks += _image(engine, choice, runtime, version, settings, registry=registry)
    return checks


def gpu_checks(image: Image, here: gpus.Host) -> list[Check]:
    """Compare driver and GPUs with what *image* needs; nothing where either is unknown."""
    found = []
    if here.driver and image.driver:
        found.append(_driver(image, here))
    for gpu in here.gpus[:1]:
        problem = capability_reason(image.tensorrt, gpu.compute_capability)
        found.append(
            Check(
                "compute capability",
                "unsupported" if problem else "ok",
                problem or f"{gpu.name} has compute capability {gpu.compute_capability}",
                "run this version on an older or newer GPU" if problem else "",
            )
        )
    return found


def driver_problem(driver: str, image: Image, *, data_centre: bool) -> str:
    """Return why *driver* is too old for *image*, empty where it is not.

    Older branches of the table are enough on data-centre GPUs, by CUDA's forward compatibility.
    """
    have, need = parse(driver), parse(image.driver)
    if have is None or need is None or have >= need:
        return ""
    if data_centre:
        for branch in image.datacenter_branches.split():
            lowest = parse(branch.rstrip("+"))
            if lowest is not None and have.major == lowest.major and have >= lowest:
                return ""
    older = f" (or a branch of {image.datacenter_branches} on a data-centre GPU)"
    return f"driver {driver} is older than {image.driver}" + (older if image.datacenter_branches else "")


def _driver(image: Image, here: gpus.Host) -> Check:
    data_centre = bool(here.gpus) and not any(_CONSUMER.search(gpu.name) for gpu in here.gpus)
    problem = driver_problem(here.driver, image, data_centre=data_centre)
    if problem:
        # A newer driver can be installed, so this is no trait of the machine.
        return Check(
            "driver", "unavailable", f"{image.name}: {problem}", f"install driver {image.driver} or newer"
        )
    return Check("driver", "ok", f"driver {here.driver}, {image.driver} or newer is needed")


def _engine(engine: Engine) -> Check:
    facts = engine.facts
    return Check("engine", "ok", f"{facts.name} {facts.version} at {engine.endpoint.origin}")


def _files(engine: Engine) -> Check:
    if engine.endpoint.is_local:
        return Check("files", "ok", "the engine runs on this machine")
    return Check(
        "files",
        "unavailable",
        f"the engine at {engine.endpoint.url} is on another machine and cannot mount folders of this one",
        "run trtmatrix on that machine, or unset DOCKER_HOST",
    )


def _gpu_access(engine: Engine, here: gpus.Host) -> Check:
    access, problem = gpu_access(offer_of(engine, user_ids(engine.facts)[0]), here.gpus[0].uuid)
    if access is not None:
        return Check("gpu access", "ok", f"{here.gpus[0].name} comes into a container {access.said}")
    return Check("gpu access", "unavailable", problem, REMEDY)


def _gpu(here: gpus.Host) -> Check:
    if here.gpus:
        return Check("gpu", "ok", ", ".join(gpu.name for gpu in here.gpus))
    return Check(
        "gpu",
        "unavailable",
        "this machine has no usable NVIDIA GPU",
        "run on a host with an NVIDIA GPU and its driver",
    )


def _image(
    engine: Engine,
    choice: Choice,
    runtime: RuntimeNeeds,
    version: str,
    settings: DockerSettings,
    *,
    registry: bool,
) -> list[Check]:
    brought = brought_name(choice.recipe.name, runtime.name, version)
    if choice.image is None and _is_here(engine, brought):
        return [Check("image", "ok", f"{brought} is here")]
    name = choice.image.name if choice.image is not None else settings.base or choice.recipe.base
    if not name:
        return [_own_base(runtime, version)]
    if _is_here(engine, name):
        return [Check("image", "ok", f"{name} is here")]
    size = choice.recipe.size_gb
    if choice.image is not None and choice.image.size_gb is not None:
        size = choice.image.size_gb
    problem = disk_problem(engine, name, size)
    disk = Check(
        "disk", "unavailable" if problem else "ok", problem or "enough disk", "free some disk" * bool(problem)
    )
    if not registry:
        return [Check("image", "ok", f"{name} will be pulled, about {size:g} GB"), disk]
    problem = _registry_problem(engine, name, choice.recipe.login)
    if problem:
        return [Check("image", "unavailable", problem, f"docker pull {name}"), disk]
    return [Check("image", "ok", f"{name} can be pulled, about {size:g} GB"), disk]


def _own_base(runtime: RuntimeNeeds, version: str) -> Check:
    interpreter = find_python(runtime.pythons(version.partition("+")[0]))
    if interpreter is None:
        return Check(
            "image",
            "unsupported",
            f"no Python here has wheels of {runtime.name} {version}",
            "install such a Python, or name a base image in TRTMATRIX_DOCKER_BASE",
        )
    return Check("image", "ok", f"made from Python {interpreter.full} of this machine")


def _is_here(engine: Engine, name: str) -> bool:
    try:
        engine.client.images.get(name)
    except docker.errors.ImageNotFound:
        return False
    return True


def _registry_problem(engine: Engine, name: str, login: str) -> str:
    """Ask the registry for *name* through the engine; one that was unreachable is not asked again."""
    silent = _silent_registries.setdefault(id(engine), {})
    registry = registry_of(name)
    if registry in silent:
        return silent[registry].replace("{image}", name)
    pool = ThreadPoolExecutor(max_workers=1)
    try:
        pool.submit(engine.client.api.inspect_distribution, name).result(timeout=REGISTRY_SECONDS)
    except NotInTime:
        silent[registry] = f"{registry} did not answer within {REGISTRY_SECONDS:g} s, asked for {{image}}"
        return silent[registry].replace("{image}", name)
    except ENGINE_ERRORS as error:
        said = explain_pull(error, name, login)
        if "cannot be reached" in said:
            silent[registry] = said.replace(name, "{image}")
        return said
    finally:
        pool.shutdown(wait=False)
    return ""


_silent_registries: dict[int, dict[str, str]] = {}
