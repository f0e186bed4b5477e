"""What the measurements mean: findings, the weightiest first, each with the way out.

Thresholds were set on five real clips, the demo speaker, and both made bad on purpose (tests/check); between the worst
of the good and the mildest of the bad each leaves room on both sides.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator

import numpy as np

from talker.checking.clip_stats import ClipStats, stretches_where
from talker.checking.finding import Finding
from talker.checking.head import EDGES
from talker.checking.size import size_findings
from talker.core.axis import runs
from talker.core.errors import BadInput
from talker.core.types import FPS
from talker.take.crop import SEARCH_FPS, check_faces, frame_of_look
from talker.take.cuts import NEARBY
from talker.take.face_similarity import hidden_mouths
from talker.take.presence import HIDDEN_MOUTH, MINIMUM_S
from talker.video.survey import SILENT_PEAK

SHORT_S, LONG_S = 10.0, 300.0
UNEVEN_S = 1.0  # by which sound and picture may differ in length
FEWEST_PICTURES_HZ = 20.0
TURNED_DEG, LIFTED_DEG, TILTED_DEG = 40.0, 30.0, 35.0  # landmarks of the far cheek are guesses from here on
EXTREME_SHARE = 0.02  # of the looks
FRONTAL_DEG = 10.0  # a head that turns less than this in all shows nothing of its sides
HIDDEN_LIKENESS = 0.3  # of the upper half of the face
HIDDEN_LOOKS = 2  # in a row: one may be a mistake
SOFT = 0.24  # `look.sharpness` of a face out of focus
SMEARED = 0.75  # of the clip's own sharpness
SMEARED_SHARE = 0.08  # of the looks
DIM_LEVEL = 85.0  # grey level that the brightest parts of a face should exceed
BURNT_SHARE = 0.1  # of the face
LIGHT_CHANGE = 0.25  # of the face's grey level, between the 5th and the 95th percentile in time
RESTLESS_LEVELS = 2.0  # grey levels by which a tenth of the room changes in two looks
FAINT_DB = -38.0
CLIPPED_SHARE = 0.002
NOISY_DB = 20.0  # speech above the noise
ECHO_STRENGTH, ROOM_TAIL = 0.12, 4.3
MUSIC_SHARE, MUSIC_SHARE_IN_ECHO = 0.15, 0.4  # of the time: what comes back holds tones, too
OFFSET_NOTE_S, OFFSET_WARN_S = 0.06, 0.1
CUT_SHARE = 0.2  # of the looks: a head may leave the picture for a moment
LITTLE_HAIR = 0.08  # of the face's pixels; short hair has 0.2
# By quarters to the left: what to do, and ffmpeg's filter for it.
TURNS = {
    1: ("a quarter to the left", "transpose=2"),
    2: ("upside down", "hflip,vflip"),
    3: ("a quarter to the right", "transpose=1"),
}


def find(clip: ClipStats) -> list[Finding]:
    """All findings, the weightiest first."""
    found = [finding for finder in FINDERS for finding in finder(clip)]
    return sorted(found, key=lambda finding: ("stop", "warn", "note").index(finding.severity))


# -------------------------------------------------------------------- what stops a fit


def _stops(clip: ClipStats) -> Iterator[Finding]:
    """What `talker fit` would refuse, in its own words."""
    if clip.sound is None:
        yield Finding("sound", "stop", "No sound", "talker learns lips from speech: give a recording with its sound")
    elif clip.sound.peak < SILENT_PEAK:
        yield Finding("silent", "stop", "The sound is silent: lips cannot be learnt", "give a recording with speech")
    if clip.looks.quarters:
        how, command = TURNS[clip.looks.quarters]
        way_out = f"turn it {how} first: ffmpeg -i {shlex.quote(clip.name)} -vf {command} upright.mp4"
        yield Finding("sideways", "stop", "The picture does not stand upright", way_out)
        return
    try:
        check_faces(clip.search, clip.name)
        clip.attendance.require_enough()
    except BadInput as refusal:
        what, _, way_out = str(refusal).rpartition("; ")
        yield Finding("face", "stop", what, way_out)


# -------------------------------------------------------------------- sound against lips, and the pictures' order


def _offset(clip: ClipStats) -> Iterator[Finding]:
    if clip.offset is None or not clip.offset.is_sure:
        return
    offset_s = clip.offset.offset_s
    left_s = offset_s - clip.av_offset_s
    if abs(left_s) <= OFFSET_NOTE_S:
        return
    side = "after" if left_s > 0 else "before"
    taken = f" even with --av-offset {clip.av_offset_s:g}" if clip.av_offset_s else ""
    yield Finding(
        "av-offset",
        "warn" if abs(left_s) > OFFSET_WARN_S else "note",
        f"The sound comes {abs(left_s):.2f} s {side} the lips{taken}",
        f"take it out with --av-offset {offset_s:.2f}",
    )


def _cuts(clip: ClipStats) -> Iterator[Finding]:
    cuts_s = [cut_s for cut_s in clip.pace.cuts_s if _joins_speaker(clip, cut_s)]
    if not cuts_s:
        return
    edges = [clip.span_s[0], *cuts_s, clip.span_s[1]]
    start_s, end_s = max(zip(edges[:-1], edges[1:]), key=lambda piece: piece[1] - piece[0])
    way_out = "film in one go"
    if end_s - start_s >= MINIMUM_S:
        way_out = f"use the longest piece: --start {start_s + 0.02:.2f} --end {end_s - 0.02:.2f}, or {way_out}"
    many = "A cut" if len(cuts_s) == 1 else f"{len(cuts_s)} cuts"
    where = tuple((cut_s, cut_s) for cut_s in cuts_s)
    yield Finding("cuts", "warn", f"{many}: the head jumps there, and poses with it", way_out, where)


def _joins_speaker(clip: ClipStats, cut_s: float) -> bool:
    """Whether the speaker is seen on both sides of a cut."""
    cut = round((cut_s - clip.span_s[0]) * FPS)
    usable = clip.attendance.usable
    after = next((look for look in range(len(usable)) if frame_of_look(look) >= cut), len(usable) - 1)
    before = max(0, after - 1)
    return bool(usable[before] and usable[after])


def _rate(clip: ClipStats) -> Iterator[Finding]:
    new_hz = min(clip.info.rate_hz or FPS, clip.new_per_second)
    if new_hz < FEWEST_PICTURES_HZ and len(clip.pace.steps) > NEARBY:
        yield Finding(
            "rate",
            "warn",
            f"Only {new_hz:.0f} different pictures a second: lips move faster than that",
            "film with at least 25, in better light or with a shorter exposure",
        )


def _length(clip: ClipStats) -> Iterator[Finding]:
    if clip.seconds < SHORT_S:
        what = f"Only {clip.seconds:.1f} s: lips are learnt from few sounds"
        yield Finding("length", "warn", what, "film a minute; ten seconds are the least")
    elif clip.seconds > LONG_S:
        what = f"{clip.seconds / 60:.0f} minutes: more than five teach little more and take memory and time"
        yield Finding("length", "note", what, f"choose a part with --start and --end {clip.span_s[0] + LONG_S:.0f}")


def _sound_length(clip: ClipStats) -> Iterator[Finding]:
    """Only where the part that was looked at goes to the end of the picture."""
    info = clip.info
    over_s = info.sound_s - info.duration_s
    if clip.sound is None or not info.sound_s or clip.span_s[1] < info.duration_s or abs(over_s) < UNEVEN_S:
        return
    if over_s > 0:
        what = f"The sound goes on for {over_s:.1f} s after the picture's end: that is left out"
        yield Finding("sound-length", "note", what, "export it again if pictures are missing at the end")
    else:
        what = f"The sound ends {-over_s:.1f} s before the picture: lips move in silence there"
        yield Finding("sound-length", "warn", what, f"use what has sound: --end {info.sound_s:.1f}")


# -------------------------------------------------------------------- the face


def _left_out(clip: ClipStats) -> Iterator[Finding]:
    """What a fit will leave out of the training, in its words."""
    there = clip.attendance
    try:
        there.require_enough()
    except BadInput:
        return  # said already
    hidden = there.usable & hidden_mouths(clip.looks.likeness[:, 1], SEARCH_FPS)
    for one in (*there.gone, there.places(HIDDEN_MOUTH, hidden)):
        if one.where_s:
            yield Finding(one.key, "warn", one.what, one.way_out, one.where_s)


def _faces(clip: ClipStats) -> Iterator[Finding]:
    if clip.search.rivals:
        where = stretches_where(clip.looks.rival, clip.looks.times_s)
        what = "More than one face in the picture: talker follows the larger one"
        yield Finding("faces", "warn", what, "film one person alone, or cut the other away", where)


def _hidden(clip: ClipStats) -> Iterator[Finding]:
    looks = clip.looks
    hidden = runs(looks.likeness[:, 0] < HIDDEN_LIKENESS)
    where = tuple((looks.times_s[run[0]], looks.times_s[run[-1]]) for run in hidden if len(run) >= HIDDEN_LOOKS)
    if where:
        what = "Something hides a part of the face: what is under it cannot be learnt"
        yield Finding("hidden", "warn", what, "keep hands and hair off the face, or cut it out", where)


def _poses(clip: ClipStats) -> Iterator[Finding]:
    if clip.looks.quarters:
        return  # said already
    angles, limits = clip.looks.angles_deg, np.array([TURNED_DEG, LIFTED_DEG, TILTED_DEG])
    far = (np.abs(angles) > limits).any(axis=1)
    if far.mean() > EXTREME_SHARE:
        where = stretches_where(far, clip.looks.times_s)
        axis = int(np.nanmax(np.abs(angles) / limits, axis=0).argmax())
        most = angles[np.nanargmax(np.abs(angles[:, axis])), axis]
        does, middle = (
            ("turns far away", "the camera"),
            ("looks far up" if most > 0.0 else "looks far down", "level"),
            ("leans far over", "upright"),
        )[axis]
        what = f"The head {does} (up to {abs(most):.0f} degrees): parts of the face are guessed there"
        yield Finding("poses", "warn", what, f"stay within {limits[axis]:.0f} degrees of {middle}", where)
    elif np.isfinite(angles).any():
        low, high = np.nanpercentile(clip.looks.angles_deg[:, 0], [2, 98])
        if high - low < FRONTAL_DEG:
            what = f"The head hardly turns ({high - low:.0f} degrees in all): its sides are guessed in turned views"
            yield Finding("frontal", "note", what, "turn slowly to both sides once while you film")


def _head(clip: ClipStats) -> Iterator[Finding]:
    looks = clip.looks
    if clip.looks.quarters or not looks.seen.any():
        return
    often = looks.cut[looks.seen].mean(axis=0) > CUT_SHARE
    if often.any():
        *others, last = [edge for edge, cut in zip(EDGES, often, strict=True) if cut]
        edges = f"{', '.join(others)} and {last} edges" if others else f"{last} edge"
        where = stretches_where(looks.cut[:, often].any(axis=1), looks.times_s)
        what = f"The head is cut off by the picture's {edges}: what is beyond it will be missing"
        yield Finding("cut-off", "warn", what, "film with room around the head", where)
    if looks.hair_share < LITTLE_HAIR:
        what = (
            "Hardly any hair was found: edits of the hair will not show, and what there is may count as face or clothes"
        )
        yield Finding("hair", "note", what, "film the whole head, with light on the hair")


def _blur(clip: ClipStats) -> Iterator[Finding]:
    sharpness = clip.looks.sharpness
    if not np.isfinite(sharpness).any():
        return
    usual = float(np.nanpercentile(sharpness, 75))
    smeared = np.nan_to_num(sharpness, nan=np.inf) < SMEARED * usual
    if usual < SOFT:
        what = "The face is out of focus, or much compressed: lips and teeth will stay soft"
        yield Finding("focus", "warn", what, "focus on the eyes, clean the lens, export at a higher quality")
    elif smeared.mean() > SMEARED_SHARE:
        where = stretches_where(smeared, clip.looks.times_s)
        what = f"Motion blurs {smeared.mean():.0%} of the pictures"
        yield Finding("blur", "warn", what, "move more slowly, or film in more light with a shorter exposure", where)


def _exposure(clip: ClipStats) -> Iterator[Finding]:
    looks = clip.looks
    if not looks.seen.any():
        return
    bright, burnt = float(np.nanmedian(looks.light[:, 2])), float(np.nanmedian(looks.burnt))
    low, middle, high = np.nanpercentile(looks.light[:, 1], [5, 50, 95])
    if bright < DIM_LEVEL:
        what = f"The face is dark: its brightest parts reach {bright:.0f} of 255"
        yield Finding("dark", "warn", what, "film in more light, or raise the exposure")
    if burnt > BURNT_SHARE:
        what = f"{burnt:.0%} of the face is burnt out: no detail is left in it"
        yield Finding("bright", "warn", what, "lower the exposure, or soften the light")
    if high - low > LIGHT_CHANGE * middle:
        what = f"The light on the face changes by {(high - low) / middle:.0%}"
        yield Finding("light", "warn", what, "lock the camera's exposure, and keep out of changing light")


def _room(clip: ClipStats) -> Iterator[Finding]:
    unrest = clip.room_unrest
    if len(unrest) and np.percentile(unrest, 90) > RESTLESS_LEVELS and not clip.pace.cuts_s:
        what = "The background moves: it will be painted still, and its movement sticks to the head's outline"
        yield Finding("background", "warn", what, "put the camera on a tripod, before a plain wall")


# -------------------------------------------------------------------- the sound


def _sound(clip: ClipStats) -> Iterator[Finding]:
    sound = clip.sound
    if sound is None or sound.peak < SILENT_PEAK:
        return
    if sound.speech_db < FAINT_DB:
        what = f"The speech is faint ({sound.speech_db:.0f} dB)"
        yield Finding("faint", "warn", what, "bring the microphone closer; turning it up later raises the noise, too")
    if sound.clipped_share > CLIPPED_SHARE:
        what = f"The sound is clipped ({sound.clipped_share:.1%} of it): the recording was too loud"
        yield Finding("clipped", "warn", what, "record at a lower level")
    if sound.is_narrow:
        what = "The sound holds nothing above 5 kHz, as on a telephone: s, f and sh are hard to tell apart"
        yield Finding("narrow", "warn", what, "give the sound as it was recorded, at 16 kHz or more")
    copied, ringing = sound.echo_strength > ECHO_STRENGTH, sound.room_tail > ROOM_TAIL
    if sound.tonal_share > (MUSIC_SHARE_IN_ECHO if copied or ringing else MUSIC_SHARE):
        what = f"Music or another steady tone under the speech ({sound.tonal_share:.0%} of the time): it moves the lips"
        yield Finding("music", "warn", what, "use the recording from before the music was added, or another one")
    elif sound.speech_db - sound.noise_db < NOISY_DB:
        what = f"Noise: the speech is only {sound.speech_db - sound.noise_db:.0f} dB above it"
        yield Finding("noise", "warn", what, "film in a quiet room with the microphone close, or take the noise out")
    if copied:
        what = f"An echo after {sound.echo_s:.2f} s: every sound is heard twice"
        yield Finding("echo", "warn", what, "mute loudspeakers that play the recording back, and record one microphone")
    elif ringing:
        what = "The room echoes: sounds run into each other"
        yield Finding("echo", "warn", what, "bring the microphone closer, or film where curtains and carpets are")


FINDERS: tuple[Callable[[ClipStats], Iterator[Finding]], ...] = (
    _stops,
    _offset,
    _cuts,
    _left_out,
    _hidden,
    size_findings,
    _rate,
    _length,
    _sound_length,
    _faces,
    _poses,
    _head,
    _blur,
    _exposure,
    _room,
    _sound,
)
