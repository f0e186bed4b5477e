"""A studio in a folder with a project that looks finished, a recording and a sound."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from talker.radfield.kernels import TorchKernels
from talker.studio.app import Studio, application
from talker.studio.viewport import Viewport
from talker.studio.workspace import Workspace
from talker.video import write_wav
from tests.cli.conftest import place as place
from tests.cli.conftest import project as project
from tests.cli.console import film, tone


@pytest.fixture
def workspace(place, project) -> Workspace:
    """The folder: `toy.talker`, `clip.mp4`, `speech.wav`."""
    film(place / "clip.mp4", 0.6)
    write_wav(place / "speech.wav", tone(1.0))
    workspace = Workspace(place)
    workspace.make_own()
    return workspace


@pytest.fixture
def viewport(workspace):
    viewport = Viewport(workspace, TorchKernels())
    yield viewport
    viewport.close()


@pytest.fixture
def studio(workspace, viewport):
    studio = Studio(workspace, viewport)
    yield studio
    studio.queue.close()


@pytest.fixture
def page(studio):
    """What a browser on this machine can ask."""
    with TestClient(application(studio), base_url="http://127.0.0.1:7860") as client:
        yield client
