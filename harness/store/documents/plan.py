"""``pack.json`` and ``plan-ID.json``: what a pack holds, and what of it its results bring home."""

from __future__ import annotations

from typing import Any

from msgspec import field

from harness.store.documents.base import Document, Part
from harness.store.documents.build import Time
from harness.store.documents.manifest import Harness, Matrix


class PackPython(Part, frozen=True, kw_only=True):
    """The interpreter of a pack.

    :param name: of its program; :param machine: architecture; :param glibc: oldest that it runs with
    """

    name: str
    version: str
    machine: str = ""
    glibc: str = ""


class PackJob(Part, frozen=True, kw_only=True):
    """A cell to measure.

    :param subject: network and treatment; :param together: what stays on one host with it
    :param site, inputs: names of the folders that it needs
    :param seconds_limit: after which its worker is ended
    :param processes: that an engine is measured in
    :param digest: of the network; :param document: its ``job.json``, but for what the host fills in
    """

    subject: str
    together: str
    site: str
    inputs: str
    seconds_limit: float
    processes: int = 1
    wants_gpu: bool
    digest: str
    document: dict[str, Any]


class PackSite(Part, frozen=True, kw_only=True):
    """A folder of files: wheels of one version, or inputs.

    :param files: relative path to SHA-256
    :param library_folders: what the loader has to search; :param variables: environment variables
    :param facts: what it holds: packages, placeholder libraries
    """

    files: dict[str, str] = field(default_factory=dict)
    library_folders: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


class PackObject(Part, frozen=True, kw_only=True, rename={"prefix": "from"}):
    """A stored file.

    :param member: of the archive that holds it
    :param prefix: SHA-256 of the files that it is a difference to
    """

    bytes: int
    member: str
    prefix: tuple[str, ...] = ()


class PackPlan(Document, frozen=True, kw_only=True, tag="trtmatrix.pack/1"):
    """What a pack measures, and in ``pack.json`` what it is made of.

    :param id: digest over jobs and sites; :param base: id of the pack that it was made on top of
    :param builds: of each cell; :param jobs: by cell id, in the order of the matrix
    :param contained: ids of cells that are measured in containers, whose images lie beside the pack
    :param objects: by SHA-256; :param members: of the archive, to bytes
    """

    id: str
    python: PackPython
    seed: int
    builds: int
    matrix: Matrix
    jobs: dict[str, PackJob]
    sites: dict[str, PackSite]
    contained: tuple[str, ...] = ()
    base: str | None = None
    harness: Harness = field(default_factory=Harness)
    made: Time | None = None
    objects: dict[str, PackObject] = field(default_factory=dict)
    members: dict[str, int] = field(default_factory=dict)
