"""The command line: reads flags, draws progress, prints results and one-line errors. The only package that prints.

Exit codes: 0 done, 2 something the user can mend (one line on standard error), 130 interrupted, 1 a bug (a traceback).
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import warnings
from collections.abc import Sequence

from talker.api.doctor import SYSTEM_LIBRARIES
from talker.cli.journal import printer_of
from talker.cli.progress import ProgressPrinter, show
from talker.cli.subcommands import read
from talker.core.errors import BadInput, Missing, TalkerError, mendable
from talker.core.temporary import sweep_scratch

__all__ = ["main"]

# What these libraries have to say concerns programmers; they read it when they are first imported.
for library in ("TRANSFORMERS", "DIFFUSERS"):
    os.environ.setdefault(f"{library}_VERBOSITY", "error")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    printer = printer_of(os.environ)
    try:
        if argv is None:
            warnings.simplefilter("ignore")  # of libraries, about each other
            _end_on_terminate()
            _open_what_is_closed()
        sweep_scratch()
        run = read(sys.argv[1:] if argv is None else list(argv))
        _check_working_folder()
        printer.quiet = run.quiet
        if run.keeps_stdout:
            printer.speak_on(sys.stderr)
        text = run(printer)
        printer.close()
        if text and not run.quiet:
            show(text, printer.stream)
        if printer.lost:
            raise printer.lost
        printer.ended(0, text)
        return 0
    except KeyboardInterrupt as interrupt:
        what_now = interrupt.args[0] if interrupt.args else "run the same command again to go on"
        return _fail(printer, f"interrupted; {what_now}", 130)
    except SystemExit as leaving:  # --help, --version, SIGTERM
        code = leaving.code if isinstance(leaving.code, int) else 0
        printer.ended(code, "")
        return code
    except BrokenPipeError:  # `talker info | head`
        return 0
    except Exception as error:
        mendable = _mendable(error)
        if mendable is None:
            raise
        return _fail(printer, str(mendable), 2)


def _open_what_is_closed() -> None:
    """A standard stream that the caller closed leads nowhere, lest a file that is opened next take its place."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest descriptor that is free: this one


def _check_working_folder() -> None:
    try:
        os.getcwd()
    except FileNotFoundError:
        raise BadInput("The working folder has been removed; change to another and run the command there") from None


def _fail(printer: ProgressPrinter, message: str, code: int) -> int:
    printer.close()
    line = " ".join(message.split())
    with contextlib.suppress(OSError, TalkerError):  # it cannot be told where it cannot be told
        show(f"talker: {line}", sys.stderr)
    printer.ended(code, line)
    return code


def _mendable(error: Exception) -> TalkerError | None:
    """The sentence for errors of the machine that a user can mend; None for what is a bug."""
    if isinstance(error, ImportError):
        for library, package in SYSTEM_LIBRARIES.items():
            if library in str(error):
                return Missing(f"This machine lacks {library}; on Debian or Ubuntu: apt-get install {package}")
    return mendable(error)


def _end_on_terminate() -> None:
    """A polite kill unwinds as Ctrl-C does, so that no temporary file stays behind."""

    def leave(_signal: int, _frame: object) -> None:
        sys.exit(143)

    signal.signal(signal.SIGTERM, leave)
