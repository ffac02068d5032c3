"""The JSON schema of every document, made from its type."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from harness.store import documents
from harness.store.documents.base import Document, Part
from harness.store.files import write_text

S = TypeVar("S", bound=msgspec.Struct)

_PARAMETERS = re.compile(r":param ([a-z0-9_, ]+): (.*?)(?=;? :param |$)")
_ROLE = re.compile(r":[a-z]+:`([^`]*)`")
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def kinds() -> Mapping[str, type[Document]]:
    """Return the documents by the name of their schema's file: ``visit-build`` for ``VisitBuild``."""
    for module in pkgutil.iter_modules(documents.__path__):
        importlib.import_module(f"{documents.__name__}.{module.name}")
    own = [kind for kind in _below(Document) if kind.__module__.startswith(documents.__name__)]
    return {re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind.__name__).lower(): kind for kind in own}


def schema_text(kind: type[Document]) -> str:
    """Return the JSON schema of *kind* as it is published."""
    made = {"$schema": DRAFT, **msgspec.json.schema(kind)}
    records = [*_below(Document), *_below(Part)]
    renamed = {
        name: written
        for record in records
        for name, written in zip(record.__struct_fields__, record.__struct_encode_fields__, strict=True)
        if name != written
    }
    for record in made["$defs"].values():
        _explain(record, renamed)
    return json.dumps(made, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def write_schemas(folder: Path) -> list[Path]:
    """Write ``NAME.json`` of every document into *folder*, take others away, and return the files."""
    wanted = {folder / f"{name}.json": schema_text(kind) for name, kind in kinds().items()}
    for path in folder.glob("*.json"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        write_text(path, text)
    return sorted(wanted)


def _explain(record: dict[str, Any], renamed: Mapping[str, str]) -> None:
    """Move what a docstring says of each field from the record's description to the field's."""
    text = _ROLE.sub(r"`\1`", " ".join(record.get("description", "").split())).replace("``", "`")
    first = _PARAMETERS.search(text)
    record["description"] = text[: first.start()].strip() if first else text
    for names, said in _PARAMETERS.findall(text):
        for name in names.split(", "):
            key = name if name in record["properties"] else renamed[name]
            record["properties"][key]["description"] = said


def _below(kind: type[S]) -> list[type[S]]:
    direct = kind.__subclasses__()
    return [one for each in direct for one in (each, *_below(each))]
