"""Words to write a JSON Schema with."""

from collections.abc import Iterable
from typing import Any

Schema = dict[str, Any]


def thing(properties: dict[str, Schema], *, says: str, optional: Iterable[str] = ()) -> Schema:
    """An object with these *properties*, which are all there save the *optional* ones."""
    needed = [name for name in properties if name not in set(optional)]
    return {"type": "object", "description": says, "required": needed, "properties": properties}


def change(properties: dict[str, Schema], *, says: str) -> Schema:
    """An object with any of these *properties*."""
    return thing(properties, says=says, optional=properties)


def text(says: str, **more: Any) -> Schema:
    """A string."""
    return {"type": "string", "description": says, **more}


def maybe(schema: Schema) -> Schema:
    """The same, or null."""
    return {**schema, "type": [schema["type"], "null"]}


def number(kind: str, says: str, **more: Any) -> Schema:
    """An ``integer`` or a ``number``."""
    return {"type": kind, "description": says, **more}


def many(items: Schema, says: str, **more: Any) -> Schema:
    """A list of *items*."""
    return {"type": "array", "description": says, "items": items, **more}


def flag(says: str) -> Schema:
    """True or false."""
    return {"type": "boolean", "description": says}


def one_of(kind: type, says: str) -> Schema:
    """A word of this enumeration."""
    return {"type": "string", "description": says, "enum": [str(word) for word in kind]}  # type: ignore[attr-defined]


def ref(name: str) -> Schema:
    """A schema of this document by its name."""
    return {"$ref": f"#/components/schemas/{name}"}
