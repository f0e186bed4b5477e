"""The page: well-formed, complete in itself, and showing what was found."""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from talker.checking.findings import find
from talker.checking.page import page
from talker.checking.plots import HEIGHT, LEFT, RIGHT, WIDTH, time_plot
from talker.checking.report import Report
from talker.core.types import Silent
from talker.video import VideoWriter
from tests.checking.clips import clip_stats, good_looks
from tests.checking.test_findings import FLAWS

VOID = {"meta", "img", "rect", "line", "polyline"}


class Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.images = 0

    def handle_starttag(self, tag, attrs):
        self.images += tag == "img"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "clip.mp4"
    with VideoWriter(path, (128, 72)) as writer:
        for index in range(24 * 25):
            writer.write(np.full((72, 128, 3), 40 + index % 100, np.uint8))
    return path


def test_the_page_needs_nothing_else(clip):
    for key in ("cuts", "background", "music"):
        made = clip_stats(**FLAWS[key])
        text = page(Report(made, find(made), None), clip, Silent())
        reader = Balanced()
        reader.feed(text)
        assert reader.open == [] and reader.images == 6 + (key != "music")
        assert not re.search(r"(?:src|href)=\"(?!data:)|https?://|<script|@import|url\(", text)
        assert "prefers-color-scheme: dark" in text and escape(find(made)[0].what) in text


def test_names_are_escaped(clip):
    made = clip_stats(name="<b>&.mp4")
    assert "&lt;b&gt;&amp;.mp4" in page(Report(made, [], None), clip, Silent())


def test_a_page_about_nobody(clip):
    looks = good_looks()
    gone = {name: np.full_like(getattr(looks, name), np.nan) for name in ("boxes", "colours", "angles_deg", "light")}
    gone |= {name: np.full_like(getattr(looks, name), np.nan) for name in ("sharpness", "burnt")}
    made = clip_stats(looks=type(looks)(**{**vars(looks), **gone}), sound=None, offset=None)
    assert "cannot be fitted" in page(Report(made, find(made), None), clip, Silent())


def test_an_offset_is_plotted_where_it_could_be_told(clip):
    offset = clip_stats().offset
    flat = replace(offset, correlations=0.1 * offset.correlations)
    words = {"certain.": offset, "would be certain; none is.": flat, None: replace(offset, seen_s=3.0)}
    for word, each in words.items():
        report = Report(clip_stats(offset=each), [], None)
        text = page(report, clip, Silent())
        assert ("How well the sound fits" in text) == (word is not None) and (word or "too short to tell") in text


def test_a_plot_is_where_its_values_are():
    values = np.array([0.0, 10.0, np.nan, 5.0, 99.0])
    plot = time_plot(np.arange(5.0), values, range_y=(0.0, 10.0), good=(4.0, 10.0), marks_s=[(1.0, 2.0)])
    root = ElementTree.fromstring(plot)
    lines = [line.get("points").split() for line in root.iter("polyline")]
    assert [len(line) for line in lines] == [2, 2]  # broken where nothing is known
    (x0, y0), (x1, y1) = ([float(v) for v in point.split(",")] for point in lines[0])
    assert x0 == LEFT and y0 > y1 and x1 == pytest.approx(LEFT + (WIDTH - LEFT - RIGHT) / 4, abs=0.1)
    assert lines[1][1].endswith(f",{y1}")  # what is beyond the range lies on its edge
    assert all(0 <= float(rect.get("y")) <= HEIGHT for rect in root.iter("rect"))


def test_long_plots_are_thinned():
    root = ElementTree.fromstring(time_plot(np.arange(9000.0), np.ones(9000)))
    assert len(next(root.iter("polyline")).get("points").split()) <= 400
