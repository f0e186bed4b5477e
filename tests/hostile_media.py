"""Files that name other files, each in its format: a reader that goes by content alone would open what they name."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import numpy as np

from talker.core.types import AUDIO_RATE_HZ
from talker.video import VideoWriter

_MPD = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT4S"
 profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet mimeType="video/mp4">
<Representation id="1" bandwidth="1"><BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>
"""
_HLS = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{url}\n#EXT-X-ENDLIST\n"
_CPL = """<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016">
<Id>urn:uuid:bf0d5f42-0a2b-4d2f-a1c5-6e6ba0e6d9a1</Id><ContentTitle>{url}</ContentTitle><EditRate>25 1</EditRate>
<SegmentList/></CompositionPlaylist>
"""
_SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n"
_SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><image href="{url}" width="64"/></svg>'

# What each holds, from the secret's path and a port that nobody may call.
KINDS: dict[str, Callable[[Path, int], str]] = {
    "dash": lambda secret, port: _MPD.format(url=f"file://{secret}"),
    "dash-http": lambda secret, port: _MPD.format(url=f"http://127.0.0.1:{port}/secret.mp4"),
    "hls": lambda secret, port: _HLS.format(url=f"file://{secret}"),
    "hls-plain": lambda secret, port: _HLS.format(url=secret),
    "hls-http": lambda secret, port: _HLS.format(url=f"http://127.0.0.1:{port}/secret.ts"),
    "hls-data": lambda secret, port: _HLS.format(
        url=f"data:video/mp4;base64,{base64.b64encode(secret.read_bytes()).decode()}"
    ),
    "concat": lambda secret, port: f"ffconcat version 1.0\nfile '{secret}'\n",
    "concat-http": lambda secret, port: f"ffconcat version 1.0\nfile http://127.0.0.1:{port}/secret.mp4\n",
    "imf": lambda secret, port: _CPL.format(url=secret),
    "m3u": lambda secret, port: f"#EXTM3U\n{secret}\n",
    "pls": lambda secret, port: f"[playlist]\nNumberOfEntries=1\nFile1=file://{secret}\n",
    "asx": lambda secret, port: f'<asx version="3.0"><entry><ref href="file://{secret}"/></entry></asx>',
    "sdp": lambda secret, port: _SDP,
    "ffmetadata": lambda secret, port: f";FFMETADATA1\ntitle={secret}\n",
    "tedcaptions": lambda secret, port: '{"captions":[{"duration":4000,"content":"x","startTime":0}]}',
    "lavfi": lambda secret, port: f"movie={secret},null",
    "avisynth": lambda secret, port: f'DirectShowSource("{secret}")\n',
    "svg": lambda secret, port: _SVG.format(url=f"file://{secret}"),
    "name": lambda secret, port: f"file:{secret}\n",
}
USUAL = ("dash", "hls", "hls-http", "hls-data", "concat", "imf", "m3u", "lavfi", "name")  # where all would take long


def write_secret(path: Path) -> Path:
    """Four seconds with picture and sound that any reader would take."""
    sound = 0.3 * np.sin(2 * np.pi * 440 * np.arange(4 * AUDIO_RATE_HZ) / AUDIO_RATE_HZ)
    with VideoWriter(path, (32, 32), audio=sound.astype(np.float32)) as video:
        for _ in range(100):
            video.write(np.full((32, 32, 3), 90, np.uint8))
    return path
