"""Making a pack: the plan of a matrix file becomes an archive in parts.

The order of the archive is the order of use: Python and the host's part first, then the first version and
all inputs, then the other versions, so that a host can begin before the last part has arrived.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from harness.distribution import __version__
from harness.environments.staging import copy_worker
from harness.errors import PackBaseError, PackPythonError
from harness.execution.inputs import InputStore
from harness.execution.job import JobSettings, write_job
from harness.matrix.cell import Cell
from harness.networks.base import NetworkFamily
from harness.pack.contents import LARGE_BYTES, Contents, Prefix, of_cuda, require_zstd
from harness.pack.interpreter import Interpreter, choose, copy_tree
from harness.pack.parts import ARCHIVE, write_parts
from harness.pack.progress import PackProgress
from harness.pack.sites import Say, Site, Wheels, install, make_site
from harness.runtimes.base import Runtime
from harness.store.documents.base import as_json, read_document, write_document
from harness.store.documents.manifest import Harness, Matrix
from harness.store.documents.plan import PackJob, PackPlan, PackPython, PackSite

LIST = f"{ARCHIVE}.json"
"""The list of a pack beside its parts; it stays here, and later packs are made on top of it."""
_HOST = Path(__file__).resolve().parent / "host"


@dataclass(frozen=True)
class PackOptions:
    """How a pack is made.

    :param part_bytes: size of a part
    :param libraries: ``auto`` (real CUDA libraries where tactic sources need them), ``real``, ``placeholder``
    :param differences: store later versions as differences to the first one
    :param level: Zstandard level
    :param base: ``trtmatrix-pack.json`` of a pack that is on the host already: what it holds is left out
    :param extra: requirements that every version gets besides its own
    :param left_out: files of versions that are not packed, as shell patterns (``tensorflow/include/*``)
    """

    part_bytes: int
    python: Path | None = None
    find_links: tuple[Path, ...] = ()
    offline: bool = False
    libraries: str = "auto"
    differences: bool = True
    level: int = 12
    base: PackPlan | None = None
    extra: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Order:
    """What is packed: cells in the order of the matrix, and what their jobs have in common.

    :param contained: ids of cells whose images travel beside the pack, which the host's script tells of
    """

    cells: tuple[Cell, ...]
    families: Mapping[str, NetworkFamily]
    runtimes: Mapping[str, Runtime]
    settings: JobSettings
    builds: int
    matrix: Matrix
    contained: tuple[str, ...] = ()


def make_pack(order: Order, out: Path, options: PackOptions, say: Say) -> list[Path]:
    """Write the pack of *order* into the folder *out* and return its parts.

    :raises UnavailableError: wheels, an interpreter or a program that packing needs cannot be had
    :raises UsageError: the base pack brings another Python
    """
    versions = list(dict.fromkeys((cell.runtime, cell.version) for cell in order.cells))
    if options.differences and len(versions) > 1:
        require_zstd()
    python = choose([_pythons(order.runtimes[name], version) for name, version in versions], options.python)
    say(f"interpreter: Python {_text(python)}")
    if options.base is not None and options.base.python.version != _text(python):
        raise PackBaseError(
            f"the base pack brings Python {options.base.python.version}, this one would be made for "
            f"{_text(python)}; name the same one with --python"
        )
    out.mkdir(parents=True, exist_ok=True)
    # Beside the parts: a pack is gigabytes, and the system's folder for temporary files is often small.
    with tempfile.TemporaryDirectory(dir=out, prefix=".making-") as scratch:
        packer = _Packer(order, options, python, Path(scratch), say)
        return packer.write(versions, out)


class _Packer:
    """The steps of :func:`make_pack` over one scratch folder."""

    def __init__(
        self, order: Order, options: PackOptions, python: Interpreter, scratch: Path, say: Say
    ) -> None:
        self._order, self._options, self._python, self._scratch, self._say = (
            order,
            options,
            python,
            scratch,
            say,
        )
        self._root = scratch / "root"
        self._root.mkdir()
        self._wheels = Wheels(python.minor, options.find_links, options.offline)
        known = frozenset(options.base.objects) if options.base is not None else frozenset()
        self._contents = Contents(self._root, options.level, options.differences, known=known)
        self._sites: dict[str, PackSite] = {}
        # Versions of each runtime: where none follows, nothing is stored as a difference to the first.
        self._follows = Counter(
            name for name, _ in dict.fromkeys((c.runtime, c.version) for c in order.cells)
        )
        self._prefixes: dict[str, Prefix] = {}

    def write(self, versions: Sequence[tuple[str, str]], out: Path) -> list[Path]:
        python = [] if self._options.base is not None else ["python.tar.gz"]
        if python:
            self._bring_python()
        shutil.copytree(_HOST, self._root / "host", ignore=shutil.ignore_patterns("__pycache__", "start.sh"))
        workers = [self._order.runtimes[name].worker for name in dict.fromkeys(name for name, _ in versions)]
        copy_worker(self._root / "code", workers)
        shutil.copy2(_HOST / "start.sh", self._root / "start.sh")
        names = [f"{name} {version}" for name, version in versions]
        self._progress = PackProgress(names, self._root, self._say)
        self._progress.begin(len(self._order.cells), self._order.builds)
        jobs = self._jobs(versions)
        write_document(self._root / "pack.json", self._document(jobs))
        members = ["start.sh", "pack.json", "host", "code", *python, *self._contents.members]
        for old in out.glob("trtmatrix-pack.part*"):
            old.unlink()
        shutil.copy2(self._root / "pack.json", out / LIST)
        return write_parts(self._root, members, out, self._options.part_bytes)

    def _bring_python(self) -> None:
        tree = self._scratch / "python"
        copy_tree(self._python, tree)
        # What unpacks the rest has to be unpacked by the host's own tar and gzip.
        packages = tree / "lib" / self._python.name / "site-packages"
        install(["zstandard>=0.22"], self._wheels, packages)
        level = min(self._options.level, 9)  # gzip has no more
        with tarfile.open(self._root / "python.tar.gz", "w:gz", compresslevel=level) as archive:
            for path in sorted(tree.iterdir()):
                archive.add(path, arcname=path.name)
        shutil.rmtree(tree)

    def _jobs(self, versions: Sequence[tuple[str, str]]) -> dict[str, PackJob]:
        """Return cell id to job, in the matrix's order, after storing the folders that the jobs need."""
        first = versions[0]
        self._add_version(*first)
        inputs = InputStore(self._scratch / "inputs", self._order.families, self._order.settings.seed)
        jobs = {cell.id: self._job(cell, inputs) for cell in self._order.cells}
        for version in versions[1:]:
            self._add_version(*version)
        return jobs

    def _add_version(self, runtime_name: str, version: str) -> None:
        runtime = self._order.runtimes[runtime_name]
        name = f"{runtime_name}-{version}"
        self._progress.version(f"{runtime_name} {version}")
        requirements = [*runtime.requirements(version, self._python.minor), *self._options.extra]
        folder = self._scratch / "site" / name
        site = make_site(
            name,
            requirements,
            self._wheels,
            folder,
            real=self._wants_libraries(runtime_name, version),
            dependencies=not runtime.complete_requirements,
            opened=runtime.opened_libraries(version),
            left_out=self._options.left_out,
            say=self._say,
        )
        self._store(site, runtime)
        shutil.rmtree(folder)
        self._progress.ended()

    def _store(self, site: Site, runtime: Runtime) -> None:
        base = self._prefixes.get(runtime.name)
        self._say(
            f"{site.name}: compressing" + (", as differences" if base and self._options.differences else "")
        )
        files = self._contents.add_site(site.name, site.folder, base)
        self._sites[site.name] = PackSite(
            files=files,
            library_folders=tuple(site.library_folders()),
            variables=dict(runtime.environment_variables),
            facts={"packages": site.packages, "placeholder_libraries": list(site.placeholders)},
        )
        if base is None and self._follows[runtime.name] > 1:
            large = {
                digest: path
                for relative, digest in files.items()
                if (path := site.folder / relative).stat().st_size >= LARGE_BYTES
                and not of_cuda(Path(relative))
            }
            self._prefixes[runtime.name] = Prefix.join(
                list(large.items()), self._scratch / f"{runtime.name}.prefix"
            )

    def _wants_libraries(self, runtime: str, version: str) -> bool:
        if self._options.libraries != "auto":
            return self._options.libraries == "real"
        mine = [c for c in self._order.cells if (c.runtime, c.version) == (runtime, version)]
        return any(cell.treatment.tactic_sources != "core" for cell in mine)

    def _job(self, cell: Cell, inputs: InputStore) -> PackJob:
        runtime = self._order.runtimes[cell.runtime]
        made = inputs.get(cell)
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            # Which device and which CPUs there are is known on the host alone.
            settings = replace(self._order.settings, device=None, affinity=None)
            job, files = write_job(cell, 0, made, runtime, settings, Path(folder))
            document = json.loads(job.read_text(encoding="utf-8"))
            name = f"inputs-{made.folder.name}" + ("-onnx" if document["onnx"] else "")
            if name not in self._sites:
                job.unlink()
                stored = self._contents.add_site(name, Path(folder), None)
                self._sites[name] = PackSite(files=stored)
            del files
        return PackJob(
            subject=cell.subject,
            together=cell.beside,
            site=f"{cell.runtime}-{cell.version}",
            inputs=name,
            seconds_limit=self._order.settings.limits.seconds,
            processes=self._order.settings.processes if runtime.keeps_engines else 1,
            wants_gpu=runtime.measures_on_gpu(cell.version),
            digest=made.graph.digest,
            document=document,
        )

    def _document(self, jobs: Mapping[str, PackJob]) -> PackPlan:
        content = [{k: as_json(v) for k, v in part.items()} for part in (jobs, self._sites)]
        return PackPlan(
            id=hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16],
            base=self._options.base.id if self._options.base is not None else None,
            harness=Harness(version=__version__),
            made=datetime.now(UTC).replace(microsecond=0),
            python=PackPython(
                name=self._python.name,
                version=_text(self._python),
                machine=self._python.machine,
                glibc=self._python.glibc,
            ),
            seed=self._order.settings.seed,
            builds=self._order.builds,
            matrix=self._order.matrix,
            jobs=dict(jobs),
            contained=self._order.contained,
            sites=self._sites,
            objects=self._contents.objects,
            members={m: (self._root / m).stat().st_size for m in self._contents.members},
        )


def read_base(place: Path) -> PackPlan:
    """Return the list of the pack in the folder *place* (or the list itself), for :attr:`PackOptions.base`.

    :raises InputError: there is none, or it is none of this release's
    """
    path = place / LIST if place.is_dir() else place
    document = read_document(path, PackPlan)
    if document.base is not None:
        raise PackBaseError(f"{path}: was itself made on top of another pack; name that one")
    return document


def _text(python: Interpreter) -> str:
    return ".".join(map(str, python.version))


def _pythons(runtime: Runtime, version: str) -> tuple[tuple[int, int], tuple[int, int]]:
    bounds = runtime.pythons(version)
    if bounds is None:
        raise PackPythonError(f"{runtime.name} {version}: it is not known which Python its wheels are for")
    return bounds
