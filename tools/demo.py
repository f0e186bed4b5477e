"""`make demo`: the whole story on the demo speaker, through the commands that a user would type.

record -> fit -> measure -> edit -> say sentences that the fit never heard, at yaw 20 -> a contact sheet. What is there
already is not made again. Everything lands in out/; out/demo.json holds seconds per stage and the quality figures.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from talker.api import commands
from talker.core.contact_sheet import contact_sheet, save_picture
from talker.core.errors import TalkerError
from talker.core.images import spaced, to_bytes
from talker.core.records import write_record
from talker.core.types import FPS, View
from talker.driving.render import Portrait
from talker.projects.project import Project
from talker.speaker.record import SpeakerOptions
from talker.speaker.speech import speak
from talker.take.store import load_encoder_of, load_take
from talker.video import write_wav
from tools.notes import Notes
from tools.quality.clips import Bench
from tools.quality.cost import CostBook
from tools.quality.dump import Dump
from tools.quality.figures import UNJUDGED, table

OUT = Path("out")
PROJECT, SPEECH, VIDEO, SHEET = OUT / "demo.talker", OUT / "speech.wav", OUT / "drive.mp4", OUT / "sheet.png"
SPEAKER = SpeakerOptions(seconds=20.0)
INSTRUCTION, EDIT = "make him a Van Gogh painting", "van-gogh"
SPEECH_S, SPEECH_SEED = 12.0, 2024  # the recording's seed is 0: other sentences
VIEW = "yaw=20"
SHEET_ROWS = 4


def main() -> int:
    started = time.monotonic()
    OUT.mkdir(exist_ok=True)
    try:
        say(f"1/4  Recording the demo speaker and fitting him: {SPEAKER.seconds:.0f} s at {SPEAKER.size_px} px")
        bench = Bench(OUT, Dump(None), Notes(), frozenset({"tracked", "held-out", "driven"}), SPEAKER)
        figures = bench.demo()
        book = CostBook(OUT / "costs.json")
        say(f"2/4  Editing: {INSTRUCTION}")
        words = ["--instruction", INSTRUCTION, "--name", EDIT, "--project", PROJECT]
        edit = book.run("demo-edit", PROJECT / "edits" / EDIT / "edit.json", "edit", *words)
        wav, _, sentences = speak(SPEECH_S, SPEECH_SEED)
        write_wav(SPEECH, wav)
        say("3/4  Driving with what the fit never heard: " + " ".join(sentence.text for sentence in sentences))
        words = [SPEECH, "--edit", EDIT, "--view", VIEW, "-o", VIDEO, "--project", PROJECT, "--force"]
        drive = book.run("demo-drive", VIDEO, "drive", *words)
        say("4/4  Contact sheet")
        save_picture(SHEET, sheet(wav))
    except TalkerError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    costs = json.loads((OUT / "costs.json").read_text())
    seconds = {
        "speaker": costs["demo-recording"]["seconds"],
        "fit": costs["demo"]["seconds"],
        "edit": edit.seconds,
        "drive": drive.seconds,
    }
    now = time.monotonic() - started
    seconds["measure and sheet"] = max(0.0, now - sum(seconds.values()))
    seconds["in all"] = sum(seconds.values())
    peak = max(figures.peak_rss_mib or 0.0, edit.peak_rss_mib, drive.peak_rss_mib)
    figures = replace(figures, edit_s=edit.seconds, peak_rss_mib=peak)
    paths = {"video": VIDEO, "sheet": SHEET, "project": PROJECT, "recording": OUT / "demo.mp4", "speech": SPEECH}
    facts = {"seconds": {name: round(value, 1) for name, value in seconds.items()}}
    facts |= {"paths": {name: str(path) for name, path in paths.items()}, **figures.as_json()}
    write_record(OUT / "demo.json", facts)
    say(table({"demo": figures}, UNJUDGED))
    say(", ".join(f"{name} {value:.0f} s" for name, value in seconds.items()))
    say(f"Look at {VIDEO} (from {VIEW.replace('=', ' ')}) and {SHEET}; the figures are in {OUT / 'demo.json'}")
    return 0


def sheet(
    speech: np.ndarray,  # [T] at 16 kHz
) -> np.ndarray:
    """Held-out frames as filmed, fitted and edited; then the edit with new speech on its lips, from three sides."""
    project = Project.open(PROJECT)
    take = load_take(project.path("take"))
    features = load_encoder_of(project.path("take")).encode(speech)
    filmed = commands.load_portrait(project, take)
    edited = commands.load_portrait(project, take, EDIT)
    speaking = Portrait(edited.scene, take, edited.refiner, motion="still")
    filmed.set_audio(take.audio_features, len(take))
    edited.set_audio(take.audio_features, len(take))
    speaking.set_audio(features)
    rows, names = [], []
    moments = spaced(range(len(speaking)), SHEET_ROWS + 2)[1:-1]
    for index, moment in zip(spaced(take.held_out, SHEET_ROWS), moments, strict=True):
        pictures = [take.frames[index], *(to_bytes(who.render(index, pose=index).rgb) for who in (filmed, edited))]
        pictures += [to_bytes(speaking.render(moment, View(yaw_deg=yaw)).rgb) for yaw in (-20.0, 0.0, 20.0)]
        rows.append(pictures)
        names.append(f"{index / FPS:.1f} s")
    columns = ("original, held out", "fitted", "edited", "new speech, yaw -20", "yaw 0", "yaw 20")
    return contact_sheet(rows, columns, names, height_px=256)


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
