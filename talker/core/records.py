"""Records: what is known, as JSON on disk, in requests and in other files' headers. Read here and
nowhere else, but for the headers of safetensors (`talker.core.files`).

Every reader says what it expects, as a TypedDict or a dataclass, and gets that or one line. Types are strict: a number
in quotes is no number. What a record holds beyond them is kept as it is: a newer talker may have written it.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from annotated_types import Ge, Le, Len

from talker.core.errors import BadInput
from talker.core.files import damaged, read_bytes
from talker.core.temporary import replacing
from talker.core.text import text_of

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")

LARGEST = 64 << 20  # bytes of a record
DEEPEST = 32  # objects and lists within each other
_LONGEST_REASON = 200  # letters

Count = Annotated[int, Ge(0), Le(10**9)]
Side = Annotated[int, Ge(1), Le(1 << 16)]  # pixels
Size = Annotated[list[Side], Len(2, 2)]  # (width, height)
Figure = float | None  # measured; None where it could not be
Seconds = Annotated[float, Ge(0.0), Le(1e12)]


def open_ended(kind: type[T]) -> type[T]:
    """A TypedDict whose objects may hold more than it says."""
    kind.__pydantic_config__ = {"extra": "allow"}
    return kind


def read_record(
    path: Path,
    kind: type[T],
    whole: Path | None = None,  # what is no use without the record; None: its folder
) -> T:
    """The record in a file. BadInput, in one line with the way out, when it is none of that kind."""
    try:
        return parse_record(read_bytes(path, whole, LARGEST), kind)
    except NoRecord as error:
        raise damaged(path, whole, f"is damaged ({error})") from None


class NoRecord(BadInput):
    """Text that is not the record that was expected; `str(error)` is a phrase that says what is wrong."""


def parse_record(text: str | bytes, kind: type[T]) -> T:
    """A record in JSON. NoRecord when it is none of that kind."""
    from pydantic import ValidationError

    try:
        text = text.decode() if isinstance(text, bytes) else text  # strictly: other encodings are no JSON
        value = json.loads(text, object_pairs_hook=_object)
        if not _is_flat(value):
            raise NoRecord("its parts lie too deep within each other")
        return _adapter(kind).validate_json(json.dumps(plain(value)), strict=True)
    except ValidationError as error:
        raise NoRecord(_first_reason(error)) from None
    except RecursionError:
        raise NoRecord("its parts lie too deep within each other") from None
    except ValueError as error:
        raise NoRecord(f"no JSON: {text_of(str(error))[:_LONGEST_REASON]}") from None


@cache
def _adapter(kind: type[T]) -> TypeAdapter[T]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _is_flat(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return True
    return False


def _first_reason(error: Any) -> str:
    """What a ValidationError says first, and of what."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    reason = "is missing" if first["type"] == "missing" else first["msg"][:1].lower() + first["msg"][1:]
    return f"{text_of(place)[:_LONGEST_REASON] or 'all of it'}: {reason[:_LONGEST_REASON]}"


# -------------------------------------------------------------------- writing


def plain(value: Any) -> Any:
    """As JSON has it: text that can be stored, numbers that are numbers (others are None), paths as text."""
    if isinstance(value, (str, os.PathLike)):
        return text_of(value)
    if isinstance(value, Mapping):
        return {text_of(key) if isinstance(key, str) else key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def json_text(
    value: Any,
    indent: int | None = 2,  # None: on one line
) -> str:
    """JSON, in letters that every stream has."""
    return json.dumps(plain(value), indent=indent, allow_nan=False)


def write_record(path: Path, value: Any) -> None:
    """JSON for people, whole or not at all."""
    with replacing(path) as temporary:
        text = json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")
