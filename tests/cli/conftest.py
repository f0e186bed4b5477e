"""A place for each test of the command line, and a project that looks finished."""

from __future__ import annotations

import pytest

from talker.api.artifacts import REFINER_FILE, SCENE_FILE
from talker.projects.project import Project, Stage
from talker.radfield.field import FieldOptions
from talker.radfield.fit_take import FieldFitOptions, new_scene
from talker.radfield.kernels import TorchKernels
from talker.radfield.torso import TorsoOptions
from talker.refine.network import RefinementNet
from talker.take.audio import MelEncoder
from talker.take.store import save_take
from tests.cli.console import tone

TINY_HEAD = FieldOptions(4, 32, 8, 4, 32, 8, occupancy=16)
TINY_TORSO = TorsoOptions(levels=4, finest=32, table_log2=8)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty folder to work in, in another one that is the test's own, too."""
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def project(place, toy_take) -> Project:
    """A project that looks finished, with an untrained field and one edit; in the current folder."""
    project = Project.create(place / "toy.talker")
    speech = tone(len(toy_take) / 25)
    encoder = MelEncoder().fit(speech)
    take = type(toy_take)(**{**vars(toy_take), "audio_features": encoder.encode(speech)})
    options = FieldFitOptions(head=TINY_HEAD, torso=TINY_TORSO)
    scene = new_scene(take, options, TorchKernels())
    take_stage = Stage("take", {"landmarks": "mediapipe", "audio": "mel"})
    with project.build(take_stage) as build:
        facts = {"options": {"audio_model": None}}
        save_take(take, build.folder, audio_state=encoder.state(), facts=facts)
        build.measured.update(frames=12, seconds=0.5, size_px=[16, 16])
    field_stage = Stage("field", {"take": take_stage.fingerprint})
    with project.build(field_stage) as build:
        scene.save(build.folder / SCENE_FILE)
        build.measured.update(head_psnr_db=20.0, null_psnr_db=10.0, kernels="torch")
    plan = {"instruction": "bronze", "editor": "builtin", "rounds": 3}
    with project.build(Stage("edits/bronze", {"field": field_stage.fingerprint, **plan})) as build:
        scene.save(build.folder / SCENE_FILE)
        RefinementNet().save(build.folder / REFINER_FILE)
    return project
