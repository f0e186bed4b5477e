"""The one error that talker shows to people: a sentence that says what is wrong and what to do.

The CLI prints `TalkerError` as a single line and exits with code 2; everything else is a bug and keeps its
traceback. Write messages with the way out in them: "No face in frames 212-260; trim with --end 8.4".
"""


class TalkerError(Exception):
    """Something the user can mend. `str(error)` is one line without a full stop at the end."""


class BadInput(TalkerError):
    """A file, flag or instruction that cannot be used as given."""


class Missing(TalkerError):
    """Something optional that this machine lacks: weights, a package, a compiler, a hub."""


class Conflict(TalkerError):
    """The project already holds a different result; the message names `--force`."""


SEEDS = (0, 2**63 - 1)  # what numpy and torch both take


def check_range(flag: str, value: float, low: float, high: float) -> None:
    """BadInput unless `value` lies in the range; not-a-number lies in none."""
    if not low <= value <= high:
        raise BadInput(f"{flag} is {value}; choose {low} to {high}")
