"""What a Docker engine answers, as one line that says what is wrong and what to do."""

from __future__ import annotations

import re
from http.client import HTTPException

import docker.errors
import requests.exceptions
import urllib3.exceptions

ENGINE_ERRORS: tuple[type[Exception], ...] = (
    docker.errors.DockerException,
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    HTTPException,
    OSError,
)
"""Everything that a call of the Docker SDK raises when engine, registry or connection fail."""

_GPU = re.compile(
    r"could not select device driver|unknown or invalid runtime name|nvidia-container|libnvidia-ml|"
    r"CDI device"
)
_LOGIN = re.compile(
    r"unauthorized|authentication required|no basic auth|access denied|denied: |401|403|pull access denied"
)
_MISSING = re.compile(r"manifest unknown|not found: manifest|manifest for .* not found|name unknown")
_UNREACHABLE = re.compile(
    r"no such host|i/o timeout|connection refused|network is unreachable|TLS handshake|"
    r"request canceled|deadline exceeded|temporary failure in name resolution|no route to host|misbehaving|"
    r"certificate|connection reset|EOF",
    re.IGNORECASE,
)
_DISK = re.compile(r"no space left on device|disk quota exceeded")
_BIND = re.compile(r"bind source path does not exist")


def engine_is_gone(error: BaseException) -> bool:
    """Say whether *error* means that no engine answers any more, rather than that it answered no."""
    if isinstance(error, docker.errors.APIError):
        return False
    return isinstance(error, ENGINE_ERRORS)


def text_of(error: BaseException) -> str:
    """Return the engine's own words as one line."""
    said = error.explanation if isinstance(error, docker.errors.APIError) else None
    words = said if isinstance(said, str) and said else str(error)
    return " ".join(words.split()) or type(error).__name__


def explain_start(error: BaseException) -> str:
    """Return why a container did not start."""
    said = text_of(error)
    if _GPU.search(said):
        return (
            f"the docker engine has no GPU runtime ({said}); install the NVIDIA Container Toolkit, run "
            "'nvidia-ctk runtime configure --runtime=docker' and restart the engine"
        )
    if _BIND.search(said):
        return f"the docker engine does not see this machine's files ({said}); use an engine on this machine"
    if _DISK.search(said):
        return f"the docker engine's disk is full ({said}); run 'trtmatrix images prune'"
    return f"the container did not start: {said}"


def explain_pull(error: BaseException, image: str, login: str) -> str:
    """Return why *image* cannot be had.

    :param login: the recipe's words on how to log in, or empty
    """
    said = text_of(error)
    registry = registry_of(image)
    if _DISK.search(said):
        return f"the disk of the docker engine is too small for {image}: run 'trtmatrix images prune'"
    if _LOGIN.search(said):
        how = login or f"docker login {registry}"
        return f"{registry} refuses {image} without a login ({said}); log in first: {how}"
    if _MISSING.search(said):
        return f"{registry} has no {image}"
    if _UNREACHABLE.search(said):
        return (
            f"{registry} cannot be reached for {image} ({said}); without network bring it with "
            "'docker save' and 'docker load'"
        )
    return f"{image} cannot be pulled: {said}"


def registry_of(image: str) -> str:
    """Return the host an image name begins with, ``docker.io`` where it names none."""
    head, slash, _ = image.partition("/")
    return head if slash and ("." in head or ":" in head or head == "localhost") else "docker.io"
