"""Editing a fitted speaker: the progressive dataset update wired to the field, the refinement net and a folder.

The rounds (`talker.pdu.loop`) know nothing of fields and the fitter nothing of edits; here they are introduced to
each other. A copy of the fitted scene is trained on the frames that the editor made of the fitted scene's (or its
own) renders. N frames of the take are edited in each of K rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from talker.api.options import TrainingOptions
from talker.api.preview import render_as_taken
from talker.core.files import load_tensors, save_tensors, taken_from
from talker.core.images import spaced, to_bytes
from talker.core.metrics import change_taken, psnr_db
from talker.core.temporary import scratch_folder
from talker.core.types import LIPS, MOUTH, EditPlan, Reporter, Take, mask_of
from talker.editors.anchors import take_masks
from talker.editors.editor import Editor, Masks
from talker.pdu.loop import edit_round, run_pdu
from talker.pdu.schedule import Round, Turn, rounds_of
from talker.pdu.store import EditStore
from talker.pdu.targets import EditedTargets, MostlyPixels, lip_centres, person_pixels
from talker.radfield.fit import Fitter
from talker.radfield.optimiser import Rates
from talker.radfield.scene import Scene
from talker.radfield.targets import Objective, TargetSource
from talker.refine.discriminator import Discriminator
from talker.refine.network import RefinementNet
from talker.refine.objective import LipEdgeObjective, OriginalPatch, RefineObjective, RefineOptions
from talker.refine.vgg import choose_bank

SAVE_EVERY_S = 60.0
GPU_BATCH = 8  # edits at once; a CPU gains nothing by it, and one by one is told and kept one by one
PLATES_A_ROUND = 8  # how often the background is made anew while frames are replaced one by one
MEASURED_EDITS = 8
RATES = Rates(audio=0.0)  # how lips follow the sound was learnt from the take: edited frames know it no better
_STATE = "state.safetensors"
_OBJECTIVE = "objective/"
_TRIAL_STEPS = 3


class EditRun:
    """One edit in the making. What it has done lies in `folder`, where a killed run's successor goes on."""

    def __init__(
        self,
        take: Take,
        original: Scene,
        editor: Editor,
        plan: EditPlan,
        training: TrainingOptions,
        folder: Path,
        reporter: Reporter,
        losses: RefineOptions = RefineOptions(),
        refiner: RefinementNet | None = None,  # of the edit that `original` is, where one edit builds on another
    ):
        self.take, self.original, self.editor = take, original, editor
        self.plan, self.training, self.folder, self.reporter = plan, training, folder, reporter
        self.frames = spaced(take.training, plan.frames)
        self._refiner = refiner
        self.scene = original.copy()
        with torch.random.fork_rng():  # torch.nn's own initialisers draw from the global generator
            torch.manual_seed(plan.seed)
            self.net = RefinementNet().to(original.device)
            judge = Discriminator().to(original.device)
        if refiner is not None:
            self.net.load_state_dict(refiner.state_dict())
        self._objective = RefineObjective(self.net, judge, choose_bank(device=original.device), losses)
        self._lip_edge = LipEdgeObjective(self._original_patch, losses.lip_edge)
        self.round_steps = plan.rounds * training.round_steps  # whatever the strategy: it trains as long
        total = self.round_steps + training.lip_steps
        objectives = [self._objective, self._lip_edge]
        self._fitter = Fitter(self.scene, take, total, objectives, rates=RATES, seed=plan.seed)
        self._targets: MostlyPixels | None = None
        self._saved_at = time.monotonic()
        self._renders: dict[int, np.ndarray] = {}  # of the original scene; 8 bit: 200 frames of 512x512 are 157 MB
        self._shows_average = False
        if (folder / _STATE).is_file():
            self._restore()

    def run(self) -> None:
        """All rounds and the lip stage."""
        store = EditStore(self.folder / "frames")
        if self._fitter.step_count == 0:  # a kill behind `forget_work`: edits are there, what they trained is not
            store.forget_training()
        run_pdu(
            self.plan,
            self.editor,
            self.frames,
            self.render_original,
            self.render_current,
            self._train_turn,
            store,
            self._masks_of,
            self.reporter,
            batch_size=1 if self.original.device.type == "cpu" else GPU_BATCH,
        )
        newest = dict.fromkeys(self.frames, rounds_of(self.plan)[-1].number)
        self._train(
            EditedTargets(store, newest, lip_centres(self.take), stage="lips"),
            self._fitter.total_steps,
            [self._objective, self._lip_edge],
            lambda done, note: self.reporter.progress("train, lips", done, note),
            save_after=True,
        )
        self._show_average(True)
        self.net.eval()

    @property
    def total_steps(self) -> int:
        return self._fitter.total_steps

    def edit_frames(self, this_round: Round, frames: list[int], store: EditStore) -> None:
        """One round's edits of some frames."""
        renders = (self.render_original, self.render_current)
        edit_round(self.plan, this_round, self.editor, frames, *renders, store, self._masks_of, self.reporter, 1)

    def try_steps(self, store: EditStore, steps: int) -> None:
        """A few training steps on the first round."""
        targets = self._sources(store, dict.fromkeys(store.edited(1), 1))
        self._fitter.run(targets, self._fitter.step_count + steps, objectives=[self._objective])

    def forget_work(self) -> None:
        """Drop what only an unfinished run needs."""
        (self.folder / _STATE).unlink(missing_ok=True)

    # ---------------------------------------------------------------- what the rounds ask for

    def render_original(self, index: int) -> Tensor:
        """[H, W, 3] of the unedited scene, computed once."""
        if index not in self._renders:
            self._renders[index] = to_bytes(render_as_taken(self.original, self.take, index, self._refiner))
        return torch.from_numpy(self._renders[index]).float() / 255

    def render_current(self, index: int) -> Tensor:
        """[H, W, 3] of the edited scene as it is by now."""
        self._show_average(True)
        return render_as_taken(self.scene, self.take, index)

    def _masks_of(self, index: int) -> Masks:
        return take_masks(self.take, index)

    def _sources(self, store: EditStore, newest: Mapping[int, int]) -> MostlyPixels:
        sizes = {"patches": self.training.patches, "patch_px": self.training.patch_px}
        patches = EditedTargets(store, newest, lip_centres(self.take), **sizes)
        pixels = {index: person_pixels(self.take, index) for index in patches.frames}
        return MostlyPixels(patches, pixels, patch_every=self.training.patch_every)

    def _train_turn(self, store: EditStore, turn: Turn) -> None:
        if self._targets is None:
            self._targets = self._sources(store, turn.newest)
        patches = self._targets.patches
        patches.show(turn.newest)
        if turn.last_of_round or turn.before % max(1, len(self.frames) // PLATES_A_ROUND) == 0:
            # From the original's plate and not from its own, which a killed run may have left at another turn's.
            with torch.no_grad():
                self.scene.plate.copy_(edited_plate(patches, self.take, self.original.plate.detach().cpu()))
        until = turn.number * self.round_steps // turn.of

        def tell(done: float, note: str) -> None:
            if not turn.round.one_by_one:  # there, the loop tells of edits and training together
                self.reporter.progress(f"train, round {turn.number} of {turn.of}", done, note)

        self._train(self._targets, until, [self._objective], tell, save_after=turn.last_of_round)

    # ---------------------------------------------------------------- training

    def _train(
        self,
        targets: TargetSource,
        until: int,  # steps in all
        objectives: list[Objective],
        tell: Callable[[float, str], None],  # share of this stretch, and a note
        *,
        save_after: bool,
    ) -> None:
        first = self._fitter.step_count
        if first >= until:
            return
        self._show_average(False)

        def after_step(step: int, loss: float) -> None:
            tell((step - first) / (until - first), f"loss {loss:.4f}")
            if time.monotonic() - self._saved_at > SAVE_EVERY_S:
                self._save()

        self._fitter.run(targets, until, after_step, objectives)
        if save_after:
            self._save()

    def _show_average(self, average: bool) -> None:
        """Renders come from the parameters' moving average, training goes on from the parameters themselves."""
        if average != self._shows_average:
            self._fitter.optimiser.swap_average()
            self._shows_average = average

    def _original_patch(self, frame: int, pixels: Tensor) -> OriginalPatch:
        x, y = pixels.cpu().unbind(1)
        lips = mask_of(torch.from_numpy(self.take.parts[frame]), (LIPS, MOUTH))
        return OriginalPatch(self.render_original(frame)[y, x], lips[y, x])

    # ---------------------------------------------------------------- state

    def _save(self) -> None:
        objective = {f"{_OBJECTIVE}{name}": tensor for name, tensor in self._objective.state_dict().items()}
        save_tensors(self.folder / _STATE, {**self._fitter.tensors(), **objective})
        self._saved_at = time.monotonic()

    def _restore(self) -> None:
        state = self.folder / _STATE
        tensors = load_tensors(state, whole=state)  # what was edited is another thing, and stays
        own = {name: tensors.pop(name) for name in list(tensors) if name.startswith(_OBJECTIVE)}
        with taken_from(state, whole=state):
            self._fitter.restore(tensors)
            self._objective.load_state_dict({name.removeprefix(_OBJECTIVE): tensor for name, tensor in own.items()})


def edited_plate(
    targets: EditedTargets,
    take: Take,
    plate: Tensor,  # [H, W, 3] of the unedited scene
) -> Tensor:  # [H, W, 3]
    """The background of edited frames: each pixel's mean over the frames that show it, inpainted where none does.

    This is what training would end at, without the thousands of steps that random patches would need.
    """
    weights = torch.from_numpy(take.alpha[targets.frames]).float()[..., None] / 255
    weights = (1 - weights) ** 4  # hair's loose ends are not background
    seen = weights.sum(0)
    total = torch.zeros_like(plate)
    for weight, image in zip(weights, targets.images):
        total += weight * (image.float() / 255)
    mean = torch.where(seen > 0.5, total / seen.clamp_min(1e-6), plate)
    hidden = (seen[..., 0] <= 0.5).numpy().astype(np.uint8)
    filled = cv2.inpaint(to_bytes(mean), hidden, 3, cv2.INPAINT_TELEA) if hidden.any() else to_bytes(mean)
    return torch.where(seen > 0.5, mean, torch.from_numpy(filled).float() / 255)


def estimate(run: EditRun) -> tuple[float, float]:
    """Seconds to render and edit one frame, and seconds of training in all, from a small trial that leaves no trace."""
    with scratch_folder() as folder:
        store, last = EditStore(folder), rounds_of(run.plan)[-1]
        one_step = replace(last, number=1, steps=1)
        for index in run.frames[-2:]:  # the first warms caches up
            started = time.monotonic()
            run.edit_frames(one_step, [index], store)
            edit_s = time.monotonic() - started
        run.try_steps(store, 1)  # warms up, too
        started = time.monotonic()
        run.try_steps(store, _TRIAL_STEPS)
        step_s = (time.monotonic() - started) / _TRIAL_STEPS
    rounds = rounds_of(run.plan)
    sampling_steps = sum(each.steps for each in rounds) / len(rounds)
    return edit_s * (sampling_steps if run.editor.cost_follows_steps else 1), step_s * run.total_steps


def measure_likeness(run: EditRun) -> dict[str, float]:
    """What a finished edit shows, with its detail, against what the last round made of its frames: the mean PSNR, how
    much they were to change, and how much of that shows."""
    store, last = EditStore(run.folder / "frames"), rounds_of(run.plan)[-1].number
    frames = []
    for place in spaced(range(len(run.frames)), MEASURED_EDITS):
        index = run.frames[place]
        shown = to_bytes(render_as_taken(run.scene, run.take, index, run.net))
        unedited = to_bytes(run.render_original(index))
        frames.append((unedited, store.read(last, index), shown, run.take.alpha[index] > 127))
    asked_levels, taken = change_taken(frames)
    likeness_db = float(np.mean([psnr_db(shown, asked) for _, asked, shown, _ in frames]))
    return {
        "edited_psnr_db": round(likeness_db, 2),
        "asked_levels": round(asked_levels, 2),
        "change_taken": round(taken, 3),
    }
