"""A toy editor: the one file that adds one. `tests/api/test_another_editor.py` adds the one entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Interval
from torch import Tensor

from talker.core.errors import BadInput
from talker.core.types import Reporter
from talker.editors.editor import EditorOptions, EditRequest, RegisteredEditor


@dataclass(frozen=True)
class TintOptions(EditorOptions):
    """How strongly a tint covers."""

    opacity: Annotated[float, Interval(ge=0, le=1)] = 0.5  # of the tint


class TintEditor(RegisteredEditor):
    """Makes everything grey when it is told "mist"."""

    name = "tint"
    reads = frozenset({"rendered"})
    options = TintOptions()

    def __init__(self, options: TintOptions) -> None:
        self.options = options

    @classmethod
    def open(cls, options: TintOptions, reporter: Reporter, *, local_only: bool) -> TintEditor:
        return cls(options)

    def describe(self, instruction: str) -> str:
        if "mist" not in instruction:
            raise BadInput(f'"{instruction}" is no mist')
        return f"mist, {self.options.opacity:.0%}"

    def edit(self, request: EditRequest) -> Tensor:
        return request.rendered + self.options.opacity * (0.5 - request.rendered)
