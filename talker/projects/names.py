"""Names of edits: made from an instruction, or given."""

from __future__ import annotations

import re
import unicodedata

from talker.core.errors import BadInput

LONGEST_NAME = 64  # letters of an edit's name: with what a partial one adds, file systems take it
_FILLER = re.compile(r"(make|turn|look|is|be|was)s?|him|her|them|it|s?he|they|in|into|to|an?|the|like|as|of|and")


def slug(text: str, length: int = 40) -> str:
    """A folder name out of an instruction: "make him a Van Gogh painting" -> "van-gogh-painting"."""
    words = re.findall(r"[^\W_]+", text.lower())
    telling = [word for word in words if not _FILLER.fullmatch(word)] or words
    return "-".join(telling)[:length].strip("-") or "edit"


def edit_name(text: str) -> str:
    """An edit's name in the one spelling of its letters: some keyboards and file systems write \u00fc as two signs."""
    return unicodedata.normalize("NFC", text)


def check_name(name: str) -> str:
    """The name of an edit, in letters of any language. BadInput unless it can be a folder's that is no partial one."""
    if not re.fullmatch(r"[^\W_][\w-]*", name):
        raise BadInput(f"{name!r} cannot name an edit; use letters, digits, - and _, and begin with a letter or digit")
    if len(name) > LONGEST_NAME:
        raise BadInput(f"{name!r} is too long for the name of an edit; use at most {LONGEST_NAME} letters")
    return name
