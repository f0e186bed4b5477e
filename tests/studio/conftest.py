"""A studio in a folder with a project that looks finished, a recording and a sound."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from talker.radfield.kernels import TorchKernels
from talker.studio.app import Studio, application
from talker.studio.home import Home
from talker.studio.stage import Stage
from talker.video import write_wav
from tests.cli.conftest import place as place
from tests.cli.conftest import project as project
from tests.cli.console import film, tone


@pytest.fixture
def home(place, project) -> Home:
    """The folder: `toy.talker`, `clip.mp4`, `speech.wav`."""
    film(place / "clip.mp4", 0.6)
    write_wav(place / "speech.wav", tone(1.0))
    home = Home(place)
    home.make_own()
    return home


@pytest.fixture
def stage(home):
    stage = Stage(home, TorchKernels())
    yield stage
    stage.close()


@pytest.fixture
def studio(home, stage):
    studio = Studio(home, stage)
    yield studio
    studio.queue.close()


@pytest.fixture
def page(studio):
    """What a browser on this machine can ask."""
    with TestClient(application(studio), base_url="http://127.0.0.1:7860") as client:
        yield client
