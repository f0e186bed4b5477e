"""What the page takes care of by itself, in a real browser: other tabs, nonsense, odd numbers, a job's place."""

from __future__ import annotations

import pytest

from talker.api import commands
from tools.speed.browser import CHROMIUM, FLAGS, open_studio, why_not

pytestmark = [pytest.mark.slow, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]
EDITS = "() => [...document.querySelectorAll('#strip button')].map((each) => each.dataset.edit)"


@pytest.fixture
def browsed(workspace):
    """The folder's studio in a browser, under Edit."""
    from playwright.sync_api import sync_playwright

    with open_studio(workspace.root) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        hears_under_its_own_policy(browser, address)
        page = browser.new_context(viewport={"width": 390, "height": 844}, bypass_csp=True).new_page()
        page.set_default_timeout(20_000)
        page.goto(f"{address}#/edit")
        page.locator("#train").wait_for()
        yield page
        browser.close()


def hears_under_its_own_policy(browser, address: str) -> None:
    """The page's policy, which the other tests pass by, lets it have the stage's socket."""
    page, heard, refused = browser.new_page(), [], []
    page.on("console", lambda message: message.type == "error" and refused.append(message.text))
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: heard.append(frame)))
    page.goto(f"{address}#/stage")
    for _ in range(100):
        if not heard and not refused:
            page.wait_for_timeout(200)
    assert heard and refused == []
    page.close()


def test_what_cannot_be_is_not_asked_for(browsed, workspace):
    preview, train, why = (browsed.locator(name) for name in ("#preview", "#train", "#why-not"))
    assert preview.is_disabled() and train.is_disabled() and "First say" in why.text_content()
    browsed.get_by_text("Name, editor and training", exact=True).click()
    model = browsed.get_by_label("Its model, the hub’s name")
    browsed.get_by_label("Who edits").select_option("ip2p")
    assert model.is_visible() and model.get_attribute("placeholder") == "timbrooks/instruct-pix2pix"
    browsed.get_by_label("Who edits").select_option("builtin")
    assert model.is_hidden()
    browsed.fill("#instruction", "give him a funny walk")
    browsed.get_by_text("Say it otherwise").wait_for()
    assert preview.is_disabled() and train.is_disabled()

    browsed.fill("#instruction", "make the hair blue")
    browsed.locator("#train:enabled").wait_for()
    rounds = browsed.get_by_role("spinbutton", name="rounds")
    for odd in ("0", "1.5"):
        rounds.fill(odd)
        browsed.get_by_text("rounds: a whole number from 1 to 100").wait_for()
        assert train.is_disabled() and preview.is_enabled()
    rounds.fill("2")
    browsed.locator("#train:enabled").wait_for()

    browsed.evaluate("() => { studio.set({ voice: 'speech.wav', roll: 7 }); location.hash = '/render'; }")
    browsed.locator("#render:enabled").wait_for()
    assert "tilt 7°" in browsed.locator(".choice").first.text_content()
    browsed.locator("#path").check()
    browsed.get_by_role("spinbutton", name="turn").first.fill("999")
    browsed.keyboard.press("Tab")
    browsed.get_by_text("turn: a number from -90 to 90").wait_for()
    assert browsed.locator("#render").is_disabled()


def test_what_was_done_elsewhere_shows(browsed, workspace):
    (old,) = [name for name in browsed.evaluate(EDITS) if name]
    commands.rename_edit(workspace.root / "toy.talker", old, "elsewhere")
    browsed.evaluate("() => dispatchEvent(new Event('focus'))")
    browsed.locator("#strip [data-edit='elsewhere']").wait_for(timeout=4_000)
    assert browsed.evaluate(EDITS) == ["", "elsewhere"]


def test_a_failure_shows_until_it_is_looked_at_and_its_next_try_takes_its_place(browsed):
    order = {"kind": "edit", "project": "toy.talker", "instruction": "make the hair blue", "name": "br"}
    order["steps"] = [20, 10]  # the first more than the last
    browsed.evaluate("(order) => import('/page/api.js').then((api) => api.order(order))", order)
    opener, queue = browsed.locator("#queue-button"), browsed.locator("#queue")
    opener.get_by_text("1 failed").wait_for(timeout=60_000)
    opener.click()
    queue.get_by_text("Edit br: “make the hair blue”").wait_for()
    assert "failed" not in opener.text_content()
    queue.get_by_role("button", name="Try again").click()
    browsed.wait_for_function("() => studio.state.jobs.length === 1 && studio.state.jobs[0].number === 2")
    browsed.wait_for_function("() => studio.state.jobs[0].state === 'failed'", timeout=60_000)
    queue.get_by_role("button", name="Clear finished").click()
    browsed.wait_for_function("() => studio.state.jobs.length === 0")
