"""``trtmatrix import --out RUN [OPTIONS] [FOLDER|FILE]``: recorded files as a build of a cell."""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.measure_options import add_shape
from harness.cli.question import own_file
from harness.errors import (
    EXIT_OK,
    BadOptionError,
    ImportDescriptionError,
    NoSuchFileError,
    NothingChosenError,
    OptionsContradictError,
    UnreadableFileError,
    WrongFormatError,
)

if TYPE_CHECKING:
    from harness.recordings.recording import Recording

_UNKNOWN = "unknown"
_PRECISIONS = ("fp32", "tf32", "fp16", "int8", _UNKNOWN)
_RELU6 = ("clip", "relu_sub", _UNKNOWN)
_META = "meta.json"
_READABLE = (".json", ".log", ".txt", ".csv", ".gz", ".zst")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+]*")
# What is stated of the build as a whole, and is not a part of the treatment.
_FACTS = ("gpu", "compute_capability", "driver", "build_seconds", "engine_bytes", "host", "weights")
_CORE = {"EDGE_MASK_CONVOLUTIONS", "JIT_CONVOLUTIONS"}
# `auto` is the runtime's own way, which is TensorRT's network-definition API.
_SOURCES = {"network-definition api": "auto", "api": "auto", "onnx": "onnx", "uff": "uff"}


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "import", help="make a cell of a run out of recorded logs, profiles and engine descriptions"
    )
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        metavar="FOLDER|FILE",
        help="a recording: its files and meta.json, or a single file",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="the bundle, new or not")
    parser.add_argument("--tensorrt", metavar="V", help="version (default: as printed in the files)")
    parser.add_argument(
        "--network",
        metavar="N|FILE",
        help="a network that 'list networks' shows, or the ONNX file, GraphDef or SavedModel that was built",
    )
    add_shape(parser, "that file")
    parser.add_argument("--precision", choices=_PRECISIONS, help="fp32 is with TF32 off")
    parser.add_argument("--batch", metavar="B", help="images a run")
    parser.add_argument("--relu6", choices=_RELU6, metavar="FORM", help="clip or relu_sub")
    parser.add_argument(
        "--aliases",
        type=Path,
        metavar="FILE",
        help="TOML or JSON: foreign layer name or pattern to source op",
    )
    parser.add_argument(
        "--engine", type=int, metavar="K", help="which engine of files with several, from 0 (default: each)"
    )
    parser.add_argument("--build", type=int, default=0, metavar="K", help="number of the build (default: 0)")
    for role, what in (
        ("profile", "per-layer times"),
        ("layers", "engine layers"),
        ("times", "times of single inferences"),
        ("log", "builder log"),
    ):
        parser.add_argument(f"--{role}", type=Path, metavar="F", help=f"file with {what}")
    parser.add_argument("--report", type=Path, metavar="FILE", help="then write the HTML report of RUN there")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Import the files and say what came of them; exits 0."""
    from harness.cli.import_summary import summary
    from harness.cli.outputs import check_file
    from harness.cli.report import write_report
    from harness.recordings.importing import import_recording

    if arguments.report is not None:
        check_file(arguments.report, "--report")
    for done in import_recording(_recording(arguments), arguments.out):
        for warning in done.warnings:
            print(f"trtmatrix: warning: {warning}", file=sys.stderr)
        for line in summary(done, arguments.out):
            print(line)
    if arguments.report is not None:
        write_report([arguments.out], arguments.report)
        print(f"report: {arguments.report}")
    return EXIT_OK


def _recording(arguments: argparse.Namespace) -> Recording:
    from harness.execution.plan import network_name, own_network
    from harness.matrix.cell import Treatment
    from harness.recordings.recording import Recording, unknown_treatment

    folder = arguments.folder
    meta = _meta(folder) if folder is not None and not folder.is_file() else {}
    files = _files(arguments)
    if arguments.build < 0:
        raise BadOptionError(f"--build: expected a number from 0, found {arguments.build}")
    if arguments.engine is not None and arguments.engine < 0:
        raise BadOptionError(f"--engine: expected a number from 0, found {arguments.engine}")
    version = _name("--tensorrt", arguments.tensorrt or meta.get("tensorrt", _UNKNOWN))
    said = arguments.network or meta.get("network", _UNKNOWN)
    file = own_file(arguments.network) if arguments.network else None
    if arguments.shape and file is None:
        raise OptionsContradictError("--shape needs a file with --network, whose inputs it speaks of")
    network = network_name(file) if file is not None else _name("--network", said)
    known = {
        **unknown_treatment().as_json(),
        **_treatment(meta),
        **{key: value for key in ("precision", "relu6") if (value := getattr(arguments, key)) is not None},
        **({"batch": _batch("--batch", arguments.batch)} if arguments.batch is not None else {}),
    }
    return Recording(
        files=files,
        version=version,
        network=network,
        treatment=Treatment.from_json(known),
        build=arguments.build,
        engine=arguments.engine,
        facts={key: meta[key] for key in _FACTS if key in meta},
        aliases=_aliases(arguments.aliases) if arguments.aliases is not None else {},
        own=own_network(file, arguments.shape) if file is not None else None,
    )


def _files(arguments: argparse.Namespace) -> dict[Path, str]:
    """Return path to role: those named first, then what else the folder holds."""
    files = {
        path: role for role in ("profile", "layers", "times", "log") if (path := getattr(arguments, role))
    }
    if arguments.folder is not None and arguments.folder.is_file():
        files.setdefault(arguments.folder, "")
    elif arguments.folder is not None:
        readable = sorted(p for p in arguments.folder.iterdir() if p.is_file() and p.suffix in _READABLE)
        known = {path.resolve() for path in files}
        for path in readable:
            if path.name != _META and path.resolve() not in known:
                files[path] = ""
    if not files:
        raise NothingChosenError(
            "nothing to import: name a folder or a file, or files with --profile, --layers, --times and --log"
        )
    return files


def _meta(folder: Path) -> Mapping[str, Any]:
    if not folder.is_dir():
        raise NoSuchFileError(
            folder, "no such folder or file; several files are named by --profile, --layers, --times, --log"
        )
    path = folder / _META
    if not path.exists():
        return {}
    said = _load(path)
    for key in ("tensorrt", "network", "precision", "relu6"):
        if not isinstance(said.get(key, ""), str):
            raise ImportDescriptionError(path, f"expected a text, found {said[key]!r}", where=key)
    return said


def _treatment(meta: Mapping[str, Any]) -> dict[str, object]:
    """Return the fields of the treatment that ``meta.json`` states."""
    known: dict[str, object] = {}
    for key, allowed in (("precision", _PRECISIONS), ("relu6", _RELU6)):
        if key in meta:
            if meta[key] not in allowed:
                raise ImportDescriptionError(
                    _META, f"'{meta[key]}' is none of {', '.join(allowed)}", where=key
                )
            known[key] = meta[key]
    if known.get("precision") == "fp32" and meta.get("tf32") is True:
        known["precision"] = "tf32"
    if "batch" in meta:
        known["batch"] = _batch(f"{_META}: batch", meta["batch"])
    sources = meta.get("tactic_sources")
    if sources in ("core", "all", "default"):
        known["tactic_sources"] = sources
    elif isinstance(sources, list) and set(sources) == _CORE:
        known["tactic_sources"] = "core"
    if (source := _SOURCES.get(str(meta.get("source", "")).lower())) is not None:
        known["source"] = source
    return known


def _batch(what: str, said: object) -> int | None:
    if said in (_UNKNOWN, None):
        return None
    if not str(said).isdecimal() or int(str(said)) < 1:
        raise BadOptionError(f"{what}: expected a whole number above 0 or 'unknown', found '{said}'")
    return int(str(said))


def _name(what: str, said: str) -> str:
    if not _NAME.fullmatch(said):
        raise BadOptionError(f"{what}: '{said}' is no name; use letters, digits, '_', '.' and '+'")
    return said


def _aliases(path: Path) -> dict[str, str]:
    """Read an alias map: a flat table, or one called ``aliases``."""
    tables = _load(path)
    table = tables.get("aliases", tables)
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise ImportDescriptionError(
            path, "expected foreign layer names, each with the name of a source op as text"
        )
    return {str(key): value for key, value in table.items()}


def _load(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise UnreadableFileError(path, f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    except ValueError as error:
        raise WrongFormatError(path, f"not {'TOML' if path.suffix == '.toml' else 'JSON'}: {error}") from None
    if not isinstance(content, dict):
        raise ImportDescriptionError(path, "expected an object")
    return content
