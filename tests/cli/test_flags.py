"""Flags: whatever is given for them is taken or refused in one line; numbers have bounds, told where the flag is."""

from __future__ import annotations

import argparse
import dataclasses
import re

import pytest

from talker.api.options import EditOptions, FitOptions, PreviewOptions
from talker.cli import main
from talker.cli.subcommands import SUBCOMMANDS, parser_of
from talker.core.bounds import Bounds, bounds_of, hints_of
from talker.core.errors import BadInput
from talker.core.types import EditPlan, View
from talker.driving.render import DriveOptions
from talker.evaluation.options import EvalOptions
from talker.speaker.record import SpeakerOptions
from talker.take.build import TakeOptions
from tests.cli.console import refused

# Words with which a subcommand ends before any work: what it would work on is not there.
WORDS = {
    "speaker": ["nowhere/out.mp4"],
    "check": ["nowhere.mp4"],
    "fit": ["nowhere.mp4"],
    "preview": ["--instruction=oil painting"],
    "edit": ["--instruction=oil painting"],
    "drive": ["nowhere.wav"],
    "studio": ["nowhere"],
}
VALUES = ("inf", "-inf", "nan", "1e300", str(10**30), "9" * 5000, "", " ", "-1", "0", "1e", "é", "\udcff", "1,,2", "--")
OPTIONS = (SpeakerOptions, TakeOptions, FitOptions, PreviewOptions, EditOptions, DriveOptions, EvalOptions, View)


def flags_of(name: str) -> list[argparse.Action]:
    """Those that take a value."""
    return [action for action in parser_of(name)._actions if action.option_strings and action.nargs is None]


@pytest.mark.parametrize("name", [name for name in SUBCOMMANDS if name != "doctor"])
def test_whatever_is_given_for_a_flag_is_no_traceback(place, capsys, name):
    for action in flags_of(name):
        for value in VALUES:
            flag = action.option_strings[-1]
            words = [name, *WORDS.get(name, []), f"{flag}={value}"]
            assert main(words) == 2, words
            said = capsys.readouterr()
            assert said.out == "" and said.err.count("\n") == 1, words
            if getattr(action.type, "func", None) == Bounds.read and not within(action.type.__self__, value):
                assert re.match(rf"talker: {flag} (is .*; choose|cannot be --)", said.err), said.err
                assert len(said.err) < 200, said.err
    assert not list(place.iterdir())


def within(bounds: Bounds, text: str) -> bool:
    try:
        return bounds.least <= bounds.kind(text) <= bounds.most
    except ValueError:
        return False


@pytest.mark.parametrize("options", [*OPTIONS, EditPlan], ids=lambda options: options.__name__)
def test_python_is_held_to_the_same_bounds(options):
    given = {"instruction": "x"} if options is EditPlan else {}
    found = {name: bounds_of(hint) for name, hint in hints_of(options).items()}
    assert any(found.values())
    for name, bounds in found.items():
        for value in (
            () if bounds is None else (bounds.least, bounds.most, float("nan"), float("inf"), 1e300, "1", True)
        ):
            default = next(field.default for field in dataclasses.fields(options) if field.name == name)
            values = (value,) * len(default) if isinstance(default, tuple) else value
            if value in (bounds.least, bounds.most) and value is not True:
                options(**given, **{name: values})
            else:
                with pytest.raises(BadInput, match=rf"^--[\w-]+ is .*; choose .* from {re.escape(bounds.span)}$"):
                    options(**given, **{name: values})


def test_a_number_without_bounds_is_a_mistake_of_the_program():
    with pytest.raises(TypeError, match="has no bounds"):
        bounds_of(int | None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["edit", "--instruction", "bronze", "--rounds", "9999999999", "-n"], "--rounds is 9999999999; choose a whole"),
        (["fit", "clip.mp4", "--end", "inf"], "--end is inf; choose a number from 0 to 86400"),
        (["speaker", "a.mp4", "--size", "65"], "--size is 65; choose an even number from 32 to 2048"),
        (["edit", "--instruction", "bronze", "--text-guidance", "3"], "--text-guidance is 3; write two numbers"),
        (["edit", "--instruction", "bronze", "--steps", "10,20,"], "--steps is ''; choose a whole number"),
        (["drive", "a.wav", "--view", "yaw=1e300"], "--view yaw is 1e+300; choose a number from -90 to 90"),
        (["studio", "--port", "65536"], "--port is 65536; choose a whole number from 0 to 65535"),
    ],
)
def test_a_number_out_of_bounds_is_told_with_its_bounds(place, capsys, words, said):
    assert said in refused(capsys, *words)


def test_help_tells_the_bounds(capsys):
    assert main(["fit", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "[256; 32 to 2048]" in said and "up to this second [0 to 86400]" in said and "[0; 0 to 2^63 - 1]" in said
