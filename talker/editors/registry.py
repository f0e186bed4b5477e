"""The editors by name, and the choice of one that understands an instruction."""

from __future__ import annotations

from collections.abc import Callable

from talker.core.errors import BadInput, Missing
from talker.core.types import Reporter, Silent
from talker.editors.editor import DEFAULT_MODEL, DiffusionOptions, Editor


def _open_builtin(options: DiffusionOptions, reporter: Reporter) -> Editor:
    from talker.editors.builtin.editor import BuiltinEditor

    return BuiltinEditor()


def _open_ip2p(options: DiffusionOptions, reporter: Reporter, *, local_only: bool = False) -> Editor:
    from talker.editors.diffusion.ip2p import load

    return load(
        options.model or DEFAULT_MODEL,
        local_only=local_only,
        sampler=options.sampler,
        precision=options.precision,
        reporter=reporter,
    )


EDITORS: dict[str, Callable[[DiffusionOptions, Reporter], Editor]] = {"builtin": _open_builtin, "ip2p": _open_ip2p}


def open_editor(
    name: str,  # "auto" or a key of EDITORS
    instruction: str,
    options: DiffusionOptions = DiffusionOptions(),
    reporter: Reporter = Silent(),
) -> Editor:
    """The editor for an instruction, which it is known to understand.

    `auto` takes the built-in editor when it parses the instruction, otherwise InstructPix2Pix when a model was
    named or already lies on this machine. Raises BadInput or Missing with the way out.
    """
    if name != "auto" and name not in EDITORS:
        raise BadInput(f"no editor called {name!r}; choose auto, {', '.join(EDITORS)}")
    if name == "auto":
        builtin = _open_builtin(options, reporter)
        try:
            builtin.describe(instruction)
            return builtin
        except BadInput as unknown:
            if options.model is None:
                try:
                    return _open_ip2p(options, reporter, local_only=True)
                except Missing:
                    raise unknown from None
        name = "ip2p"
    editor = EDITORS[name](options, reporter)
    editor.describe(instruction)
    return editor
