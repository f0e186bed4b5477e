"""An extension of griffe: the sentence beside a field of a dataclass is that field's docstring in the site."""

from __future__ import annotations

import re
from typing import Any

from griffe import Attribute, Docstring, Extension

_BESIDE = re.compile(r"  # (?P<sentence>.+)$")


class FieldComments(Extension):
    def on_attribute(self, *, attr: Attribute, **_: Any) -> None:
        if attr.docstring is not None or attr.parent is None or not attr.parent.is_class or attr.endlineno is None:
            return
        beside = _BESIDE.search(attr.lines_collection[attr.filepath][attr.endlineno - 1])
        if beside is not None:
            attr.docstring = Docstring(beside["sentence"], lineno=attr.endlineno, parent=attr)
