"""From a clip to its figures: record or read it, fit, edit, measure. Every command runs as a user would run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import torch

from talker.api import commands
from talker.core.contact_sheet import contact_sheet
from talker.core.images import spaced, to_bytes
from talker.core.types import FPS, HEAD_PARTS, EditPlan, Reporter, Take, View, mask_of
from talker.driving.render import Portrait
from talker.editors.anchors import take_masks
from talker.editors.editor import EditRequest
from talker.editors.registry import open_editor
from talker.evaluation.faces import enlarged
from talker.evaluation.run import evaluate
from talker.projects.project import Project
from talker.speaker.record import SpeakerOptions
from talker.speaker.truth import Truth, load_truth
from talker.take.landmarks import load_detector
from talker.take.store import TakeFolder, load_encoder_of, load_take
from talker.video import read_audio
from tools.quality.cost import Cost, CostBook
from tools.quality.driven import lip_sync, mouth_boxes
from tools.quality.dump import Dump
from tools.quality.eyes import blink_corr
from tools.quality.figures import Figures
from tools.quality.held_out import edited_psnr, held_out_frames, held_out_psnr, lip_shift_pct, region_figures
from tools.quality.replay import NewSpeech
from tools.quality.tracked import tracked_figures
from tools.quality.turned import held_out_rotation_errors_deg, turned_psnr

EDIT_NAME = "bench"
ROWS = ("tracked", "held-out", "driven", "turned", "edit")
NEW_SPEECH_S = 30.0
NEW_SPEECH_SEED = 1000
CALM_MOTION = 0.4
EDITED_FRAMES = 25  # of the held-out part
SHEET_ROWS = 4
CLIP_VIEW = "yaw=15"

Heads = Callable[[int], np.ndarray]


@dataclass(frozen=True)
class Bench:
    """What to measure, where to work, and on whom."""

    work: Path  # recordings and projects are kept here
    dump: Dump
    reporter: Reporter
    rows: frozenset[str] = frozenset(ROWS)
    speaker: SpeakerOptions = field(default_factory=lambda: SpeakerOptions(seconds=40.0))
    speaker_edit: str = "make him a Van Gogh painting"
    clip_edit: str = "turn him into a pencil sketch"
    clip_size_px: int = 256  # side of the take of a real clip
    speech: Path | None = None  # real clips are driven with it, seen from the side, where one is given
    training_steps: int | None = None  # instead of the preset's, for a quick look; the figures then mean little

    def demo(self) -> Figures:
        """The demo speaker: everything, against his truth."""
        book = CostBook(self.work / "costs.json")
        truth, project, costs = self._fit_speaker(book, "demo", self.speaker)
        figures: dict[str, float | None] = {"fit_s": costs[-1].seconds}
        portrait = self._open(project)
        dump = self.dump / "demo"

        def head(index: int) -> np.ndarray:
            return mask_of(truth.parts[index], HEAD_PARTS)

        if "tracked" in self.rows:
            figures |= tracked_figures(portrait.take, truth)
            errors = held_out_rotation_errors_deg(portrait, truth)
            figures |= {"rot_err_deg": float(np.median(errors)), "rot_err_p95_deg": float(np.percentile(errors, 95))}
        if "held-out" in self.rows:
            self.reporter.progress("held-out frames", 0.0)
            portrait.set_audio(portrait.take.audio_features, len(portrait.take))
            found = held_out_frames(portrait, dump / "held_out")
            figures |= self._held_out(portrait.take, found, truth.frames, head)
            figures |= region_figures(found, truth.frames, truth.parts, mouth_boxes(truth))
            figures |= {"blink_corr": blink_corr(truth, portrait.take.training, found)}
        if "driven" in self.rows:
            self.reporter.progress("unseen speech", 0.0)
            figures |= self._driven(portrait, project, truth, dump / "driven")
        if "edit" in self.rows:
            costs.append(self._edit(book, "demo-edit", project, self.speaker_edit))
            figures |= {"edit_s": costs[-1].seconds}
            figures |= self._edited(portrait, project, self.speaker_edit, head, dump / "edit")
        if "turned" in self.rows:
            for name, prefix, motion in (("wide", "yaw20", 1.0), ("calm", "yaw20_narrow", CALM_MOTION)):
                lit = SpeakerOptions(**{**asdict(self.speaker), "motion": motion, "light": "head"})
                lit_truth, lit_project, lit_costs = self._fit_speaker(book, name, lit)
                costs += lit_costs
                lit_portrait = self._open(lit_project)
                lit_portrait.set_audio(lit_portrait.take.audio_features, len(lit_portrait.take))
                turned = turned_psnr(lit_portrait, lit_truth, dump / prefix)
                figures |= {f"{prefix}_psnr_db": turned.found_db, f"{prefix}_null_psnr_db": turned.null_db}
        return Figures(peak_rss_mib=max(cost.peak_rss_mib for cost in costs), **figures)

    def clip(self, video: Path) -> Figures:
        """A real clip: held-out frames against the clip itself, an edit, a drive, and a sheet to look at."""
        book = CostBook(self.work / "costs.json")
        project = self.work / f"{video.stem}.talker"
        costs = [self._fit(book, video.stem, video, project, "--size", self.clip_size_px)]
        figures: dict[str, float | None] = {"fit_s": costs[0].seconds}
        portrait = self._open(project)
        take, dump = portrait.take, self.dump / video.stem
        portrait.set_audio(take.audio_features, len(take))

        def head(index: int) -> np.ndarray:
            return mask_of(take.parts[index], HEAD_PARTS)

        if "held-out" in self.rows:
            found = held_out_frames(portrait, dump / "held_out")
            figures |= self._held_out(take, found, take.frames, head)
            wav = read_audio(TakeFolder(project / "take").audio)
            seen = evaluate(portrait, wav, lambda: load_detector("mediapipe"), reporter=self.reporter).figures
            figures |= {key: seen.get(key) for key in ("lmd_px", "mouth_corr_self", "mouth_sharpness", "seam")}
        if "edit" in self.rows:
            costs.append(self._edit(book, f"{video.stem}-edit", project, self.clip_edit))
            figures |= {"edit_s": costs[-1].seconds}
            figures |= self._edited(portrait, project, self.clip_edit, head, dump / "edit")
        if "driven" in self.rows and self.speech is not None:
            out = self.work / f"{video.stem}-{self.speech.stem}.mp4"
            words = ["drive", self.speech, "--project", project, "-o", out, "--view", CLIP_VIEW]
            costs.append(book.run(f"{video.stem}-drive", out, *words))
        return Figures(peak_rss_mib=max(cost.peak_rss_mib for cost in costs), **figures)

    def _fit_speaker(self, book: CostBook, name: str, options: SpeakerOptions) -> tuple[Truth, Path, list[Cost]]:
        """A recording of the demo speaker, fitted from its video alone; costs of both commands, the fit's last."""
        video, truth, project = (self.work / f"{name}{ending}" for ending in (".mp4", "-truth", ".talker"))
        words = ["speaker", video, "--truth", truth, "--force"]
        for flag, value in asdict(options).items():
            words += [f"--{flag.removesuffix('_px')}", value]
        recorded = book.run(f"{name}-recording", truth / "truth.json", *words)
        fitted = self._fit(book, name, video, project, "--size", options.size_px)
        return load_truth(truth), project, [recorded, fitted]

    def _fit(self, book: CostBook, name: str, video: Path, project: Path, *words: object) -> Cost:
        made = project / "field" / "metrics.json"
        return book.run(name, made, "fit", video, "-o", project, *words, *self._quick())

    def _edit(self, book: CostBook, name: str, project: Path, instruction: str) -> Cost:
        made = project / "edits" / EDIT_NAME / "edit.json"
        words = ["edit", "--instruction", instruction, "--name", EDIT_NAME, "--editor", "builtin"]
        return book.run(name, made, *words, "--project", project, *self._quick())

    def _quick(self) -> list[object]:
        return [] if self.training_steps is None else ["--training-steps", self.training_steps]

    @staticmethod
    def _open(project: Path, edit: str | None = None) -> Portrait:
        opened = Project.open(project)
        return commands.load_portrait(opened, load_take(opened.path("take")), edit)

    @staticmethod
    def _held_out(
        take: Take, frames: Mapping[int, np.ndarray], wanted: np.ndarray, head: Heads
    ) -> dict[str, float | None]:
        found = held_out_psnr(take, frames, wanted, head)
        return {
            "head_psnr_db": found.found_db,
            "null_psnr_db": found.null_db,
            "null_mean_psnr_db": found.mean_db,
            "null_nearest_psnr_db": found.nearest_db,
        }

    @staticmethod
    def _driven(portrait: Portrait, project: Path, truth: Truth, dump: Dump) -> dict[str, float | None]:
        poses = [portrait.pose_index(index) for index in range(round(NEW_SPEECH_S * FPS))]
        speech = NewSpeech.say(SpeakerOptions(**truth.options), NEW_SPEECH_S, NEW_SPEECH_SEED, poses)
        encode = load_encoder_of(project / "take").encode
        return asdict(lip_sync(portrait, truth, read_audio(truth.audio_path), speech, poses, encode, dump))

    def _edited(
        self, portrait: Portrait, project: Path, instruction: str, head: Heads, dump: Dump
    ) -> dict[str, float | None]:
        """Held-out frames of the edited field against the whole edit of the original field's renders."""
        take, plan, edited = portrait.take, EditPlan(instruction), self._open(project, EDIT_NAME)
        editor = open_editor("builtin", instruction)
        for each in (portrait, edited):
            each.set_audio(take.audio_features, len(take))

        @cache
        def original_frame(index: int) -> torch.Tensor:
            return portrait.render(index, pose=index).rgb

        @cache
        def edited_frame(index: int) -> np.ndarray:
            return to_bytes(edited.render(index, pose=index).rgb)

        @cache
        def expected_frame(index: int) -> np.ndarray:
            original = original_frame(index)[None]
            request = EditRequest(
                original,
                original,
                instruction,
                text_guidance=plan.text_guidance[1],
                image_guidance=plan.image_guidance,
                steps=plan.steps[1],
                generator=torch.Generator().manual_seed(plan.seed),
                masks=take_masks(take, index),
            )
            return to_bytes(editor.edit(request)[0])

        frames = spaced(take.held_out, EDITED_FRAMES)
        figures = {
            "edit_psnr_db": edited_psnr(edited_frame, expected_frame, head, frames, dump),
            "edit_lip_shift_pct": lip_shift_pct(edited_frame, expected_frame, _landmarks_68(), frames),
        }
        rows = []
        for index in spaced(take.held_out, SHEET_ROWS):
            turned = [
                to_bytes(edited.render(index, View(yaw_deg=yaw_deg), pose=index).rgb) for yaw_deg in (-20.0, 20.0)
            ]
            fitted = to_bytes(original_frame(index))
            rows.append([take.frames[index], fitted, expected_frame(index), edited_frame(index), *turned])
        columns = ("original", "fitted", "operator", "edited", "edited, yaw -20", "edited, yaw 20")
        dump.picture("sheet", contact_sheet(rows, columns))
        return figures


def _landmarks_68() -> Callable[[np.ndarray], np.ndarray | None]:
    """The default detector's iBUG points of a picture by itself: [68, 2] pixels, None where it finds no face."""
    detector = load_detector("mediapipe")

    def find(rgb: np.ndarray) -> np.ndarray | None:
        points = enlarged(detector.detect_still, rgb)
        return None if points is None else points[list(detector.ibug), :2]

    return find
