"""``trtmatrix images``: list and remove what the harness made on the engine; carry images to another one."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.errors import OptionsContradictError
from harness.written import number_of

_GB = 1_000_000_000


def add_parser(commands: Any) -> None:
    """Add the command and its own."""
    parser = commands.add_parser(
        "images", help="list or remove container images made by trtmatrix; carry images to another engine"
    )
    own = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listing = own.add_parser("list", help="list the images that carry the label of trtmatrix")
    listing.add_argument("--json", action="store_true", help="print a JSON array")
    listing.set_defaults(func=list_images)
    pruning = own.add_parser(
        "prune", help="remove images and leftover containers made by trtmatrix, and nothing else"
    )
    pruning.add_argument("--dry-run", action="store_true", help="say what would be removed")
    pruning.set_defaults(func=prune_images)
    saving = own.add_parser(
        "save", help="save the images of a matrix in parts, for an engine without registry"
    )
    saving.add_argument("matrix", type=Path, help="matrix file")
    saving.add_argument("-o", "--out", type=Path, required=True, metavar="DIR", help="folder of the parts")
    saving.add_argument("--part-size", default="1G", metavar="SIZE", help="largest part (1G)")
    saving.add_argument("--no-build", action="store_true", help="save images as they are, with nothing added")
    saving.set_defaults(func=save_images)
    loading = own.add_parser("load", help="load the images that 'images save' wrote")
    loading.add_argument("folder", type=Path, metavar="DIR", help="folder of the parts")
    loading.set_defaults(func=load_images)


def list_images(arguments: argparse.Namespace) -> int:
    """Print one line an image."""
    from harness.cli.listing import print_rows
    from harness.environments.docker.engine import connect
    from harness.environments.docker.labels import own_images

    rows: list[dict[str, object]] = [
        {
            "image": image.name,
            "kind": image.kind,
            "runtime": image.runtime,
            "version": image.version,
            "gb": round(image.size_bytes / _GB, 2),
            "created": image.created[:19],
        }
        for image in own_images(connect())
    ]
    print_rows(rows, as_json=arguments.json)
    return 0


def prune_images(arguments: argparse.Namespace) -> int:
    """Remove what the harness made; print each image, and why one was kept."""
    from harness.environments.docker.engine import connect
    from harness.environments.docker.labels import own_images, prune

    engine = connect()
    if arguments.dry_run:
        found = own_images(engine)
        for image in found:
            print(f"would remove {image.name}")
        print(f"{number_of(len(found), 'image')} would be removed")
        return 0
    removed, kept = prune(engine)
    for image in removed:
        print(f"removed {image.name}")
    for image, reason in kept:
        print(f"kept {image.name}: {' '.join(reason.split())}")
    print(f"{number_of(len(removed), 'image')} removed")
    return 0


def save_images(arguments: argparse.Namespace) -> int:
    """Save what the matrix's versions run in, and print each image with its id."""
    from harness.environments.docker.carried import save_needed
    from harness.environments.docker.engine import connect
    from harness.environments.docker.settings import DockerSettings
    from harness.environments.docker.transfer_parts import Folder
    from harness.execution.plan import Choices, make_plan
    from harness.pack.parts import part_bytes
    from harness.plugins import registry

    size = part_bytes(arguments.part_size)
    plan = make_plan(Choices(matrix=arguments.matrix), registry.parts())
    wanted = dict.fromkeys((c.runtime, c.version) for c in plan.cells if c.environment == "docker")
    if not wanted:
        raise OptionsContradictError(f"{arguments.matrix} measures nothing in containers")
    settings = DockerSettings.from_environment()
    if arguments.no_build:
        settings = replace(settings, build=False)
    versions = [(registry.runtimes()[runtime], version) for runtime, version in wanted]
    saved = save_needed(connect(), settings, versions, Folder(arguments.out, size), _say)
    for image in saved.images:
        print(f"{image.name} {image.id}")
    print(f"{number_of(saved.parts, 'part')}, {saved.bytes / _GB:.2f} GB in all, in {arguments.out}")
    print("on the other machine: trtmatrix images load DIR")
    return 0


def load_images(arguments: argparse.Namespace) -> int:
    """Load images; print each with its id."""
    from harness.environments.docker.engine import connect
    from harness.environments.docker.transfer import load
    from harness.environments.docker.transfer_parts import Folder

    loaded = load(connect(), Folder(arguments.folder), _say)
    for image in loaded:
        print(f"{image.name} {image.id}")
    print(f"{number_of(len(loaded), 'image')} loaded")
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
