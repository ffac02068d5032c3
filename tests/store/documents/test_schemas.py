"""The published JSON schemas are those of the code, and what is written keeps to them."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.store.documents.base import Document, Part, schema_of
from harness.store.documents.schemas import kinds, schema_text, write_schemas

ROOT = Path(__file__).resolve().parents[3]
PUBLISHED = ROOT / "docs" / "reference" / "schemas"


def _records(base: type[Any]) -> list[type[Any]]:
    """The records below *base* that documents are made of."""
    kinds()  # imports all of them
    below = [kind for direct in base.__subclasses__() for kind in (direct, *_records(direct))]
    return [kind for kind in below if kind.__module__.startswith("harness.")]


AGAIN = "differs: run python -m harness.store.documents"


def test_every_document_is_published_and_nothing_else() -> None:
    assert sorted(path.stem for path in PUBLISHED.glob("*.json")) == sorted(kinds()), AGAIN


@pytest.mark.parametrize(("name", "kind"), sorted(kinds().items()))
def test_page_and_code_agree(name: str, kind: type[Document]) -> None:
    assert (PUBLISHED / f"{name}.json").read_text(encoding="utf-8") == schema_text(kind), AGAIN


@pytest.mark.parametrize(("name", "kind"), sorted(kinds().items()))
def test_records_and_fields_are_explained_where_they_stand(name: str, kind: type[Document]) -> None:
    made = json.loads(schema_text(kind))
    assert schema_of(kind).startswith("trtmatrix.")
    for record in made["$defs"].values():
        assert record["description"]
        assert ":param" not in record["description"], name
    own = made["$defs"][kind.__name__]["properties"]
    assert any("description" in field for field in own.values())


def test_a_schema_that_no_document_has_any_more_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / "gone.json").write_text("{}", encoding="utf-8")
    written = write_schemas(tmp_path)
    assert sorted(tmp_path.iterdir()) == written
    build = json.loads((tmp_path / "build.json").read_text(encoding="utf-8"))
    assert build["$defs"]["Build"]["properties"]["schema"] == {"enum": ["trtmatrix.build/2"]}
    assert build["$defs"]["Build"]["additionalProperties"] is False


def test_the_command_writes_the_pages_that_are_published(tmp_path: Path) -> None:
    """Into a folder that is named, else into the one of the docs; a second time changes nothing."""
    command = [sys.executable, "-m", "harness.store.documents"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    named = tmp_path / "named"
    for _ in range(2):
        done = subprocess.run(
            [*command, str(named)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines() == [str(path) for path in sorted(named.iterdir())]
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
    for folder in (named, tmp_path / "docs" / "reference" / "schemas"):
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
            path.name: path.read_bytes() for path in PUBLISHED.glob("*.json")
        }


@pytest.mark.parametrize(
    "record",
    [Part, Document, *sorted(_records(Part) + _records(Document), key=lambda kind: kind.__name__)],
)
def test_records_are_values(record: type[Part | Document]) -> None:
    """What was read does not change under whoever holds it, and a field that nobody knows is refused.

    Fields are named where a record is made: one more may stand anywhere among them.
    """
    assert record.__struct_config__.frozen
    assert record.__struct_config__.forbid_unknown_fields
    taken = {field.kind for field in inspect.signature(record).parameters.values()}
    assert taken <= {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize(
    "record",
    sorted(_records(Part) + _records(Document), key=lambda kind: kind.__name__),
    ids=lambda k: k.__name__,
)
def test_what_is_left_out_reads_as_something_that_may_stand_there(record: type[Part | Document]) -> None:
    for field in msgspec.structs.fields(record):
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        if default is not msgspec.NODEFAULT:
            assert msgspec.convert(msgspec.to_builtins(default), field.type) == default, field.name


class Wide(Document, frozen=True, kw_only=True, tag="test.wide/1"):
    """Of 1×1 convolutions, ±2 %."""

    count: int


def test_a_schema_is_written_in_the_letters_that_people_read() -> None:
    assert '"Of 1×1 convolutions, ±2 %."' in schema_text(Wide)
