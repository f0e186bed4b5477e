"""The story in a real browser: demo speaker, check, fit, preview, edit, orbit, render, play; a reload in each job."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from talker.speaker.speech import speak
from talker.video import probe, write_wav
from tools.speed.browser import CHROMIUM, FLAGS, open_studio, why_not

pytestmark = [pytest.mark.slow, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]
# The page asks for whole trainings; the story does with a few steps of each.
SHORT = {
    "speaker": {"seconds": 4, "size": 96},
    "fit": {"size": 64, "training-steps": 24},
    "edit": {"rounds": 2, "frames": 4, "training-steps": 3},
    "eval": {"frames": 10},
}
# What is to be seen in each section when the story is over.
SIGNS = {
    "start": "[data-project='demo.talker']",
    "stage": "#strip img",
    "edit": "#train",
    "render": "video[data-video]",
    "figures": "table.figures td",
}
JOB_MS = 240_000
DROPPED = """(bytes) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], "speech.wav"));
  return data;
}"""
PICTURES = os.environ.get("TALKER_STORY_PICTURES")  # a folder: how every step of the story looked


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    page = browser.new_context(viewport={"width": 1280, "height": 720}, bypass_csp=True).new_page()
    page.set_default_timeout(30_000)
    mistakes = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.on("response", lambda response: response.status >= 500 and mistakes.append(response.url))
    page.route("**/api/jobs", shortened)
    yield page
    page.context.close()
    assert mistakes == []


def shortened(route) -> None:
    order = json.loads(route.request.post_data)
    route.continue_(post_data=json.dumps({**order, **SHORT.get(order["kind"], {})}))


def picture(page, name: str) -> None:
    if PICTURES:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


def job(page, kind: str, *states: str) -> None:
    """Wait until the newest job of a kind is in one of these states."""
    page.wait_for_function(
        "([kind, states]) => states.includes(window.studio?.state.jobs.findLast((job) => job.kind === kind)?.state)",
        arg=[kind, states],
        timeout=JOB_MS,
    )


def seen(page) -> list[int]:
    """The stage's picture, as the page has it: a few of its pixels."""
    return page.evaluate(
        "() => [...studio.stage.context.getImageData(0, 0, studio.stage.canvas.width, studio.stage.canvas.height).data]"
        ".filter((_, place) => place % 997 === 0)"
    )


