"""``python -m harness.store.documents [FOLDER]``: write the JSON schemas (docs/reference/schemas)."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.store.documents.schemas import write_schemas

if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/reference/schemas")
    for written in write_schemas(target):
        print(written)
