"""Files that name other files, given wherever the command line takes a video, a sound or a picture."""

from __future__ import annotations

from tests.cli.console import refused
from tests.hostile_media import KINDS, USUAL, write_secret

NOBODY_LISTENS = 9  # the port; who calls it is refused, and that would be told otherwise
INPUTS = (
    ["fit", "leak.mp4"],
    ["check", "leak.mp4"],
    ["drive", "leak.wav"],
    ["drive", "secret.mp4", "--background", "leak.png"],
    ["eval", "--speech", "leak.wav"],
)


def test_nothing_is_read_of_what_a_file_names(project, place, capsys):
    secret = write_secret(place / "secret.mp4")
    for kind in USUAL:
        for name in ("leak.mp4", "leak.wav", "leak.png"):
            (place / name).write_text(KINDS[kind](secret, NOBODY_LISTENS))
        for words in INPUTS:
            said = refused(capsys, *words)
            assert "leak" in said and ("is no" in said or "cannot be read" in said), f"{words}, {kind}: {said}"


def test_what_is_no_path_is_no_file(project, place, capsys):
    secret = write_secret(place / "secret.mp4")
    urls = ["data:audio/wav;base64,UklGRg==", "http://127.0.0.1:9/x.wav", "lavfi:sine=440", f"concat:{secret}|{secret}"]
    for url in (*urls, f"file:{secret}", f"file://{secret}", f"subfile,,start,0,end,0,,:{secret}"):
        for words in (["fit"], ["check"], ["drive"], ["eval", "--speech"]):
            assert "No such file" in refused(capsys, *words, url)
