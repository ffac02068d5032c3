"""What all documents have in common: one reader, one writer, and errors that name file and field.

A document is a JSON object whose ``schema`` says which kind and which form it is (``trtmatrix.build/2``).
Its type is strict: a field that it does not know is named in one line instead of being lost, since a later
release may have written it. What a worker or a plugin may add to lies in fields that are mappings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import msgspec

from harness.errors import DamagedBundleError, OtherReleaseError
from harness.store.files import read_json, write_json

_STEP = re.compile(r"\[[^\]]*\]|\.[^.\[]+")
"""A step of the path in a message of msgspec: a field, an index, or a key that it leaves out (``[...]``)."""

UNKNOWN = "unknown"
"""What stands where nobody stated a fact."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the records inside of a document."""


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="schema"):
    """Base of all documents; a subclass names its schema with ``tag``.

    :cvar EARLIER: earlier schema (empty for files that had none) to what makes the present form of it
    """

    EARLIER: ClassVar[Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {}


D = TypeVar("D", bound=Document)


def schema_of(kind: type[Document]) -> str:
    """Return the schema that documents of *kind* state: ``trtmatrix.build/2``."""
    return str(kind.__struct_config__.tag)


def read_document(path: Path, kind: type[D]) -> D:
    """Read a document; one of an earlier schema is read as if it were of the present one.

    :raises InputError: missing, not JSON, of another schema, or a field that is missing, unknown or of
        another kind, with the path to it
    """
    try:
        # In one step what is as it should be; all else takes the long way, which knows what to say of it.
        return _decoder(kind).decode(path.read_bytes()) if path.is_file() else _at_length(path, kind)
    except (OSError, RecursionError, msgspec.MsgspecError):
        return _at_length(path, kind)


def _at_length(path: Path, kind: type[D]) -> D:
    return document_of(read_json(path), kind, path)


@cache
def _decoder(kind: type[D]) -> msgspec.json.Decoder[D]:
    return msgspec.json.Decoder(kind)


def document_of(data: dict[str, Any], kind: type[D], path: Path) -> D:
    """Return the document that the JSON object *data* is.

    :param path: where it was read, for messages
    :raises InputError: as :func:`read_document`
    """
    expected, stated = schema_of(kind), data.get("schema", "")
    if stated != expected:
        earlier = kind.EARLIER.get(stated) if isinstance(stated, str) else None
        if earlier is None:
            raise OtherReleaseError(path, _another_schema(expected, stated), where="schema")
        try:
            data = {**earlier(data), "schema": expected}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DamagedBundleError(path, f"not of the form {stated or 'of its time'}: {error}") from None
    try:
        return msgspec.convert(data, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        problem, where = _exact(data, kind, str(error))
        raise DamagedBundleError(path, problem, where=where) from None


def write_document(path: Path, document: Document) -> None:
    """Write *document* atomically, its schema first.

    :raises ValueError: it holds what JSON does not have (NaN, infinity)
    :raises OSError: it cannot be written
    """
    write_json(path, as_json(document))


def as_json(document: Document | Part) -> dict[str, Any]:
    """Return the JSON object that *document* is written as."""
    made: dict[str, Any] = msgspec.to_builtins(document)
    return made


def json_text(document: Document | Part) -> str:
    """Return *document* as indented JSON that ends in a line feed; a number that is not finite is null."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode() + "\n"


def _another_schema(expected: str, stated: object) -> str:
    said = f"found {stated!r:.60}" if stated else "found none"
    kind, _, number = str(stated).rpartition("/")
    wanted, _, ours = expected.rpartition("/")
    if kind == wanted and number.isdigit() and int(number) > int(ours):
        return f"expected schema {expected!r}, {said}: a later release wrote it; read it with that one"
    return f"expected schema {expected!r}, {said}"


def _exact(data: Any, kind: type[Document], message: str) -> tuple[str, str | None]:
    """Return problem and place of *message*, with the keys of mappings that msgspec leaves out."""
    problem, _, rest = message.partition(" - at `$")
    problem = problem[:1].lower() + problem[1:]
    if "unknown field" in problem:
        problem += "; a later release may have written it"
    place = rest.removesuffix("`")
    if not place:
        return problem, None
    return problem, _place(data, kind, message, _STEP.findall(place)) or None


def _place(data: Any, kind: type[Document], message: str, steps: list[str]) -> str:
    """Return *steps* as one path; a key is found by leaving all others of its mapping out."""
    said = ""
    taken: list[Any] = []
    for index, step in enumerate(steps):
        name: Any = step[1:] if step.startswith(".") else int(step[1:-1]) if step[1:-1].isdigit() else None
        if step == "[...]":
            name = _culprit(data, kind, message, taken)
            step = f"[{name!r}]"
        if name is None:
            return (said + "".join(steps[index:])).removeprefix(".")
        said += step
        taken.append(name)
    return said.removeprefix(".")


def _culprit(data: Any, kind: type[Document], message: str, taken: list[Any]) -> Any:
    """Return the key below *taken* whose value alone is refused with the same *message*."""
    whole = _at(data, taken)
    for name in list(whole) if isinstance(whole, dict) else ():
        try:
            msgspec.convert(_with(data, taken, {name: whole[name]}), kind)
        except (msgspec.ValidationError, RecursionError) as error:
            if str(error) == message:
                return name
    return None


def _at(data: Any, names: list[Any]) -> Any:
    for name in names:
        data = data[name]
    return data


def _with(data: Any, names: list[Any], value: Any) -> Any:
    """Return *data* with *value* at *names*."""
    if not names:
        return value
    changed = list(data) if isinstance(data, list) else dict(data)
    changed[names[0]] = _with(data[names[0]], names[1:], value)
    return changed
