"""What goes over the wire: forms with brackets in, JSON out, errors, idempotency keys, expanded objects, lists in pages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

Thing = dict[str, Any]


class Fault(Exception):
    """An error as Stripe tells it."""

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        decline: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {
            "error": {
                "type": kind,
                "message": message,
                **({"code": code} if code else {}),
                **({"decline_code": decline} if decline else {}),
                **({"param": param} if param else {}),
            }
        }


def invalid(message: str, *, code: str | None = None, param: str | None = None) -> Fault:
    """What was asked cannot be."""
    return Fault(400, "invalid_request_error", message, code=code, param=param)


def missing(reference: str) -> Fault:
    """Nothing has this id."""
    return Fault(
        404, "invalid_request_error", f"No such object: '{reference}'", code="resource_missing", param="id"
    )


def form(text: str) -> Thing:
    """A form as a tree: ``a[b][0][c]=1`` is ``{"a": {"b": [{"c": "1"}]}}``."""
    tree: Thing = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        path = name.replace("]", "").split("[")
        place = tree
        for part in path[:-1]:
            place = place.setdefault(part or str(len(place)), {})
        place[path[-1] or str(len(place))] = value
    return _lists(tree)  # type: ignore[no-any-return]


def _lists(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    if tree and all(key.isdigit() for key in tree):
        return [_lists(tree[key]) for key in sorted(tree, key=int)]
    return {key: _lists(value) for key, value in tree.items()}


def digest(path: str, body: str) -> str:
    """What an idempotency key stands for."""
    return hashlib.sha256(f"{path}\n{body}".encode()).hexdigest()


def number(params: Thing, name: str, *, least: int = 0) -> int:
    """A whole number among *params*."""
    text = str(params.get(name, ""))
    if not text.lstrip("-").isdigit():
        raise invalid(f"Invalid integer: {text}", code="parameter_invalid_integer", param=name)
    if int(text) < least:
        raise invalid(f"{name} is too small", param=name)
    return int(text)


def metadata(params: Thing) -> dict[str, str]:
    """Metadata within Stripe's limits: 50 keys of 40 characters, values of 500."""
    found = params.get("metadata") or {}
    if len(found) > 50 or any(len(key) > 40 or len(str(value)) > 500 for key, value in found.items()):
        raise invalid("Metadata is over its limits", param="metadata")
    return {key: str(value) for key, value in found.items()}


def page(found: list[Thing], params: Thing, url: str) -> Thing:
    """A page of a list, newest first."""
    created = params.get("created") or {}
    if isinstance(created, str):
        created = {"gte": created, "lte": created}
    checks: dict[str, Callable[[int, int], bool]] = {
        "gte": int.__ge__,
        "gt": int.__gt__,
        "lte": int.__le__,
        "lt": int.__lt__,
    }
    for name, value in created.items():
        found = [thing for thing in found if checks[name](thing["created"], int(value))]
    ids = [thing["id"] for thing in found]
    first, size = 0, int(params.get("limit", 10))
    if not 1 <= size <= 100:
        raise invalid("Limit is between 1 and 100", param="limit")
    if after := params.get("starting_after"):
        if after not in ids:
            raise missing(after)
        first = ids.index(after) + 1
    return {
        "object": "list",
        "url": url,
        "data": found[first : first + size],
        "has_more": len(found) > first + size,
    }


def expanded(thing: Any, paths: list[str], find: Callable[[str, str, Thing], Any]) -> Any:
    """*thing* with the objects instead of their ids along *paths*; at most four steps, as Stripe has it."""
    for path in paths:
        if len(path.split(".")) > 4:
            raise invalid(f"You cannot expand more than 4 levels: {path}", param="expand")
        _expand(thing, path.split("."), find)
    return thing


def _expand(thing: Any, path: list[str], find: Callable[[str, str, Thing], Any]) -> None:
    if not path:
        return
    if isinstance(thing, list):
        for one in thing:
            _expand(one, path, find)
        return
    if not isinstance(thing, dict):
        return
    name, rest = path[0], path[1:]
    if name not in thing or isinstance(thing[name], str):
        found = find(name, str(thing.get(name) or ""), thing)
        if found is None and name not in thing:
            raise invalid(f"This property cannot be expanded ({name}).", param="expand")
        thing[name] = found if found is not None else thing[name]
    _expand(thing[name], rest, find)


def stripped(thing: Any) -> Any:
    """*thing* without what only the fake knows."""
    if isinstance(thing, list):
        return [stripped(one) for one in thing]
    if not isinstance(thing, dict):
        return thing
    return {key: stripped(value) for key, value in thing.items() if not key.startswith("_")}
