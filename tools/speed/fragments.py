"""When the frames of a fragmented mp4 (ISO/IEC 14496-12) come in, while it is still being written."""

from __future__ import annotations

import struct
import time

VIDEO_TRACK = 1
_TRACK_HEADER, _RUN = b"tfhd", b"trun"
_CONTAINERS = (b"moof", b"traf")


class FrameClock:
    """Takes bytes as they come; notes the time at which each frame was complete."""

    def __init__(self) -> None:
        self.came_s: list[float] = []
        self._data = b""
        self._announced = 0  # frames of the fragment whose data is to come

    def feed(self, data: bytes) -> None:
        self._data += data
        while len(self._data) >= 8:
            size, kind = struct.unpack(">I4s", self._data[:8])
            if len(self._data) < size:
                return
            box, self._data = self._data[8:size], self._data[size:]
            if kind == b"moof":
                self._announced = video_frames(box)
            elif kind == b"mdat":
                self.came_s += [time.monotonic()] * self._announced
                self._announced = 0


def video_frames(
    fragment: bytes,  # what is in a moof box
) -> int:
    """How many frames of the video it describes."""
    count, track, at = 0, 0, 0
    while at + 8 <= len(fragment):
        size, kind = struct.unpack(">I4s", fragment[at : at + 8])
        box = fragment[at + 8 : at + size]
        if kind in _CONTAINERS:
            count += video_frames(box)
        elif kind == _TRACK_HEADER:  # version and flags, then the track's number
            track = struct.unpack(">I", box[4:8])[0]
        elif kind == _RUN and track == VIDEO_TRACK:  # version and flags, then the count
            count += struct.unpack(">I", box[4:8])[0]
        at += size
    return count
