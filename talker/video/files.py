"""What a media file holds, and how ffmpeg is asked for a part of it."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from types import TracebackType

from talker.core.errors import BadInput, Missing
from talker.video.hdr import TRANSFERS
from talker.video.source import NOT_ALLOWED, opened

_NAMED = "IMAGEIO_FFMPEG_EXE"  # of the environment: another ffmpeg than the one that comes with imageio-ffmpeg
_NO_INDEX = "moov atom not found"
_LONGEST_TITLE = 40  # letters
BROKEN_S = 0.5  # headers are rounded; a file that ends so long before what its header says is cut off
EXACT = "bicubic+accurate_rnd+full_chroma_int"  # swscale's default conversion is a grey level too dark


_ALPHA = re.compile(r", (?:yuva\w+|argb|rgba\w*|abgr|bgra\w*|gbrap\w*|ya\w+)[(,]")  # pixel formats with transparency
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}  # ffmpeg's own leave the transparency of WebM out


@dataclass(frozen=True)
class SoundTrack:
    """One of the sounds that a file holds."""

    title: str = ""
    seconds: float = 0.0  # 0 where that is not known


@dataclass(frozen=True)
class VideoInfo:
    """What a media file holds, as ffmpeg sees it."""

    duration_s: float  # of the picture, where there is one
    size_px: tuple[int, int]  # (width, height) as shown: after rotation metadata and pixel aspect; (0, 0) without video
    rate_hz: float  # the video's own mean frame rate
    has_video: bool
    has_audio: bool
    hdr: str = ""  # the transfer function of HDR pictures, of `hdr.TRANSFERS`
    sound_s: float = 0.0  # how long the sound lasts
    tracks: tuple[SoundTrack, ...] = ()
    has_alpha: bool = False  # pictures with transparency
    decoder: str | None = None  # that reads it, where ffmpeg's first choice does not

    @property
    def notices(self) -> tuple[str, ...]:
        """What readers of the pictures do to them."""
        return (f"HDR ({TRANSFERS[self.hdr]}): colours are brought to the standard range",) if self.hdr else ()


def ffmpeg_path() -> str:
    """The ffmpeg binary: imageio-ffmpeg's own, or the one that the environment names. Missing where that is none."""
    return _ffmpeg(os.environ.get(_NAMED))


@lru_cache(maxsize=1)
def _ffmpeg(named: str | None) -> str:
    import imageio_ffmpeg

    try:
        path = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        raise Missing(f"There is no ffmpeg: pip install imageio-ffmpeg again, or name one by {_NAMED}") from None
    if named:
        way_out = f"unset {_NAMED} or let it name an ffmpeg"
        try:
            asked = [path, "-version"]
            said = subprocess.run(asked, capture_output=True, stdin=subprocess.DEVNULL, check=False).stdout
        except OSError as error:
            raise Missing(f"{named} cannot be run ({error.strerror}); {way_out}") from None
        if not said.startswith(b"ffmpeg version"):
            raise Missing(f"{named} is no ffmpeg; {way_out}")
    return path


def probe(path: Path) -> VideoInfo:
    """Read a media file's header. BadInput when there is no such file or ffmpeg cannot read it."""
    path = Path(path)
    if not path.exists():
        raise BadInput(f"No such file: {path}")
    if path.is_dir():
        raise BadInput(f"{path} is a folder; give a file with picture or sound")
    if not path.is_file():
        raise BadInput(f"{path} is a pipe or a device, and is read more than once; write it into a file and give that")
    if path.stat().st_size == 0:
        raise BadInput(f"{path.name} is empty (0 bytes); copy or export it again")
    try:
        path.open("rb").close()
    except PermissionError:
        raise BadInput(f"{path} may not be read; change its permissions") from None
    return _probe(str(path.resolve()), path.stat().st_mtime_ns, path.stat().st_size)


