"""Instructions x seeds x ways of editing: every edit is made and judged once, and a killed comparison goes on."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

from talker.api.artifacts import SCENE_FILE, open_project, scene_record
from talker.api.edit_run import EditRun, TrainingOptions
from talker.core.contact_sheet import contact_sheet, save_picture
from talker.core.errors import Missing
from talker.core.images import spaced
from talker.core.losses import FeatureBank, PyramidBank
from talker.core.records import write_record
from talker.core.types import EditPlan, Reporter, Silent
from talker.driving.render import USUAL_DETAIL, Portrait
from talker.editors.builtin.editor import BuiltinEditor
from talker.editors.editor import Editor
from talker.projects.names import slug
from talker.projects.project import Stage
from talker.radfield.backends import choose_kernels
from talker.radfield.scene import Scene
from talker.refine.objective import RefineOptions
from talker.take.identity import FaceIdentity
from talker.take.landmarks import load_detector
from talker.take.store import TakeFolder, load_take
from talker.video import read_audio
from tools.editing.drive import Drive, deflickered
from tools.editing.judge import judge, measure_detail, operator_of, steady_psnr_db
from tools.noisy_editor import PROPORTIONS, NoisyEditor

INSTRUCTIONS = (
    "make him a Van Gogh painting",
    "turn him into a bronze statue",
    "turn him into a pencil sketch",
    "make his hair blue and the background red",
)
SHOWN = 3  # pictures of each way in the sheet
HALF_DETAIL = 0.4


@dataclass(frozen=True)
class Way:
    """One way to edit a field."""

    strategy: str = "progressive"
    noisy: bool = True  # the stand-in, or the steady editor itself
    lip_edge: bool = True  # the loss
    lip_stage: bool = True  # without it, the rounds have its steps
    details: tuple[float, ...] = (USUAL_DETAIL,)  # weights w at which its drive is judged


WAYS = {
    "progressive": Way(details=(USUAL_DETAIL, HALF_DETAIL, 0.0)),
    "once": Way("once", details=(USUAL_DETAIL, 0.0)),
    "iterative": Way("iterative"),
    "no lip edge": Way(lip_edge=False),
    "no lip stage": Way(lip_stage=False),
    "builtin": Way(noisy=False),
}
PER_FRAME = ("operator", "per frame", "per frame, deflickered")


@dataclass(frozen=True)
class Size:
    """How much is edited and trained."""

    frames: int = 60  # N, edited in every round
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(round_steps=100, lip_steps=100))
    driven: int = 75  # at most so many held-out frames are judged


@dataclass(frozen=True)
class Comparison:
    """One fitted speaker, edited in all ways. What it has found out lies in `work`."""

    original: Scene
    drive: Drive
    fingerprint: str  # of the fit
    work: Path
    size: Size
    bank: FeatureBank
    faces: FaceIdentity | None  # None: identity is left out
    reporter: Reporter

    @classmethod
    def of(cls, project: Path, work: Path, size: Size, reporter: Reporter) -> Comparison:
        opened = open_project(project)
        fingerprint = scene_record(opened, None)["fingerprint"]
        take, original = load_take(opened.path("take")), Scene.load(opened.path("field") / SCENE_FILE, choose_kernels())
        detector = opened.record("take")["inputs"]["landmarks"]
        wav = read_audio(TakeFolder(opened.path("take")).audio)
        drive = Drive.of(Portrait(original, take), wav, lambda: load_detector(detector), size.driven, reporter)
        return cls(original, drive, fingerprint, work, size, PyramidBank(), _face_network(reporter), reporter)

    def run(self, instructions: Sequence[str], seeds: Sequence[int]) -> list[dict[str, dict[str, float | None]]]:
        """A cell for each instruction and seed: figures by the name of the row that they belong to."""
        return [self.cell(text, seed) for text in instructions for seed in seeds]

    def cell(self, instruction: str, seed: int) -> dict[str, dict[str, float | None]]:
        folder = self.work / f"{slug(instruction)}-{seed}"
        wanted = operator_of(self.drive, instruction)
        rows = self._per_frame(folder, instruction, seed, wanted)
        for name, way in WAYS.items():
            rows |= self._way(folder, name, way, instruction, seed, wanted)
        self._sheet(folder)
        return rows

    # ---------------------------------------------------------------- one way

    def _way(
        self, folder: Path, name: str, way: Way, instruction: str, seed: int, wanted: np.ndarray
    ) -> dict[str, dict[str, float | None]]:
        inputs = self._inputs(instruction, seed) | asdict(way)
        made = _made(folder / f"{name}.json", inputs)
        if made is not None:
            return made
        at_work = folder / f"{name}-{Stage(name, inputs).fingerprint}.work"  # what others began is not gone on with
        self.reporter.progress(f"{instruction}, seed {seed}: {name}", 0.0)
        take = self.drive.take
        plan = EditPlan(instruction, seed=seed, frames=self.size.frames, strategy=way.strategy)
        editor: Editor = NoisyEditor() if way.noisy else BuiltinEditor()
        losses, training = RefineOptions() if way.lip_edge else RefineOptions(lip_edge=0.0), self.size.training
        if not way.lip_stage:
            longer = training.round_steps + training.lip_steps // plan.rounds
            training = replace(training, round_steps=longer, lip_steps=0)
        for stale in folder.glob(f"{name}-*.work"):
            if stale != at_work:
                shutil.rmtree(stale)
        whole = not at_work.exists()  # a run that was cut in two has no time of its own
        started = time.monotonic()
        run = EditRun(take, self.original, editor, plan, training, at_work, Silent(), losses)
        run.run()
        seconds = time.monotonic() - started if whole else None
        edited, rows, videos = Portrait(run.scene, take, run.net), {}, {}
        for detail in way.details:
            videos[detail] = self.drive.rendered(edited, detail)
            rows[_row_name(name, detail)] = self._judged(videos[detail], wanted, seconds)
        if way.noisy and 0.0 in videos:
            alone = self.drive.edited(editor, plan, videos[0.0])
            rows[name] |= asdict(measure_detail(videos[0.0], videos[USUAL_DETAIL], alone, self.bank))
        if not way.noisy:
            rows[name]["builtin_psnr_db"] = steady_psnr_db(videos[USUAL_DETAIL], wanted, self.drive)
        self._keep(folder, name, videos[USUAL_DETAIL], inputs, rows)
        shutil.rmtree(at_work)
        return rows

    def _per_frame(
        self, folder: Path, instruction: str, seed: int, wanted: np.ndarray
    ) -> dict[str, dict[str, float | None]]:
        """The unedited drive edited picture by picture: steadily, which is the ceiling, and as two-stage baselines."""
        inputs = self._inputs(instruction, seed)
        made = [_made(folder / f"{name}.json", inputs) for name in PER_FRAME]
        if None not in made:
            return {name: row for rows in made for name, row in rows.items()}
        started = time.monotonic()
        alone = self.drive.edited(NoisyEditor(), EditPlan(instruction, seed=seed))
        seconds = time.monotonic() - started
        rows = {}
        videos = (wanted, alone, deflickered(alone, self.drive.unedited))
        for name, video in zip(PER_FRAME, videos, strict=True):
            rows[name] = self._judged(video, wanted, None if video is wanted else seconds)
            self._keep(folder, name, video, inputs, {name: rows[name]})
        return rows

    def _judged(self, video: np.ndarray, wanted: np.ndarray, seconds: float | None) -> dict[str, float | None]:
        found = asdict(judge(video, wanted, self.drive, self.bank, self.faces, Silent()))
        return found | {"seconds": seconds}

    def _inputs(self, instruction: str, seed: int) -> dict:
        size = asdict(self.size)
        return {"field": self.fingerprint, "instruction": instruction, "seed": seed, "faults": PROPORTIONS} | size

    # ---------------------------------------------------------------- what is kept

    def _keep(self, folder: Path, name: str, video: np.ndarray, inputs: Mapping, rows: Mapping) -> None:
        pictures = [video[place] for place in spaced(range(len(video)), SHOWN)]
        save_picture(folder / f"{name}.png", np.concatenate(pictures, axis=1))
        write_record(folder / f"{name}.json", {"inputs": inputs, "rows": rows})

    def _sheet(self, folder: Path) -> None:
        names = [*PER_FRAME, *WAYS]
        places = spaced(range(len(self.drive.unedited)), SHOWN)
        rows = [[self.drive.unedited[place] for place in places]]
        for name in names:
            strip = np.asarray(Image.open(folder / f"{name}.png"))
            rows.append(np.split(strip, len(places), axis=1))
        save_picture(folder / "sheet.png", contact_sheet(rows, row_names=["unedited", *names], height_px=160))


def _row_name(way: str, detail: float) -> str:
    return way if detail == USUAL_DETAIL else f"{way}, w {detail:g}"


def _made(path: Path, inputs: Mapping) -> dict[str, dict[str, float | None]] | None:
    """The rows of a way that was judged before under the same inputs."""
    if not path.is_file():
        return None
    facts = json.loads(path.read_text())
    return facts["rows"] if facts["inputs"] == json.loads(json.dumps(inputs)) else None


def _face_network(reporter: Reporter) -> FaceIdentity | None:
    try:
        return FaceIdentity.load()
    except Missing as missing:
        reporter.notice(f"face distance is left out: {missing}")
        return None
