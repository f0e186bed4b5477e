"""Links that lead out of the studio's folder: nothing there is read, written or removed, by no page and by no job."""

from __future__ import annotations

import hashlib
import shutil
import sys
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from talker.core.errors import BadInput
from talker.studio.app import Studio, application
from talker.studio.jobs import Queue
from talker.studio.workspace import Workspace
from tests.studio.sessions import STAGE, next_of

pytestmark = pytest.mark.slow

EDIT = ["/edits/bronze/rounds", "/thumbnail?edit=bronze"]
REFUSED = {  # what cannot be looked at when that part leads out
    "take": ["", "/thumbnail?edit=bronze"],
    "field": ["", "/thumbnail?edit=bronze"],
    "edits": EDIT,
    "edits/bronze": EDIT,
    "edits/bronze/field.safetensors": EDIT,
    "renders": [],
    "previews": ["/previews/secret.json"],
    "eval": [],
}


@pytest.fixture
def disk(tmp_path_factory):
    """Outside; what lies there is the same afterwards."""
    folder = tmp_path_factory.mktemp("disk")
    fingerprints: dict[str, str] = {}
    yield lambda part, project: fingerprints.update(move(project.root / part, folder / "moved") or seen(folder))
    assert fingerprints and seen(folder) == fingerprints, "something outside was changed"


def move(path: Path, goal: Path) -> None:
    if not path.exists():
        path.mkdir()
        (path / "secret.json").write_text("{}")
    shutil.move(path, goal)
    path.symlink_to(goal)


def seen(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("part", REFUSED)
def test_a_part_of_a_project_that_leads_out_is_told_and_left_alone(page, project, disk, part):
    disk(part, project)
    facts = page.get("/api/home").json()["projects"][0]
    assert facts["name"] == "toy.talker" and (part in str(facts["error"]) or part.endswith("tensors"))
    project_url = "/api/projects/toy.talker"
    for rest in ("", "/figures", "/previews/secret.json", *EDIT):
        answer = page.get(project_url + rest)
        assert answer.status_code == 400 if rest in REFUSED[part] else answer.status_code in (200, 400), answer.text
        assert rest not in REFUSED[part] or "leads out" in answer.json()["error"]
    for change in (
        page.post(f"{project_url}/edits/bronze", json={"name": "statue"}),
        page.delete(f"{project_url}/edits/{'bronze' if part.startswith('edits') else 'statue'}"),
    ):
        assert change.status_code == (400 if part.startswith("edits") else 200), change.text
        assert change.status_code == 200 or "leads out" in change.json()["error"]
    if part in ("take", "field") or part.startswith("edits"):
        with page.websocket_connect(STAGE) as socket:
            socket.send_json({"seq": 1, "request": {"project": "toy.talker", "edit": "bronze"}})
            said = next_of(socket, "error")["error"]
            assert "leads out" in said and "\n" not in said


def test_a_job_leaves_no_trace_outside(workspace, project, disk, page):
    """The page asks while all is well; the links come later, as before a command that runs for hours."""
    queue = Queue(workspace, program=(sys.executable, "-m", "talker"))
    disk("renders", project)
    drive = queue.ask({"kind": "drive", "project": "toy.talker", "audio": "speech.wav"})
    (workspace.root / "clip.talker").symlink_to(project.root / "renders")
    with pytest.raises(BadInput, match="leads out"):
        queue.ask({"kind": "fit", "video": "clip.mp4"})
    end_s = time.monotonic() + 120
    while drive.state in ("waiting", "running") and time.monotonic() < end_s:
        time.sleep(0.05)
    queue.close()
    assert drive.state == "failed" and "toy.talker/renders is, or lies behind, a link that leads out" in drive.error


@pytest.mark.parametrize("part", [".studio", ".studio/jobs", ".studio/uploads", ".studio/jobs/0001.log"])
def test_a_studio_whose_own_folder_leads_out_is_not_opened(place, workspace, tmp_path_factory, part):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "precious").write_text("precious")
    if (place / part).exists():
        shutil.rmtree(place / part)
    (place / part).parent.mkdir(exist_ok=True)
    (place / part).symlink_to(outside / "precious" if part.endswith(".log") else outside)
    for _ in range(2):
        with pytest.raises(BadInput, match="leads out"):
            Workspace(place).make_own()
    assert seen(outside) == {str(outside / "precious"): hashlib.sha256(b"precious").hexdigest()}


def test_what_the_studio_keeps_is_not_written_through_a_link_that_came_later(studio, page, place, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    for name in ("uploads", "waveforms", "sounds"):
        (place / ".studio" / name).symlink_to(outside)
    data = (place / "speech.wav").read_bytes()
    for answer in (
        page.put("/api/files?name=new.wav", content=data),
        page.get("/api/sounds/speech.wav"),
        page.get("/api/sounds/speech.wav/wav"),
    ):
        assert answer.status_code == 400 and "leads out" in answer.json()["error"]
    assert not list(outside.iterdir())


def test_a_new_file_takes_no_place_of_a_link_that_leads_nowhere(page, place, tmp_path_factory):
    goal = tmp_path_factory.mktemp("outside") / "new.wav"
    (place / "new.wav").symlink_to(goal)
    data = (place / "speech.wav").read_bytes()
    assert page.put("/api/files?name=new.wav", content=data).json() == {"name": "new-2.wav"}
    assert not goal.exists()


def test_links_within_the_folder_serve(place, project, workspace, viewport):
    (place / "store").mkdir()
    move(project.root / "edits", place / "store" / "edits")
    move(project.root, place / "store" / "toy.talker")
    studio = Studio(workspace, viewport)
    with TestClient(application(studio), base_url="http://127.0.0.1:7860") as page:
        facts = page.get("/api/home").json()["projects"][0]
        assert facts["error"] is None and [edit["name"] for edit in facts["edits"]] == ["bronze"]
        assert page.get("/api/projects/toy.talker/thumbnail?edit=bronze").status_code == 200
        assert page.delete("/api/projects/toy.talker/edits/bronze").status_code == 200
    studio.queue.close()
    assert not list((place / "store" / "edits").iterdir())
