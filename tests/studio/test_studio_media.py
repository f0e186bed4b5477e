"""Files that name other files, brought to the studio or lying in its folder."""

from __future__ import annotations

import pytest

from tests.hostile_media import KINDS, USUAL, write_secret

NOBODY_LISTENS = 9


@pytest.fixture
def secret(tmp_path_factory):
    """Outside the studio's folder."""
    return write_secret(tmp_path_factory.mktemp("elsewhere") / "secret.mp4")


def test_none_is_taken_in_and_none_that_is_there_is_played(page, workspace, secret):
    for kind in USUAL:
        leak = KINDS[kind](secret, NOBODY_LISTENS)
        for name in ("leak.mp4", "leak.mp3", "leak.png"):
            answer = page.put(f"/api/files?name={name}", content=leak.encode())
            assert answer.status_code == 400 and set(answer.json()) == {"error"}, kind
            assert "\n" not in answer.json()["error"] and not (workspace.root / name).exists()
        (workspace.root / "leak.wav").write_text(leak)
        for url in ("/api/sounds/leak.wav", "/api/sounds/leak.wav/wav"):
            answer = page.get(url)
            assert answer.status_code == 400 and "leak.wav is no" in answer.json()["error"], kind
    assert not list(workspace.own.glob("sounds/*")) and not list(workspace.own.glob("waveforms/*"))
