"""An edit that is killed at any moment and run again ends as if nobody had killed it; and how long edits train."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace

import pytest
import torch

from talker.api.edit_run import EditRun, TrainingOptions
from talker.core.types import EditPlan, Silent
from talker.editors.builtin.editor import BuiltinEditor
from talker.radfield.fit import Fitter
from talker.radfield.fit_take import fit_scene
from talker.radfield.kernels import TorchKernels
from tests.radfield.conftest import TINY_FIT, native_or_none
from tests.radfield.conftest import ball_take as ball_take
from tests.threads import one_thread as one_thread

pytestmark = pytest.mark.slow

TRAINING = TrainingOptions(round_steps=4, lip_steps=2, patches=1, patch_px=8)
PLAN = EditPlan("make him bronze", seed=3, rounds=2, frames=3)
MOMENTS = (2, 7, 13)  # of the frames, files and steps that a run writes or takes


class Killed(BaseException):
    """Nothing that talker catches: what is half done stays half done."""


class CountingEditor(BuiltinEditor):
    reads = frozenset({"rendered", "originals"})  # the render that it edits is then part of the result's history

    def __init__(self):
        super().__init__()
        self.edits = Counter()

    def edit(self, request):
        self.edits[request.text_guidance] += len(request.rendered)
        return 0.5 * super().edit(request) + 0.5 * request.rendered


@pytest.fixture(scope="module")
def original(ball_take, tmp_path_factory):
    options = replace(TINY_FIT, steps=12, lip_steps=0)
    return fit_scene(ball_take, options, native_or_none() or TorchKernels(), Silent(), tmp_path_factory.mktemp("fit"))


def edit(take, original, plan, folder, editor):
    run = EditRun(take, original, editor, plan, TRAINING, folder, Silent())
    run.run()
    return {**run.scene.state_dict(), **{f"net.{name}": tensor for name, tensor in run.net.state_dict().items()}}


def kill_at(monkeypatch, moment):
    """Die just before the file or step with that number."""
    moments = iter(range(10_000))

    def deadly(work):
        def either(*arguments):
            if next(moments) == moment:
                raise Killed
            return work(*arguments)

        return either

    monkeypatch.setattr(os, "replace", deadly(os.replace))
    monkeypatch.setattr(Fitter, "_step", deadly(Fitter._step))


@pytest.mark.parametrize(
    ("strategy", "save_every_s"),
    [("progressive", 60.0), ("progressive", 0.0), ("iterative", 60.0), ("iterative", 0.0), ("once", 0.0)],
)
def test_a_killed_edit_is_the_same_edit(ball_take, original, monkeypatch, tmp_path, strategy, save_every_s):
    monkeypatch.setattr("talker.api.edit_run.SAVE_EVERY_S", save_every_s)
    plan = replace(PLAN, strategy=strategy)
    whole = CountingEditor()
    expected = edit(ball_take, original, plan, tmp_path / "whole", whole)
    for moment in MOMENTS:
        folder, first, second = tmp_path / str(moment), CountingEditor(), CountingEditor()
        with monkeypatch.context() as patch:
            kill_at(patch, moment)
            with pytest.raises(Killed):
                edit(ball_take, original, plan, folder, first)
        found = edit(ball_take, original, plan, folder, second)
        assert all(torch.equal(found[name], expected[name]) for name in expected), moment
        # The frame that was being written when it died is edited again, and no other.
        assert 0 <= (first.edits + second.edits).total() - whole.edits.total() <= 1
        assert whole.edits.total() == (3 if strategy == "once" else 6)


@pytest.mark.parametrize("strategy", ["progressive", "iterative"])
def test_an_edit_that_has_lost_its_training_is_trained_again(ball_take, original, monkeypatch, tmp_path, strategy):
    """A kill between `forget_work` and the rename that makes the edit real; the run after it is killed, too."""
    plan = replace(PLAN, strategy=strategy)
    run = EditRun(ball_take, original, CountingEditor(), plan, TRAINING, tmp_path, Silent())
    run.run()
    expected = {name: tensor.clone() for name, tensor in run.scene.state_dict().items()}
    run.forget_work()
    again = CountingEditor()
    with monkeypatch.context() as patch:
        kill_at(patch, 7)
        with pytest.raises(Killed):
            edit(ball_take, original, plan, tmp_path, again)
    found = edit(ball_take, original, plan, tmp_path, again)
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert not again.edits, "what was edited is edited again"


def test_a_gpu_trains_longer_on_the_papers_patches():
    cpu, gpu = TrainingOptions.preset("auto", "cpu"), TrainingOptions.preset("auto", "cuda")
    assert cpu == TrainingOptions() == TrainingOptions.preset("cpu", "cuda") and gpu == TrainingOptions.preset("gpu")
    assert gpu.patch_px is None and gpu.round_steps >= 10 * cpu.round_steps and gpu.lip_steps >= 10 * cpu.lip_steps


@pytest.mark.parametrize("strategy", ["progressive", "iterative", "once"])
def test_every_strategy_trains_as_long(ball_take, original, tmp_path, strategy):
    plan = replace(PLAN, strategy=strategy)
    run = EditRun(ball_take, original, CountingEditor(), plan, TRAINING, tmp_path, Silent())
    before = {name: tensor.clone() for name, tensor in original.state_dict().items()}
    run.run()
    assert run.total_steps == run._fitter.step_count == 2 * 4 + 2
    assert all(torch.equal(before[name], tensor) for name, tensor in original.state_dict().items())
