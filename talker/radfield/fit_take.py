"""Fits a scene to a take: the field and the torso on random pixels, then the lip stage on patches.

RAD-NeRF trains head, lips and torso one after the other; here torso and head share every step, because each pixel of
a tracked frame tells about both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from talker.core.errors import BadInput
from talker.core.files import load_tensors, save_tensors, taken_from
from talker.core.images import grown
from talker.core.losses import FeatureBank, PyramidBank, perceptual
from talker.core.types import TORSO_PARTS, Onlooker, Reporter, Take, mask_of
from talker.radfield.field import FieldOptions
from talker.radfield.fit import Fitter, conditions_for
from talker.radfield.hull import carve_hull
from talker.radfield.kernels import Kernels
from talker.radfield.lip_pretraining import pretrain_on_lips
from talker.radfield.optimiser import Rates
from talker.radfield.sampling import GuidedObjective, LipTargets, TakeTargets
from talker.radfield.scene import Scene, SceneOptions, plate_tensor
from talker.radfield.targets import Batch, FixedObjective
from talker.radfield.torso import TorsoOptions, neck_anchors

CHECKPOINT_EVERY = 250  # steps
SHOWN_EVERY = 50  # steps, to who likes to see the field grow
# More footage holds more to learn: beyond 20 s, the cpu preset takes so many steps for each further second.
SHORT_S, STEPS_PER_S, LONG_STEPS = 20.0, 65, 2450  # and no more than these
USUAL_PX = 256  # larger pictures hold more to learn, too: steps grow with the root of their side
RATES = Rates(table=2e-2, network=4e-3)  # higher than an edit's, which begins from a fitted field
_ERRORS = "errors"  # in a checkpoint: the targets' error maps
EXTENT_MARGIN = 0.03  # the torso may reach this much of the image's height beyond where it was seen


@dataclass(frozen=True)
class FieldFitOptions:
    """How large a field is and how long it trains."""

    steps: int = 1350  # training steps on random pixels
    lip_steps: int = 220  # steps of the lip stage after them
    lesson_steps: int = 600  # steps that teach the audio network the lips' shapes before all
    lip_weight: float = 0.002  # of the perceptual loss on lip patches
    # Many frames with few pixels each: lips are learnt from how many different sounds a step hears.
    frames_per_step: int = 16  # frames that a step draws pixels from
    pixels_per_frame: int = 256  # pixels of each
    lip_patches: int = 4  # frames that a step of the lip stage takes a patch from
    seed: int = 0  # of everything random
    head: FieldOptions = field(default_factory=FieldOptions)
    torso: TorsoOptions = field(default_factory=TorsoOptions)

    @classmethod
    def preset(
        cls,
        name: Literal["auto", "cpu", "gpu"],
        device: torch.device | str = "cpu",
        seed: int = 0,
        footage_s: float = SHORT_S,
        size_px: int = USUAL_PX,
    ) -> FieldFitOptions:
        """`cpu`: minutes on two cores, longer where there is more to learn. `gpu`: the paper's grids, 20 000 steps
        and a lip stage of 2 500, however long the footage. `auto`: what suits the device that computes."""
        if name == "gpu" or (name == "auto" and torch.device(device).type == "cuda"):
            return cls(steps=20_000, lip_steps=2_500, seed=seed, head=FieldOptions.paper())
        short = cls(seed=seed)
        steps = min(LONG_STEPS, short.steps + STEPS_PER_S * max(0.0, footage_s - SHORT_S))
        return short.of_length(round(steps * max(1.0, size_px / USUAL_PX) ** 0.5))

    def of_length(self, steps: int) -> FieldFitOptions:
        """The same with so many training steps, a lip stage in proportion, and a lesson of at most half as many."""
        lesson_steps = min(self.lesson_steps, steps // 2)
        return replace(self, steps=steps, lip_steps=steps * self.lip_steps // self.steps, lesson_steps=lesson_steps)


class LipObjective(FixedObjective):
    """A perceptual loss on patches, through a frozen bank of features (RAD-NeRF fine-tunes lips with LPIPS)."""

    def __init__(self, weight: float, bank: FeatureBank) -> None:
        self._bank, self._weight = bank, weight

    def __call__(self, rendered: Tensor, batch: Batch) -> Tensor:
        if batch.patch is None:
            return torch.zeros(())
        found, wanted = (t.reshape(-1, *batch.patch, 3) for t in (rendered, batch.target))
        return (
            self._weight
            * self._bank.perceptual_gain
            * perceptual(self._bank.features(found), self._bank.features(wanted))
        )


def torso_extent(take: Take) -> Tensor:
    """Pixels [H, W] that neck and torso ever cover, or come near to; the head in front of them included."""
    parts = take.parts[take.training[::5]]
    ever = mask_of(parts, TORSO_PARTS).any(0)
    return torch.from_numpy(grown(ever, max(1, round(EXTENT_MARGIN * len(ever)))))


def new_scene(take: Take, options: FieldFitOptions, kernels: Kernels) -> Scene:
    """An untrained scene for a take, its hull carved."""
    anchors = neck_anchors(take.camera(0), take.c2w[take.training])
    facts = SceneOptions(
        audio_encoder=take.audio_encoder,
        audio_channels=take.audio_features.shape[1],
        size_px=take.size_px,
        focal_px=take.focal_px,
        centre_px=take.centre_px,
        frames=len(take),
        head=options.head,
        torso=options.torso,
    )
    generator = torch.Generator().manual_seed(options.seed)
    scene = Scene(facts, anchors, plate_tensor(take.background), torso_extent(take), kernels, generator)
    scene.occupancy.carve(carve_hull(take, scene.occupancy.voxel_points().cpu() * 2.0 - 1.0))
    return scene


def fit_scene(
    take: Take,
    options: FieldFitOptions,
    kernels: Kernels,
    reporter: Reporter,
    workdir: Path,
    lip_bank: FeatureBank | None = None,  # what the lip stage looks through; None: the weight-free pyramid
) -> Scene:
    """Trains a scene on a take's training frames; a killed run resumes from its checkpoint in `workdir`."""
    total = options.steps + options.lip_steps
    targets = TakeTargets(take, options.frames_per_step, options.pixels_per_frame)
    pixels, lips = GuidedObjective(targets), LipObjective(options.lip_weight, lip_bank or PyramidBank())

    def new_fitter() -> Fitter:
        scene = new_scene(take, options, kernels)
        return Fitter(scene, take, total, [pixels, lips], rates=RATES, seed=options.seed)

    checkpoint = workdir / "checkpoint.safetensors"
    fitter = resumed(new_fitter, targets, checkpoint, reporter)
    if fitter.step_count == 0:
        generator = torch.Generator().manual_seed(options.seed)
        pretrain_on_lips(fitter.scene.audio_net, take, options.lesson_steps, generator, reporter)
    recent = 0.0

    def after_step(step: int, loss: float) -> None:
        nonlocal recent
        recent = loss if recent == 0.0 else 0.98 * recent + 0.02 * loss
        if step % 10 == 0 or step == total:
            stage = "field" if step <= options.steps else "lips"
            reporter.progress("fit", step / total, f"{stage}, loss {recent:.4f}")
        if step % CHECKPOINT_EVERY == 0 and step < total:
            save_checkpoint(fitter, targets, checkpoint)
        if isinstance(reporter, Onlooker) and step % SHOWN_EVERY == 0:
            reporter.picture(growing(fitter, take))

    fitter.run(targets, options.steps, after_step, [pixels])
    fitter.run(LipTargets(targets, options.lip_patches), total, after_step)
    fitter.optimiser.swap_average()
    if fitter.optimiser.skipped:
        reporter.notice(
            f"{fitter.optimiser.skipped} of {total} steps had gradients that were not finite and were skipped"
        )
    return fitter.scene


