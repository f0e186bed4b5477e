"""The editors by name, and the choice of one that understands an instruction.

An editor is a class in a file of its own (`talker.editors.editor.RegisteredEditor`) and an entry here. Whatever else
the program must know of it, the class says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from types import MappingProxyType
from typing import Any

from talker.core.bounds import flag_name
from talker.core.errors import BadInput, Missing
from talker.core.types import Reporter, Silent
from talker.editors.editor import Editor, EditorOptions, RegisteredEditor


@dataclass(frozen=True)
class EditorEntry:
    """An editor that there is; its module is imported when it is asked for."""

    title: str  # for people
    hint: str  # for people, who choose: what it knows, what it needs
    place: str  # "module:Class"

    @property
    def label(self) -> str:
        return f"{self.title}: {self.hint}"

    @property
    def editor(self) -> type[RegisteredEditor]:
        module, _, name = self.place.partition(":")
        return getattr(import_module(module), name)

    @property
    def option_names(self) -> tuple[str, ...]:
        return tuple(field.name for field in fields(self.editor.options))

    def options(self, given: Mapping[str, Any]) -> EditorOptions:
        """Its options, out of what is given for any editor; BadInput for values that cannot be."""
        return type(self.editor.options)(**{name: given[name] for name in self.option_names if name in given})

    def open(self, given: Mapping[str, Any], reporter: Reporter, *, local_only: bool = False) -> Editor:
        return self.editor.open(self.options(given), reporter, local_only=local_only)


# In the order in which `auto` asks them.
EDITORS: dict[str, EditorEntry] = {
    "builtin": EditorEntry("the built-in editor", "no weights", "talker.editors.builtin.editor:BuiltinEditor"),
    "ip2p": EditorEntry("InstructPix2Pix", "any words, wants a GPU", "talker.editors.diffusion.ip2p:InstructPix2Pix"),
}


def editor_names() -> tuple[str, ...]:
    """What people may choose."""
    return ("auto", *EDITORS)


def option_classes() -> dict[str, type[EditorOptions]]:
    """Every option of every editor: its name, and the class that says what it is. Editors that share one share both."""
    return {name: type(entry.editor.options) for entry in EDITORS.values() for name in entry.option_names}


def check_options(
    editor: str,  # "auto" or a key of EDITORS
    given: Mapping[str, Any],  # values of options, by name
) -> None:
    """BadInput for options that no editor has, that are another's than the one chosen, or whose value cannot be."""
    if not given:
        return
    known = option_classes()
    unknown = sorted(given.keys() - known.keys())
    if unknown:
        raise BadInput(f"no editor has an option {unknown[0]!r}; there are {', '.join(known)}")
    own = known if editor == "auto" else EDITORS[editor].option_names
    for name, entry in EDITORS.items():
        chosen = entry.options(given)
        for option in entry.option_names:
            if option not in own and getattr(chosen, option) != getattr(entry.editor.options, option):
                raise BadInput(f"{flag_name(option)} is of {entry.title}; choose --editor {name} with it")


def open_editor(
    name: str,  # of `editor_names`
    instruction: str,
    given: Mapping[str, Any] = MappingProxyType({}),  # values of editors' options, by name
    reporter: Reporter = Silent(),
) -> Editor:
    """The editor for an instruction, which it is known to understand.

    `auto` takes the first that understands it and needs no download, or whose `model` was named. Raises BadInput or
    Missing with the way out.
    """
    if name not in editor_names():
        raise BadInput(f"no editor called {name!r}; choose {', '.join(editor_names())}")
    if name != "auto":
        editor = EDITORS[name].open(given, reporter)
        editor.describe(instruction)
        return editor
    refusals: list[BadInput] = []
    missing: list[Missing] = []
    for entry in EDITORS.values():
        is_named = bool(given.get("model")) and "model" in entry.option_names
        try:
            editor = entry.open(given, reporter, local_only=not is_named)
        except Missing as error:
            if is_named:
                raise
            missing.append(error)
            continue
        try:
            editor.describe(instruction)
            return editor
        except BadInput as error:
            refusals.append(error)
    raise [*refusals, *missing][0]
