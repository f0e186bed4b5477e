"""`import talker`: what it offers, and that its examples hold."""

from __future__ import annotations

import doctest
import subprocess
import sys
from types import ModuleType

import pytest

import talker
from talker.api import python as public
from talker.api.options import EditOptions, FitOptions
from talker.cli import main
from talker.evaluation.options import EvalOptions
from talker.speaker.speech import speak
from talker.take.build import TakeOptions
from talker.video import write_wav

pytestmark = pytest.mark.slow

STORY = ("fit", "check", "edit", "preview", "drive", "evaluate", "open_portrait")  # each needs what came before it


def test_every_name_is_there():
    for name in talker.__all__:
        assert getattr(talker, name).__doc__, name
    assert set(STORY) <= set(talker.__all__) <= set(dir(talker))


def test_importing_it_loads_nothing():
    code = "import sys, talker; sys.exit(bool({'numpy', 'torch', 'talker.api'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_examples_hold(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["speaker", "speaker.mp4", "--seconds", "3.2", "--size", "64", "--quiet"]) == 0
    write_wav(tmp_path / "speech.wav", speak(1.3, seed=9)[0])
    names = {"talker": talker, "TakeOptions": TakeOptions, "FitOptions": FitOptions}
    names |= {"EditOptions": EditOptions, "EvalOptions": EvalOptions}
    runner = doctest.DocTestRunner()
    for name in STORY:
        found = doctest.DocTestFinder(recurse=False).find(getattr(public, name), name, ModuleType("none"), globs=names)
        assert found and found[0].examples, name
        runner.run(found[0], clear_globs=False)
    assert runner.summarize(verbose=False).failed == 0
