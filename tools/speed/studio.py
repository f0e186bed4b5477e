"""`talker studio` as a user meets it: a real browser loads, turns, plays and switches; the page's own clock measures.

The page notes, in milliseconds, from a hand's move to the screen's next drawing after its frame, and at every drawing
of the screen how far the picture shown is from the sound heard (`talker/studio/page/stage.js`).
"""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from talker.core.errors import Missing
from talker.core.temporary import scratch_folder
from talker.core.types import Reporter
from talker.speaker.speech import speak
from talker.video import write_wav
from tools.speed.browser import CHROMIUM, FLAGS, open_studio, why_not
from tools.speed.drive import EDIT, SPEECH_SEED, speaker_with_edit
from tools.speed.report import STUDIO_LINES, Report, fitted_options, report

if TYPE_CHECKING:
    from playwright.sync_api import Page

SPEECH_S = 14.0
STROKES, MOVES, MOVE_S = 4, 60, 1 / 60
SWITCHES = 10
_FIRST_MS = 30_000
_SCREENS = ("start", "stage", "edit", "render", "figures")
_SHAPES = {"wide": {"width": 1280, "height": 720}, "phone": {"width": 390, "height": 844}}


def measure(
    work: Path,  # where the speaker is, or will be
    reporter: Reporter,
    training_steps: int | None = None,
    pictures: Path | None = None,  # a folder for a picture of every screen, in both widths and schemes
) -> Report:
    from playwright.sync_api import sync_playwright

    if (reason := why_not()) is not None:
        raise Missing(f"The studio is measured in a browser, and there is none ({reason})")
    project = speaker_with_edit(work, reporter, training_steps)
    values: dict[str, float] = {}
    with scratch_folder() as workspace:
        shutil.copytree(project, workspace / project.name)
        write_wav(workspace / "speech.wav", speak(SPEECH_S, SPEECH_SEED)[0])
        with open_studio(workspace) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_context(viewport=_SHAPES["wide"]).new_page()
            for name, measured in (("load", _load), ("orbit", _orbit), ("play", _play), ("switch", _switch)):
                reporter.progress(name, 0.0)
                values |= measured(page, address)
            if pictures is not None:
                for scheme in ("light", "dark"):
                    for shape, viewport in _SHAPES.items():
                        page = browser.new_context(viewport=viewport, color_scheme=scheme).new_page()
                        _photograph(page, address, pictures, f"{shape}-{scheme}")
            browser.close()
    return report(fitted_options(project), values, STUDIO_LINES)


def _load(page: Page, address: str) -> dict[str, float]:
    """The first page after the studio's start: the speaker is loaded, too."""
    page.goto(f"{address}#/stage")
    _wait(page, "() => studio.stage.metrics.first_ms !== null")
    return {"load_s": round(page.evaluate("() => studio.stage.metrics.first_ms") / 1000, 2)}


def _orbit(page: Page, _address: str) -> dict[str, float]:
    box = page.locator("#canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for stroke in range(STROKES):
        page.mouse.move(x, y)
        page.mouse.down()
        started_s = time.monotonic()
        for move in range(MOVES):
            time.sleep(max(0.0, started_s + move * MOVE_S - time.monotonic()))
            page.mouse.move(x + (-1) ** stroke * 2 * move, y + move / 3)
        page.mouse.up()
        page.wait_for_timeout(500)
    delays_ms = page.evaluate("() => studio.stage.metrics.orbit_ms")
    return {"orbit_ms_p50": round(statistics.median(delays_ms)), "orbit_ms_p95": round(_share(delays_ms, 0.95))}


def _play(page: Page, _address: str) -> dict[str, float]:
    _wait(page, "() => studio.transport.seconds > 0")
    page.evaluate("() => { studio.set({ yaw: 0, pitch: 0, zoom: 1 }); studio.stage.metrics.skew_ms.length = 0; }")
    before = page.evaluate("() => studio.stage.metrics.shown")
    page.get_by_role("button", name="Play").click()
    _wait(page, "() => studio.transport.now_s() > 1")  # what begins is not typical
    first = page.evaluate("() => { studio.stage.metrics.skew_ms.length = 0; return studio.stage.metrics.shown; }")
    began_s = page.evaluate("() => studio.transport.now_s()")
    _wait(page, f"() => studio.transport.now_s() > {SPEECH_S - 1}")
    shown, ended_s, skew_ms, share = page.evaluate(
        "() => [studio.stage.metrics.shown, studio.transport.now_s(), studio.stage.metrics.skew_ms, "
        "studio.stage.metrics.share]"
    )
    page.get_by_role("button", name="Pause").click()
    assert shown > first >= before
    return {
        "play_fps": round((shown - first) / (ended_s - began_s), 1),
        "av_skew_ms": round(_share([abs(skew) for skew in skew_ms], 0.95)),
        "play_share": round(share, 2),
    }


def _switch(page: Page, _address: str) -> dict[str, float]:
    page.evaluate("() => { studio.stage.metrics.switch_ms.length = 0; }")
    for number in range(SWITCHES):
        page.locator(f"#strip [data-edit='{'' if number % 2 else EDIT}']").click()
        _wait(page, f"() => studio.stage.metrics.switch_ms.length > {number}")
        page.wait_for_timeout(300)
    delays_ms = page.evaluate("() => studio.stage.metrics.switch_ms")
    return {"switch_ms": round(statistics.median(delays_ms)), "switch_ms_first": round(delays_ms[0])}


def _photograph(page: Page, address: str, folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for screen in _SCREENS:
        page.goto(f"{address}#/{screen}")
        page.wait_for_timeout(1500)
        page.screenshot(path=folder / f"{screen}-{name}.png")
    page.goto(f"{address}#/stage")
    page.evaluate(f"() => studio.set({{ edit: {EDIT!r}, pair: true, yaw: -12 }})")
    page.wait_for_timeout(1500)
    page.screenshot(path=folder / f"compare-{name}.png")


def _wait(page: Page, condition: str) -> None:
    """Until a condition holds. `wait_for_function` would need what the page's own policy forbids: eval."""
    end_s = time.monotonic() + _FIRST_MS / 1000
    while not page.evaluate(condition):
        if time.monotonic() > end_s:
            raise TimeoutError(condition)
        page.wait_for_timeout(50)


def _share(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
