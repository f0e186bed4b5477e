"""Video and sound in and out through the ffmpeg that imageio-ffmpeg carries, a little of it in memory at a time.

Frames are [H, W, 3] uint8 RGB, upright (ffmpeg applies rotation metadata), square-pixelled and at a constant
rate: frame i of a clip shows the source at (start + i / fps). Sound is mono float32 in [-1, 1] at 16 kHz, padded so
that its sample 0 and frame 0 belong together.

Files, from below: source (what ffmpeg may open), hdr, files (what a file holds), frames (pictures), survey, tracks
and sound (which sound is heard, and the sound), writer (a video of known length, whole or not at all), live (a video
that grows while it is watched).
"""

from __future__ import annotations

from talker.video.files import VideoInfo, ffmpeg_path, parse_header, probe, require_video
from talker.video.frames import Crop, read_frames
from talker.video.live import LiveWriter
from talker.video.sound import read_audio, stream_audio, write_wav
from talker.video.tracks import SoundSource, sound_source
from talker.video.writer import SYNTHETIC_NOTE, VideoWriter

__all__ = [
    "SYNTHETIC_NOTE",
    "Crop",
    "LiveWriter",
    "SoundSource",
    "VideoInfo",
    "VideoWriter",
    "ffmpeg_path",
    "parse_header",
    "probe",
    "read_audio",
    "read_frames",
    "require_video",
    "sound_source",
    "stream_audio",
    "write_wav",
]
