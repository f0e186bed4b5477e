"""No name that a page says leads out of the studio's folder."""

from __future__ import annotations

import pytest

from talker.core.errors import BadInput

HIDDEN = [
    "../secret.png",
    "toy.talker/../../secret.png",
    "/etc/hosts.png",
    ".studio/lock",
    ".studio/jobs/0001.json",
    ".hidden/secret.png",
    "toy.talker/.lock",
    "toy.talker/field/field.safetensors",
    "toy.talker",
    "",
    "a\0.png",
    "..\\secret.png",
    "link.png",
    "linked/secret.png",
]


@pytest.fixture
def outside(place, workspace, tmp_path_factory):
    secret = tmp_path_factory.mktemp("outside") / "secret.png"
    secret.write_bytes(b"secret")
    (place / "link.png").symlink_to(secret)
    (place / "linked").symlink_to(secret.parent)
    (place.parent / "secret.png").write_bytes(b"secret")
    for hidden in (".studio/jobs/0001.json", ".hidden/secret.png"):
        (place / hidden).parent.mkdir(parents=True, exist_ok=True)
        (place / hidden).write_bytes(b"secret")
    return secret


@pytest.mark.parametrize("name", HIDDEN)
def test_what_lies_outside_or_is_hidden_is_not_served(workspace, outside, page, name):
    with pytest.raises(BadInput):
        workspace.served(name)
    answer = page.get(f"/files/{name}".replace("\0", "%00").replace("..", "%2e%2e"))
    assert answer.status_code in (400, 404) and b"secret" not in answer.content


def test_what_the_page_shows_is_served(page, place):
    assert page.get("/files/clip.mp4", headers={"range": "bytes=0-3"}).status_code == 206
    assert page.get("/files/toy.talker/take/background.png").headers["content-type"] == "image/png"
    for name in ("check.html", "X.HTML"):
        (place / "toy.talker" / name).write_text("<script>alert(1)</script>")
        assert "sandbox" in page.get(f"/files/toy.talker/{name}").headers["content-security-policy"]


def test_links_out_of_the_folder_are_no_files(workspace, outside):
    for name in ("link.png", "linked"):
        with pytest.raises(BadInput):
            workspace.file(name, "picture")
    assert workspace.contents()["pictures"] == []


def test_nothing_is_ever_replaced(workspace):
    assert workspace.free("speech.wav").name == "speech-2.wav"
    assert workspace.free("../../x/..\\evil<name>.WAV").name == "evil-name.wav"
    assert workspace.free(".hidden.png").name == "hidden.png"
    assert workspace.free("--force.png").name == "force.png"
    assert len(workspace.free("x" * 300 + ".png").name) < 100


def test_the_contents_say_what_there_is_and_what_is_broken(workspace, place):
    (place / "broken.talker").mkdir()
    (place / "broken.talker" / "project.json").write_text("{")
    facts = workspace.contents()
    assert (facts["videos"], facts["sounds"]) == (["clip.mp4"], ["speech.wav"])
    broken, toy = facts["projects"]
    assert "damaged" in broken["error"] and toy["error"] is None
    assert toy["fitted"] and [edit["name"] for edit in toy["edits"]] == ["bronze"]
