"""Good footage has no finding; each flaw brings its own, says where, and how to mend it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from talker.checking.finding import Finding
from talker.checking.findings import find
from talker.checking.report import Cost, Report
from talker.take.cuts import Pace
from talker.take.face_tracks import SpeakerTracks
from talker.video import VideoInfo
from tests.checking.clips import LOOKS, START_S, clip_stats, good_looks, good_offset, good_sound


def looks(**changes):
    return {"looks": replace(good_looks(), **changes)}


def sound(**changes):
    return {"sound": replace(good_sound(), **changes)}


def hidden(half: slice):
    colours = good_looks().colours.copy()
    colours[30:40, half] = np.random.default_rng(5).uniform(150, 170, (10, 35, 3))
    return looks(colours=colours)


def gone_for_a_while():
    colours, boxes = good_looks().colours.copy(), good_looks().boxes.copy()
    colours[80:90], boxes[80:90] = np.nan, np.nan
    return looks(colours=colours, boxes=boxes)


def stepped(index: int, step: float) -> Pace:
    pace = clip_stats().pace
    steps = pace.steps.copy()
    steps[index] = step
    return replace(pace, steps=steps)


def turned(deg: float, axis: int = 0):
    angles = good_looks().angles_deg.copy()
    angles[50:60, axis] = deg
    return looks(angles_deg=angles)


def lit(factor: float):
    light = good_looks().light.copy()
    light[60:] *= factor
    return looks(light=light)


def beyond_the_upper_edge():
    cut = good_looks().cut.copy()
    cut[30:60, 1] = True
    return looks(cut=cut)


def smeared():
    sharpness = good_looks().sharpness.copy()
    sharpness[20:32] = 0.2
    return looks(sharpness=sharpness)


FLAWS = {
    "av-offset": {"offset": good_offset(0.2)},
    "cuts": {"pace": stepped(249, 30.0)},
    "hidden": hidden(slice(10, 45)),
    "mouth": hidden(slice(45, 80)),
    "absent": gone_for_a_while(),
    "others": {"tracks": SpeakerTracks((range(300),), (range(300, 500),))},
    "size": {"size_px": 1024},
    "rate": {"info": VideoInfo(30.0, (1280, 720), 12.0, True, True)},
    "length": {"span_s": (2.0, 9.0)},
    "sound-length": {"info": VideoInfo(22.0, (1280, 720), 25.0, True, True, "", 16.0)},
    "cut-off": beyond_the_upper_edge(),
    "faces": looks(rival=np.arange(LOOKS) > 60),
    "poses": turned(55.0),
    "focus": looks(sharpness=np.full(LOOKS, 0.15)),
    "blur": smeared(),
    "dark": looks(light=np.tile([10.0, 30.0, 60.0], (LOOKS, 1))),
    "bright": looks(burnt=np.full(LOOKS, 0.3)),
    "light": lit(0.6),
    "background": looks(unrest=np.full((144, 256), 6.0)),
    "faint": sound(levels_db=good_sound().levels_db - 30.0),
    "clipped": sound(clipped_share=0.02),
    "narrow": sound(is_narrow=True),
    "noise": sound(levels_db=np.maximum(good_sound().levels_db, -35.0)),
    "music": sound(tonal_share=0.5),
    "echo": sound(room_tail=8.0),
}


def test_good_footage_has_no_finding():
    assert find(clip_stats()) == []
    assert Report(clip_stats(), [], None).verdict == "Good footage."


@pytest.mark.parametrize("key", FLAWS)
def test_each_flaw_brings_its_own_finding(key):
    found = find(clip_stats(**FLAWS[key]))
    assert [(finding.key, finding.severity) for finding in found] == [(key, "warn")]
    assert found[0].way_out and not found[0].sentence.endswith(".") and "\n" not in found[0].sentence


def test_what_stops_a_fit_comes_first_and_in_its_words():
    gone = good_looks()
    gone = replace(gone, boxes=np.full_like(gone.boxes, np.nan), colours=np.full_like(gone.colours, np.nan))
    gone = replace(gone, sharpness=np.full(LOOKS, np.nan), angles_deg=np.full((LOOKS, 3), np.nan))
    found = find(clip_stats(looks=gone, sound=None, offset=None))
    assert [finding.severity for finding in found[:2]] == ["stop", "stop"]
    report = Report(clip_stats(looks=gone, sound=None, offset=None), found, None)
    assert not report.serves and "cannot" in report.verdict
    assert "film one person from the front" in report.text() and "its sound" in report.text()


def test_a_silent_clip_stops_a_fit_and_nothing_else_is_said_of_its_sound():
    found = find(clip_stats(**sound(levels_db=np.full(1000, -90.0), peak=0.001)))
    assert [(finding.key, finding.severity) for finding in found] == [("silent", "stop")]


def test_a_face_that_goes_away_is_told_with_its_time_and_stops_a_fit_beyond_half():
    (found,) = find(clip_stats(**gone_for_a_while()))
    assert found.where_s == ((18.0, 20.0),) and "left out of the training" in found.sentence
    colours, boxes = good_looks().colours.copy(), good_looks().boxes.copy()
    colours[45:], boxes[45:] = np.nan, np.nan
    found = find(clip_stats(**looks(colours=colours, boxes=boxes)))
    assert [(one.key, one.severity) for one in found] == [("face", "stop")]
    assert "for only 9.0 s of 20.0" in found[0].what and "--start 2.0 --end 11.0" in found[0].way_out


def test_a_black_start_is_told_as_that_and_not_as_a_slow_camera():
    colours, boxes, pace = good_looks().colours.copy(), good_looks().boxes.copy(), clip_stats().pace
    colours[:30], boxes[:30] = np.nan, np.nan
    steps = pace.steps.copy()
    steps[:150] = 0.0
    found = find(clip_stats(**looks(colours=colours, boxes=boxes), pace=replace(pace, steps=steps)))
    assert [one.key for one in found] == ["absent"]


def test_cuts_to_somebody_else_are_no_jumps_of_the_speakers_head():
    steps = clip_stats().pace.steps.copy()
    steps[[249, 349, 419]] = 30.0
    tracks = SpeakerTracks((range(250), range(350, 500)), (range(250, 350),))
    boxes = good_looks().boxes.copy()
    boxes[50:70] = np.nan
    told = {
        one.key: one
        for one in find(clip_stats(**looks(boxes=boxes), pace=replace(clip_stats().pace, steps=steps), tracks=tracks))
    }
    assert set(told) == {"others", "cuts"}
    assert told["others"].where_s == ((12.0, 16.0),) and told["cuts"].where_s == ((18.8, 18.8),)


def test_a_picture_on_its_side_is_said_once_and_instead_of_what_follows_from_it():
    lying = replace(good_looks(), quarters=3, angles_deg=good_looks().angles_deg + [0.0, 0.0, 90.0])
    (found,) = find(clip_stats(looks=lying, name="my clip.mp4"))
    assert (found.key, found.severity) == ("sideways", "stop") and "to the right" in found.way_out
    assert "ffmpeg -i 'my clip.mp4' -vf transpose=1 upright.mp4" in found.way_out


def test_what_is_good_to_know_of_hair_and_sound():
    (hair,) = find(clip_stats(**looks(hair_share=0.03)))
    assert (hair.key, hair.severity) == ("hair", "note")
    assert find(clip_stats(**looks(hair_share=np.nan))) == []
    longer = VideoInfo(22.0, (1280, 720), 25.0, True, True, "", 34.5)
    (sound,) = find(clip_stats(info=longer))
    assert sound.severity == "note" and "12.5 s after the picture's end" in sound.what
    assert find(clip_stats(info=replace(longer, duration_s=30.0))) == [], "only a part was looked at"


def filmed(face_px: float, **changes):
    """A face of that height in the middle of an upright 1080x1920 picture."""
    half = face_px / 2
    boxes = np.tile([540 - half, 800 - half, 540 + half, 800 + half], (LOOKS, 1))
    return clip_stats(**looks(boxes=boxes), info=VideoInfo(30.0, (1080, 1920), 25.0, True, True, False), **changes)


def test_a_tiny_face_is_told_by_its_size_in_the_source_whatever_the_takes_size():
    for size_px in (96, 128, 256):
        (tiny,) = find(filmed(45, size_px=size_px))
        assert (tiny.key, tiny.severity) == ("size", "warn")
        assert tiny.what.startswith("The face is 45 px high: 100 are the least") and "come closer" in tiny.way_out
        assert ("more than --size 128 only enlarges it" in tiny.way_out) == (size_px == 256)
    assert find(filmed(104)) == []


def test_a_take_that_loses_the_face_names_the_size_that_keeps_it():
    assert find(filmed(312)) == []
    (lost,) = find(filmed(312, size_px=128))
    assert "312 px high and keeps 45 with --size 128" in lost.what and "--size 896 keeps 312" in lost.way_out
    assert find(filmed(312, size_px=896)) == []


def test_facts_tell_the_face_as_filmed_as_fitted_and_as_it_could_be_kept():
    def fact(made):
        return dict(Report(made, [], None).facts())["face"]

    assert fact(filmed(312)) == (
        "312 px high, 16% of the picture's height; a fit shows 90 with --size 256, 312 with --size 896"
    )
    assert fact(filmed(312, size_px=896)).endswith("; a fit shows 316 with --size 896")
    assert fact(filmed(1000)).endswith("; a fit shows 237 with --size 256, 948 with --size 1024"), (
        "no size that nobody can fit"
    )
    assert fact(filmed(45)).endswith("; a fit shows 91 with --size 256, 45 with --size 128")


def test_edges_are_listed():
    cut = np.ones((LOOKS, 4), bool)
    cut[:, 3] = False
    (found,) = find(clip_stats(**looks(cut=cut)))
    assert "left, upper and right edges" in found.what


def test_angles_that_are_unknown_are_not_told():
    few = replace(good_looks(), angles_deg=np.full((LOOKS, 3), np.nan))
    text = Report(clip_stats(looks=few), [], None).text()
    assert "nan" not in text and "px high" in text


def test_places_are_seconds_of_the_file():
    (cut,) = find(clip_stats(**FLAWS["cuts"]))
    assert cut.where == "at 12.0 s" and "--start 2.02 --end 11.98" in cut.way_out
    (hidden,) = find(clip_stats(**FLAWS["mouth"]))
    assert hidden.where_s == ((pytest.approx(START_S + 6.0), pytest.approx(START_S + 8.0)),)
    many = Finding("cuts", "warn", "Cuts", "", tuple((float(t), float(t)) for t in range(9)))
    assert many.where == "at 0.0, 1.0, 2.0, 3.0 s and 5 more"


@pytest.mark.parametrize(
    ("axis", "deg", "words"),
    [
        (0, -55.0, ("turns far away (up to 55 degrees)", "within 40 degrees of the camera")),
        (1, -38.0, ("looks far down (up to 38 degrees)", "within 30 degrees of level")),
        (1, 38.0, ("looks far up (up to 38 degrees)", "within 30 degrees of level")),
        (2, 50.0, ("leans far over (up to 50 degrees)", "within 35 degrees of upright")),
    ],
)
def test_a_pose_that_is_too_far_says_which_way_and_how_far_is_well(axis, deg, words):
    (finding,) = find(clip_stats(**turned(deg, axis)))
    assert words[0] in finding.what and words[1] in finding.way_out


def test_the_offset_that_is_offered_is_the_files():
    (finding,) = find(clip_stats(offset=good_offset(0.2)))
    assert "0.20 s after the lips" in finding.what and "--av-offset 0.20" in finding.way_out
    assert find(clip_stats(offset=good_offset(0.2), av_offset_s=0.2)) == []
    (wrong,) = find(clip_stats(offset=good_offset(-0.2), av_offset_s=0.2))
    assert "0.40 s before" in wrong.what and "--av-offset -0.20" in wrong.way_out
    (small,) = find(clip_stats(offset=good_offset(0.08)))
    assert small.severity == "note"
    unsure = replace(good_offset(0.3), correlations=0.5 * good_offset(0.3).correlations)
    assert find(clip_stats(offset=unsure)) == []


def test_a_report_is_lines_and_json():
    made = clip_stats(**FLAWS["music"])
    report = Report(made, find(made), Cost(30.0, 100.0, "native"))
    lines = report.text().splitlines()
    assert lines[0] == "clip.mp4: This footage will do; mend one thing for a better result."
    assert lines[2].startswith("!  Music") and any("fitting here" in line and "2 min" in line for line in lines)
    facts = report.as_json()
    assert facts["findings"][0]["key"] == "music" and facts["serves"] and facts["fit_s"] == 130.0
    assert facts["av_offset_s"] == pytest.approx(0.01, abs=0.005)
