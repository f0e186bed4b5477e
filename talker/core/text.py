r"""Names and words as text that can be stored and printed anywhere, and the way back from that text to a file.

A file's name is bytes, and so is a word of a command line. Python holds the bytes of one that is no UTF-8 as lone
surrogates, which neither JSON, nor a page, nor a terminal takes. In text they stand as `\xfc`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_FOR_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # surrogates that no file's name brings
_BYTE = re.compile(rb"\\x([89a-f][0-9a-f])")
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}


def text_of(name: str | os.PathLike[str]) -> str:
    """A path, or a word, as text without lone surrogates; what is text already stays as it is."""
    text = os.fspath(name)
    if text.isascii():
        return text
    # Where the locale is not UTF-8's, the bytes of a letter come one by one: here they meet again.
    whole = _FOR_NO_BYTE.sub("\ufffd", text).encode("utf-8", "surrogateescape")
    return whole.decode("utf-8", "backslashreplace")


def path_of(
    text: str,  # from `text_of`, or as a person wrote it
    folder: Path = Path(),  # that it is relative to
) -> Path:
    r"""The path that a text stands for: of what is called just so, `\` and all, or of what has those bytes in its name.

    Where neither is there, a new file may be called just so.
    """
    path, spelt = folder / text, folder / _in_bytes(text)
    if _is_there(path) or (_is_usable(text) and not _is_there(spelt)):
        return path
    return spelt


def _in_bytes(text: str) -> str:
    name = text_of(text).replace("\0", "\ufffd")
    try:
        data = os.fsencode(name)
    except UnicodeEncodeError:  # letters that the locale does not have: files have them in UTF-8 all the same
        data = name.encode()
    return os.fsdecode(_BYTE.sub(lambda found: bytes.fromhex(found[1].decode()), data))


def _is_usable(text: str) -> bool:
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def _is_there(path: Path) -> bool:
    try:
        return os.path.lexists(path)
    except ValueError:  # a zero byte, or letters that the locale does not have
        return False


def shown_text(
    text: str,
    encoding: str | None,  # of where it will be shown; None: UTF-8
) -> str:
    """The text in letters that the encoding has, without what would move a terminal's cursor or change its colours."""
    plain = text_of(text).translate(_CONTROL)
    return plain.encode(encoding or "utf-8", "backslashreplace").decode(encoding or "utf-8")