@torch.no_grad()
def growing(fitter: Fitter, take: Take) -> np.ndarray:  # [H, W, 3] uint8
    """A frame of the take as the field shows it by now."""
    scene, index = fitter.scene, take.training[len(take.training) // 2]
    fitter.optimiser.swap_average()
    scene.eval()
    rgb = scene.render(take.camera(index), conditions_for(scene, take, [index])).rgb
    scene.train()
    fitter.optimiser.swap_average()
    return (rgb.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()


def save_checkpoint(fitter: Fitter, targets: TakeTargets, path: Path) -> None:
    save_tensors(path, {**fitter.tensors(), _ERRORS: targets.errors.errors})


def resumed(new_fitter: Callable[[], Fitter], targets: TakeTargets, path: Path, reporter: Reporter) -> Fitter:
    """A fitter that goes on from a checkpoint, if there is one that fits; otherwise a new one."""
    fitter = new_fitter()
    if not path.exists():
        return fitter
    try:
        tensors = load_tensors(path)
        with taken_from(path):
            targets.errors.errors.copy_(tensors.pop(_ERRORS))
            fitter.restore(tensors)
    except BadInput:
        reporter.notice("the checkpoint of an earlier run does not fit; starting over")
        targets.errors.reset()  # this and the fitter may be half restored
        return new_fitter()
    reporter.notice(f"resuming at step {fitter.step_count} of {fitter.total_steps}")
    return fitter
