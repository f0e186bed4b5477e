"""A check from the file to the report: sound, cuts, looks, lips, and the cost of a fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from talker.checking.clip_stats import ClipStats
from talker.checking.cost import field_seconds, take_seconds
from talker.checking.findings import find
from talker.checking.frame_stats import FrameStatsCollector
from talker.checking.lips import choose_stretch, measure_offset, stretch_length_s, why_not
from talker.checking.page import write_page
from talker.checking.report import Cost, Report
from talker.checking.sound import listen
from talker.core.errors import BadInput
from talker.core.text import text_of
from talker.core.types import FPS, Reporter
from talker.radfield.fit_take import FieldFitOptions
from talker.radfield.kernels import Kernels
from talker.take.audio import SLOW, channels_of
from talker.take.build import TakeOptions, heard_of
from talker.take.crop import SEARCH_FPS, FaceSearch, checked_span, search_faces
from talker.take.landmarks import LandmarkDetector, load_detector
from talker.take.masks import CUT_OUT, is_cut_out, person_segmenter
from talker.take.presence import HIDDEN_MOUTH, NO_FACE, SOMEBODY_ELSE, UNFOLLOWED
from talker.take.sync import Offset
from talker.video import VideoInfo, require_video, stream_audio

# What is left out of the training is found in a few looks here; the take knows it of every frame, and tells it.
TOLD_BY_THE_TAKE = {key for key, *_ in (NO_FACE, SOMEBODY_ELSE, UNFOLLOWED, HIDDEN_MOUTH)}


class Examiner:
    """Examines a clip while it searches it for faces; the report is there afterwards.

    `build_take(..., search=examiner.search)` makes no second pass of its own.
    """

    report: Report

    def __init__(self, options: TakeOptions, field_options: FieldFitOptions, kernels: Kernels) -> None:
        self._options, self._field_options, self._kernels = options, field_options, kernels

    def search(
        self,
        video: Path,
        info: VideoInfo,
        span_s: tuple[float, float],
        detector: LandmarkDetector,
        reporter: Reporter,
    ) -> FaceSearch:
        """A `talker.take.crop.Search` that says what should be mended."""
        found = self.examine(video, info, span_s, detector, reporter)
        for finding in self.report.stops():
            if finding.key == "sideways":  # the take would only say that it sees no face
                raise BadInput(finding.sentence)
        for finding in self.report.warnings():
            if finding.key not in TOLD_BY_THE_TAKE:
                reporter.notice(finding.sentence)
        return found

    def examine(
        self,
        video: Path,
        info: VideoInfo,
        span_s: tuple[float, float],
        detector: LandmarkDetector,
        reporter: Reporter,
    ) -> FaceSearch:
        sound = None
        if info.has_audio:
            source = heard_of(video, span_s, self._options)
            sound = listen(stream_audio(source, start_s=span_s[0], end_s=span_s[1]))
            info = replace(info, sound_s=info.tracks[source.track].seconds)
        # Detectors remember the picture before: one of its own leaves the other as a take expects it.
        own = load_detector(self._options.landmarks)
        collector = FrameStatsCollector(own, person_segmenter())
        found = search_faces(video, info, span_s, detector, reporter, collector.watch)
        looks = collector.looks(found, span_s[0], info.size_px)
        offset: Offset | None = None
        no_offset: str | None = None
        if sound is not None and looks.seen.any():
            clip_s, picture_s = span_s[1] - span_s[0], float(np.median(collector.detect_s))
            no_offset = why_not(clip_s, picture_s)
            if no_offset is None:
                length_s = stretch_length_s(clip_s, picture_s)
                faces = np.isfinite(found.boxes[:, 0])
                stretch_s = choose_stretch(span_s, sound.levels_db, sound.speech_db, faces, found.pace.cuts_s, length_s)
                during = slice(*(int((second - span_s[0]) * SEARCH_FPS) for second in stretch_s))
                offset = measure_offset(video, source, stretch_s, found.boxes[during], info.size_px, own, reporter)
        options = self._options
        clip = ClipStats(
            text_of(video.name),
            info,
            span_s,
            options.size_px,
            options.av_offset_s,
            found,
            looks,
            sound,
            offset,
            no_offset,
        )
        findings = find(clip)
        cost = None
        if not any(finding.severity == "stop" for finding in findings):
            look_s = float(np.median(collector.detect_s) + np.median(collector.segment_s))
            cost = self._cost(round(clip.seconds * FPS), look_s)
        self.report = Report(clip, findings, cost)
        return found

    def _cost(self, pictures: int, look_s: float) -> Cost:
        size_px, kernels = self._options.size_px, self._kernels
        return Cost(
            take_seconds(pictures, look_s, size_px),
            field_seconds(pictures, size_px, channels_of(self._options.audio), self._field_options, kernels),
            kernels.name,
            self._options.audio if self._options.audio in SLOW else None,
        )


def examine(
    video: Path,
    options: TakeOptions,
    field_options: FieldFitOptions,
    kernels: Kernels,
    reporter: Reporter,
    page: Path | None = None,  # where to write the report as a page, an .html
) -> Report:
    """Everything that a check finds out. BadInput for files that cannot even be looked at."""
    if page is not None and page.suffix.lower() not in (".html", ".htm"):
        raise BadInput(f"{page} does not end in .html; the report is a web page")
    info = require_video(video)
    span_s = checked_span(info, video.name, options.start_s, options.end_s)
    heard = heard_of(video, span_s, options).notices if info.has_audio else ()
    cut_out = [CUT_OUT] if is_cut_out(video, info, span_s) else []
    for notice in (*info.notices, *heard, *cut_out):
        reporter.notice(notice)
    examiner = Examiner(options, field_options, kernels)
    examiner.examine(video, info, span_s, load_detector(options.landmarks), reporter)
    if page is not None:
        write_page(page, examiner.report, video, reporter)
    return examiner.report
