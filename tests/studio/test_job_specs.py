"""Orders of the page become command lines, and nothing else does."""

from __future__ import annotations

import shlex
from types import SimpleNamespace

import pytest

from talker.cli import main
from talker.cli.subcommands import read
from talker.core.errors import BadInput
from talker.core.types import View
from talker.core.view import ViewPath
from talker.studio.job_specs import command_of, shown
from tests.cli.console import film

pytestmark = pytest.mark.slow

EDIT = {"kind": "edit", "project": "toy.talker", "instruction": "turn into a bronze statue"}
DRIVE = {"kind": "drive", "project": "toy.talker", "audio": "speech.wav"}


def understood(workspace, order):
    """What the command line makes of an order: shown to people, copied, and run there."""
    _, words = command_of(workspace, order)
    assert shlex.split(shown(words)) == ["talker", *words]
    return read(words).arguments


def test_every_order_is_a_command_that_the_command_line_understands(workspace):
    assert understood(workspace, {"kind": "speaker", "seconds": 20, "size": 256}).out.name == "demo.mp4"
    assert understood(workspace, {"kind": "check", "video": "clip.mp4"}).video.name == "clip.mp4"
    assert understood(workspace, {"kind": "fit", "video": "clip.mp4", "size": 128, "start": 1.5}).start_s == 1.5
    assert understood(workspace, {"kind": "fit", "video": "clip.mp4", "start": 12345.678}).start_s == 12345.678
    grid = {"text-guidance": [3, 4.5, 6], "steps": [10, 20], "only": ["hair"], "from": "bronze"}
    assert understood(workspace, {**EDIT, "kind": "preview", **grid}).text_guidance == (3, 4.5, 6)
    found = understood(workspace, {**EDIT, "text-guidance": [3, 4.5], "keep": ["skin"], "name": "statue"})
    assert (found.text_guidance, found.keep, found.name) == ((3, 4.5), ["skin"], "statue")
    assert understood(workspace, {**EDIT, "name": "gru\u0308n"}).name == "gr\u00fcn"
    view = {"yaw": [-20, 20], "pitch": -3, "zoom": 1.25}
    found = understood(
        workspace, {**DRIVE, "view": view, "edit": "bronze", "background": "#1e90ff", "size": 512, "eyes": 0.5}
    )
    assert found.view == ViewPath((View(-20, -3, 0, 1.25), View(20, -3, 0, 1.25)))
    assert (found.edit, found.background, found.size_px, found.eyes) == ("bronze", "#1e90ff", 512, 0.5)
    assert understood(workspace, {"kind": "eval", "project": "toy.talker", "edit": "bronze"}).edit == "bronze"


def test_a_check_writes_its_page_where_the_studio_looks_for_it(workspace, place, monkeypatch):
    film(place / "clip.mp4", 3.0)

    def examine(video, take_options, field_options, kernels, reporter, out):  # stands for minutes of looking
        out.write_text("<p>good")
        return SimpleNamespace(serves=True, text=lambda: "good")

    monkeypatch.setattr("talker.checking.examine.examine", examine)
    _, words = command_of(workspace, {"kind": "check", "video": "clip.mp4"})
    assert main(words) == 0
    assert workspace.contents()["checks"] == ["clip.mp4"]


def test_words_that_look_like_flags_stay_words(workspace):
    assert understood(workspace, {**EDIT, "instruction": "--force"}).instruction == ["--force"]
    assert understood(workspace, {**EDIT, "instruction": "it's; rm -rf $(x)"}).instruction == ["it's; rm -rf $(x)"]


@pytest.mark.parametrize(
    "order",
    [
        None,
        [],
        {},
        {"kind": "doctor"},
        {"kind": ["fit"]},
        {"kind": "fit", "video": "../clip.mp4"},
        {"kind": "fit", "video": "/etc/passwd"},
        {"kind": "fit", "video": "speech.wav"},
        {"kind": "fit", "video": "clip.mp4", "size": "256; ls"},
        {"kind": "fit", "video": "clip.mp4", "size": True},
        {"kind": "fit", "video": "clip.mp4", "end": 1e300},
        {"kind": "check", "video": "clip.mp4", "start": float("inf")},
        {"kind": "speaker", "seconds": float("nan")},
        {**EDIT, "rounds": 9999999999},
        {**EDIT, "frames": 2.5},
        {**EDIT, "steps": []},
        {**DRIVE, "detail": -1},
        {**DRIVE, "view": {"yaw": 1e9}},
        {"kind": "fit", "video": "clip.mp4", "name": "../elsewhere"},
        {"kind": "fit", "video": "clip.mp4", "preset": "cpu --force"},
        {**EDIT, "project": "../toy.talker"},
        {**EDIT, "project": "toy.talker/../toy.talker"},
        {**EDIT, "name": "../../x"},
        {**EDIT, "from": "--force"},
        {**EDIT, "only": "hair"},
        {**EDIT, "only": ["hair --force"]},
        {**EDIT, "instruction": "two\nlines"},
        {**EDIT, "instruction": "x" * 601},
        {**EDIT, "instruction": 7},
        {**EDIT, "text-guidance": [3, "6"]},
        {**EDIT, "editor": "ip2p", "model": "../../home/me"},
        {**EDIT, "editor": "ip2p", "model": "/etc/x"},
        {**DRIVE, "audio": "clip.mp4/../speech.wav"},
        {**DRIVE, "background": "/etc/passwd"},
        {**DRIVE, "view": {"yaw": "1,zoom=2"}},
        {**DRIVE, "view": {"out": 1}},
        {**DRIVE, "view": "yaw=1"},
        {**DRIVE, "edit": "."},
    ],
    ids=str,
)
def test_what_is_no_order_is_refused(workspace, order):
    with pytest.raises(BadInput):
        command_of(workspace, order)
