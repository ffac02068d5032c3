"""``trtmatrix images list|prune``: the images and containers that the harness made on the Docker engine."""

from __future__ import annotations

import argparse
from typing import Any

_GB = 1_000_000_000


def add_parser(commands: Any) -> None:
    """Add the command and its two own."""
    parser = commands.add_parser("images", help="list or remove the container images made by trtmatrix")
    own = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listing = own.add_parser("list", help="list the images that carry the label of trtmatrix")
    listing.add_argument("--json", action="store_true", help="print a JSON array")
    listing.set_defaults(func=list_images)
    pruning = own.add_parser(
        "prune", help="remove images and leftover containers made by trtmatrix, and nothing else"
    )
    pruning.add_argument("--dry-run", action="store_true", help="say what would be removed")
    pruning.set_defaults(func=prune_images)


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
        print(f"{len(found)} images would be removed")
        return 0
    removed, kept = prune(engine)
    for image in removed:
        print(f"removed {image.name}")
    for image, reason in kept:
        print(f"kept {image.name}: {' '.join(reason.split())}")
    print(f"{len(removed)} images removed")
    return 0