def test_the_story(page, browser, tmp_path):
    with open_studio(tmp_path) as address:
        page.goto(address)
        page.get_by_role("heading", name="Film somebody talking").wait_for()
        picture(page, "01-start")

        page.get_by_role("button", name="Take the demo speaker").click()
        job(page, "speaker", "running")
        page.reload()  # the queue is the studio's, not the page's
        job(page, "speaker", "done")
        job(page, "check", "done")  # which the page asks for by itself
        report = page.frame_locator("iframe.report")
        report.locator("img").first.wait_for()
        assert report.locator("script").count() == 0
        picture(page, "02-check")

        page.get_by_role("button", name="Fit", exact=True).click()
        job(page, "fit", "running")
        page.get_by_role("button", name="Cancel").first.click()
        job(page, "fit", "cancelled")
        page.get_by_role("button", name="Go on fitting").click()
        job(page, "fit", "running")
        page.reload()
        page.locator("#fit-progress progress").wait_for()
        picture(page, "03-fit")
        job(page, "fit", "done")
        page.get_by_role("button", name="To the stage", exact=True).click()
        page.wait_for_function("() => window.studio.stage.metrics.first_ms")
        picture(page, "04-stage")

        # Orbit with the mouse, with keys; the picture changes, and comes back.
        page.wait_for_timeout(600)
        ahead = seen(page)
        box = page.locator("#canvas").bounding_box()
        page.mouse.move(box["x"] + 200, box["y"] + 200)
        page.mouse.down()
        page.mouse.move(box["x"] + 300, box["y"] + 180, steps=5)
        page.mouse.up()
        page.wait_for_timeout(800)
        assert page.evaluate("studio.state.yaw") == pytest.approx(22, abs=1)
        turned = seen(page)
        assert turned != ahead
        page.locator("#frame").focus()
        page.keyboard.press("0")
        page.wait_for_timeout(800)
        assert seen(page) == ahead
        page.mouse.wheel(0, -400)
        page.wait_for_timeout(600)
        assert page.evaluate("studio.state.zoom") > 1.2
        page.keyboard.press("0")

        # A sound is dropped, and plays in time.
        write_wav(tmp_path / "speech.wav", speak(2.0, seed=9)[0])
        sound = (tmp_path / "speech.wav").read_bytes()
        (tmp_path / "speech.wav").unlink()
        data = page.evaluate_handle(DROPPED, list(sound))
        page.dispatch_event("#stage", "drop", {"dataTransfer": data})
        page.wait_for_function("() => studio.state.voice === 'speech.wav' && studio.transport.seconds > 1.9")
        assert (tmp_path / "speech.wav").read_bytes() == sound
        page.get_by_role("button", name="Play").click()
        page.wait_for_function("() => !studio.state.playing && studio.stage.metrics.shown > 5")
        skew = sorted(map(abs, page.evaluate("studio.stage.metrics.skew_ms")))
        assert skew[len(skew) // 2] < 80

        # Say it, look at it, choose a cell, train it.
        page.get_by_role("link", name="Edit").click()
        page.get_by_role("button", name="bronze statue").click()
        page.get_by_text("bronze statue", exact=False).first.wait_for()
        page.locator("#preview").click()
        job(page, "preview", "done")
        page.locator(".grid button").nth(1).wait_for()
        page.locator(".grid button[data-guidance='4.5']").first.click()
        picture(page, "05-preview")
        page.locator("#train").click()
        job(page, "edit", "running")
        page.reload()
        page.locator(".rounds img").first.wait_for(timeout=JOB_MS)
        picture(page, "06-train")
        job(page, "edit", "done")
        page.locator("#strip [data-edit='bronze-statue']").wait_for()
        plan = json.loads((tmp_path / "demo.talker/edits/bronze-statue/edit.json").read_text())
        assert plan["text_guidance"] == [3.0, 4.5]

        # Switch, compare with the divider.
        page.get_by_role("link", name="Stage", exact=True).click()
        page.locator("#strip [data-edit='']").click()
        page.wait_for_timeout(600)
        filmed = seen(page)
        page.locator("#strip [data-edit='bronze-statue']").click()
        page.wait_for_timeout(600)
        edited = seen(page)
        assert edited != filmed
        page.get_by_role("button", name="Compare").click()
        page.locator("#divider").focus()
        for _ in range(10):
            page.keyboard.press("ArrowLeft")
        page.wait_for_function("() => studio.stage.shown.header.pair")
        picture(page, "07-compare")

        # A video: its command is shown, it plays, and lies in the project.
        page.get_by_role("link", name="Render").click()
        page.locator("#path").check()
        page.wait_for_function("() => document.querySelector('#command').textContent.includes('yaw=-20..20')")
        said = page.locator("#command").text_content()
        assert said.startswith("talker drive speech.wav --edit bronze-statue --view=yaw=-20..20")
        page.locator("#render").click()
        job(page, "drive", "running")
        page.reload()
        job(page, "drive", "done")
        video = page.locator("video").first
        video.wait_for()
        page.wait_for_function("() => document.querySelector('video').readyState >= 1")
        assert page.evaluate("document.querySelector('video').duration") == pytest.approx(2.0, abs=0.1)
        assert probe(tmp_path / "demo.talker/renders/0001.mp4").has_audio
        picture(page, "08-render")

        # Live: the made-up microphone beeps, and frames come.
        page.get_by_role("link", name="Stage", exact=True).click()
        shown = page.evaluate("studio.stage.metrics.shown")
        page.get_by_role("button", name="Live").click()
        page.wait_for_function("(shown) => studio.stage.metrics.shown > shown + 10", arg=shown)
        page.evaluate("studio.set({ live: false })")  # as where the studio is lost, or another speaker is chosen
        page.wait_for_function("() => !studio.transport.mic.isOn && !studio.transport.mic.stream")

        # A recording of it becomes a sound of the folder.
        page.get_by_role("button", name="Record with the microphone").click()
        page.wait_for_timeout(1500)
        page.get_by_role("button", name="Record with the microphone").click()
        page.wait_for_function("() => studio.state.voice === 'recording.wav' && studio.transport.seconds > 0.8")
        assert probe(tmp_path / "recording.wav").has_audio

        page.get_by_role("link", name="Figures").click()
        page.get_by_role("button", name="Measure the speaker").click()
        job(page, "eval", "done")
        page.locator("table.figures td").first.wait_for()
        picture(page, "09-figures")

        # Under its own policy, which forbids scripts and files from elsewhere, the page works, too.
        strict = browser.new_page()
        refused = []
        strict.on("console", lambda message: message.type == "error" and refused.append(message.text))
        for section, sign in SIGNS.items():
            strict.goto(f"{address}#/{section}")
            strict.locator(sign).first.wait_for()
        strict.goto(f"{address}#/start")
        strict.locator("[data-video='demo.mp4']").click()
        strict.frame_locator("iframe.report").locator("img").first.wait_for()
        strict.close()
        assert refused == []