@lru_cache(maxsize=32)
def _probe(path: str, _modified_ns: int, _bytes: int) -> VideoInfo:
    result = subprocess.run(
        [ffmpeg_path(), "-hide_banner", *opened(path)],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    text, name = result.stderr.decode("utf-8", "replace"), Path(path).name
    if NOT_ALLOWED in text:
        raise BadInput(
            f"{name} is no recording: talker reads mp4, mov, mkv, webm, wav, mp3 and the like, and nothing that names "
            "other files; export it as mp4 or wav"
        )
    if _NO_INDEX in text and not _begins_as_mp4(path):  # ffmpeg goes by a name that ends in .mp4
        raise _unreadable(name)
    info = parse_header(text, name)
    lengths_s = _stream_lengths(path)
    tracks = tuple(replace(track, seconds=lengths_s.get(("a", i), 0.0)) for i, track in enumerate(info.tracks))
    sound_s, picture_s = max((track.seconds for track in tracks), default=0.0), lengths_s.get(("v", 0), 0.0)
    if not info.has_video:
        claimed_s = 0.0 if "Estimating duration" in text else info.duration_s
        return replace(info, duration_s=claimed_s or sound_s, sound_s=sound_s, tracks=tracks)
    if max(picture_s, sound_s) < info.duration_s - BROKEN_S:  # what breaks off is told by who reads it
        return info
    return replace(info, duration_s=picture_s, sound_s=sound_s, tracks=tracks)


def _stream_lengths(path: str) -> dict[tuple[str, int], float]:
    """Seconds of the picture, ("v", 0), and of every sound, ("a", 0), ("a", 1), ...

    Headers tell only the longest one's, and not always that, so packets are looked at, none decoded.
    """
    command = [ffmpeg_path(), "-v", "quiet", "-nostdin", *opened(path), "-map", "0:V:0?", "-map", "0:a?"]
    command += ["-c", "copy", "-f", "framecrc", "pipe:1"]
    ends_s: dict[int, float] = {}
    unit_s: dict[int, float] = {}
    kinds: dict[int, str] = {}
    with Decoder(command) as ffmpeg:
        for line in ffmpeg.output:
            words = line.decode("ascii", "replace").replace(",", " ").split()
            if words[0] == "#tb":  # a stream's time base: "#tb 0: 1/12800"
                stream = int(words[1][:-1])
                unit_s[stream], ends_s[stream] = float(Fraction(words[2])), 0.0
            elif words[0] == "#media_type":  # "#media_type 0: video"
                kinds[int(words[1][:-1])] = words[2][0]
            elif words[0].isdigit():  # a packet: its stream, decoding time, time, duration, ...
                stream = int(words[0])
                shown = max(int(words[1]), int(words[2]))  # the time of showing may be missing, a very low number then
                ends_s[stream] = max(ends_s[stream], (shown + int(words[3])) * unit_s[stream])
    of_kind = {kind: [stream for stream in sorted(ends_s) if kinds.get(stream) == kind] for kind in "va"}
    return {(kind, i): ends_s[stream] for kind in "va" for i, stream in enumerate(of_kind[kind])}


def parse_header(
    text: str,  # what `ffmpeg -i` says on stderr
    name: str,  # of the file, for messages
) -> VideoInfo:
    """Facts from ffmpeg's own description of a file (imageio-ffmpeg carries no ffprobe)."""
    if _NO_INDEX in text or "End of file" in text:
        raise BadInput(f"{name} is broken or cut off: its index is missing; copy or export it again")
    streams = re.findall(r"^\s*Stream #.*$(?:\n(?!\s*Stream #).*)*", text, re.M)  # with what is said under them
    if not streams:
        raise _unreadable(name)
    heads = [stream.partition("\n")[0] for stream in streams]  # what stands below may say anything
    videos = [s for s, head in zip(streams, heads) if ": Video: " in head and "(attached pic)" not in head]
    sounds = [s for s, head in zip(streams, heads) if ": Audio: " in head]
    clock = re.search(r"Duration: (\d+):(\d+):(\d+(?:\.\d+)?)", text)
    duration_s = 3600 * float(clock[1]) + 60 * float(clock[2]) + float(clock[3]) if clock else 0.0
    video = videos[0] if videos else ""
    line = video.partition("\n")[0]
    rates = re.search(r"([\d.]+)(k?) fps", line) or re.search(r"([\d.]+)(k?) tbr", line)
    size = _shown_size(line, text)
    codec = re.search(r": Video: (\w+)", line)
    in_webm = bool(codec) and codec[1] in _ALPHA_DECODERS and bool(re.search(r"\n\s*alpha_mode\s*: 1", video))
    return VideoInfo(
        duration_s=duration_s,
        size_px=size,
        rate_hz=float(rates[1]) * (1000 if rates[2] else 1) if rates else 0.0,
        has_video=bool(videos) and size != (0, 0),
        has_audio=bool(sounds),
        hdr=next((transfer for transfer in TRANSFERS if transfer in line), ""),
        tracks=tuple(SoundTrack(_title(sound)) for sound in sounds),
        has_alpha=in_webm or bool(_ALPHA.search(line)),
        decoder=_ALPHA_DECODERS[codec[1]] if in_webm else None,
    )


def _title(stream: str) -> str:
    """What a file calls a stream: its title, or its language."""
    title = re.search(r"\n\s*title\s*: (.*\S)", stream)
    language = re.match(r"\s*Stream #[^(:]*:\d+(?:\[\w+\])?\((\w+)\)", stream)
    known = language is not None and language[1] != "und"
    name = title[1] if title else language[1] if known else ""
    return "".join(letter for letter in name if letter.isprintable())[:_LONGEST_TITLE]


def _begins_as_mp4(path: str) -> bool:
    """Whether the first box of a file is one that mp4 and mov begin with."""
    with open(path, "rb") as file:
        return file.read(8)[4:] in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")


def _unreadable(name: str) -> BadInput:
    return BadInput(f"{name} is not a video or sound that ffmpeg can read; export it as mp4 or wav")


def _shown_size(stream: str, text: str) -> tuple[int, int]:
    found = re.search(r", (\d+)x(\d+)", stream)
    if not found:
        return 0, 0
    width, height = int(found[1]), int(found[2])
    aspect = re.search(r"SAR (\d+):(\d+)", stream)
    if aspect and int(aspect[1]) and int(aspect[2]):
        width = round(width * int(aspect[1]) / int(aspect[2]))
    rotation = re.search(r"rotation of (-?[\d.]+) degrees", text)
    if rotation and round(float(rotation[1]) / 90) % 2:
        width, height = height, width
    return width, height


def require_video(path: Path) -> VideoInfo:
    """`probe`, and BadInput unless the file holds moving pictures."""
    info = probe(path)
    if not info.has_video:
        raise BadInput(f"{Path(path).name} holds no video; give the file with the speaker's picture")
    if info.duration_s < 0.1:  # ffmpeg gives a picture the length of one frame
        raise BadInput(f"{Path(path).name} is a picture, not a video; give a video of the speaker")
    return info


def reading(
    path: Path,
    start_s: float | None,
    end_s: float | None,
    decoder: str | None = None,
) -> list[str]:
    """ffmpeg, told to read one part of a local file and to complain of nothing but errors."""
    return [ffmpeg_path(), "-v", "error", "-nostdin", *opened(path, start_s, end_s, decoder)]


class Decoder:
    """ffmpeg at work for a reader: `with Decoder(command) as ffmpeg: ffmpeg.output.read()`.

    `complaints` are complete after the block; a block that is left early ends ffmpeg.
    """

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self.complaints = ""

    def __enter__(self) -> Decoder:
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=self._said, stdin=subprocess.DEVNULL, start_new_session=True
        )
        self.output = self._process.stdout
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._process.wait()
        finally:
            self._process.kill()
            self.output.close()
            self._process.wait()
            self._said.seek(0)
            self.complaints = self._said.read().decode("utf-8", "replace").strip()
            self._said.close()
