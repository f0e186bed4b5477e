"""argparse with talker's manners: an error is one line, and a misspelt word brings the nearest right one."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Iterable, Sequence
from typing import NoReturn, TextIO

from talker.cli.progress import show
from talker.core.errors import BadInput


class Parser(argparse.ArgumentParser):
    def __init__(self, prog: str, description: str, examples: Sequence[str] = ()):
        shown = "".join(f"\n  {example}" for example in examples)
        super().__init__(
            prog=prog,
            description=description,
            epilog=f"examples:{shown}" if examples else None,
            formatter_class=_HelpFormatter,
            allow_abbrev=False,
        )

    def parse_args(self, args: Sequence[str], namespace: argparse.Namespace | None = None) -> argparse.Namespace:
        self._check_spelling(args)
        return super().parse_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        message = re.sub(r"^argument ([^:]+): ", r"\1: ", message)
        message = message.replace("the following arguments are required:", "missing")
        raise BadInput(f"{message}; see {self.prog} --help")

    def _print_message(self, message: str, file: TextIO | None = None) -> None:
        show(message.removesuffix("\n"), file or sys.stdout)

    def _check_spelling(self, args: Sequence[str]) -> None:
        """argparse would first complain of what a misspelt flag left out."""
        known = list(self._option_string_actions)
        for word in args:
            if word == "--":
                return
            flag = word.split("=", 1)[0]
            if re.match(r"--?[A-Za-z]", flag) and flag not in known:
                raise BadInput(f"Unknown flag {flag}{nearest(flag, known)}; see {self.prog} --help")
            if word == f"{flag}=--":  # which argparse takes for no value at all
                raise BadInput(f"{flag} cannot be --; see {self.prog} --help")


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str):
        super().__init__(prog, max_help_position=30, width=100)


def nearest(word: str, known: Iterable[str]) -> str:
    """The words ", did you mean ...?" when something is near enough."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f", did you mean {found[0]}?" if found else ""
