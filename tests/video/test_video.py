"""Reading and writing video: ffmpeg does the work, these tests say what it must come to."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import numpy as np
import pytest

from talker.core.errors import BadInput
from talker.core.temporary import replacing
from talker.core.types import AUDIO_RATE_HZ
from talker.video import (
    Crop,
    VideoWriter,
    ffmpeg_path,
    parse_header,
    probe,
    read_audio,
    read_frames,
    require_video,
    sound_source,
    stream_audio,
    write_wav,
)

COLOURS = [(128, 128, 128), (200, 40, 30), (20, 60, 220), (230, 180, 150)]


def run_ffmpeg(*arguments: object) -> None:
    subprocess.run([ffmpeg_path(), "-v", "error", "-y", *map(str, arguments)], check=True, stdin=subprocess.DEVNULL)


def tone(seconds: float) -> np.ndarray:
    time_s = np.arange(round(seconds * AUDIO_RATE_HZ)) / AUDIO_RATE_HZ
    return (0.3 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of 64 x 48: a new flat colour every second, the upper left quarter black; with a tone."""
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    with VideoWriter(path, (64, 48), audio=tone(4.0), crf=1) as video:
        for colour in COLOURS:
            frame = np.full((48, 64, 3), colour, np.uint8)
            frame[:24, :32] = 0
            for _ in range(25):
                video.write(frame)
    return path


def test_what_is_written_is_read_again(clip: Path) -> None:
    info = probe(clip)
    assert (info.size_px, info.has_video, info.has_audio, info.hdr) == ((64, 48), True, True, "")
    assert abs(info.duration_s - 4.0) < 0.05 and abs(info.rate_hz - 25.0) < 0.01
    frames = list(read_frames(clip))
    assert len(frames) == 100 and frames[0].shape == (48, 64, 3)
    for second, colour in enumerate(COLOURS):
        middle = frames[25 * second + 12]
        assert np.abs(middle[30:, 40:].astype(int) - colour).max() <= 2
        assert middle[:20, :28].max() <= 3
    wav = read_audio(clip)
    assert abs(len(wav) - 4 * AUDIO_RATE_HZ) < 0.06 * AUDIO_RATE_HZ
    expected = tone(4.0)
    assert np.corrcoef(wav[8000:40000], expected[8000:40000])[0, 1] > 0.99  # not a sample late


def test_the_file_says_that_it_is_synthetic(clip: Path) -> None:
    said = subprocess.run([ffmpeg_path(), "-i", str(clip)], capture_output=True, check=False).stderr.decode()
    assert "Synthetic video" in said and "yuv420p" in said and "aac" in said
    head = clip.read_bytes()[:4096]
    assert b"moov" in head  # faststart: the index comes before the pictures


@pytest.mark.parametrize("seconds", [2.0, 7.0])
def test_a_clip_is_as_long_as_its_picture(clip: Path, tmp_path: Path, seconds: float) -> None:
    for name in ("uneven.mp4", "uneven.mkv"):
        uneven = tmp_path / name
        wav = tmp_path / "tone.wav"
        write_wav(wav, tone(seconds))
        run_ffmpeg("-i", clip, "-i", wav, "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", uneven)
        info = probe(uneven)
        assert abs(info.duration_s - 4.0) < 0.02 and abs(info.sound_s - seconds) < 0.1
        assert len(list(read_frames(uneven))) == 100 and abs(len(read_audio(uneven)) / AUDIO_RATE_HZ - seconds) < 0.1


def test_what_is_no_video_is_called_so_whatever_its_name(tmp_path: Path, clip: Path) -> None:
    path = tmp_path / "x.mp4"
    path.touch()
    with pytest.raises(BadInput, match="empty"):
        probe(path)
    path.write_text("a letter to somebody")
    with pytest.raises(BadInput, match="not a video"):
        probe(path)
    unfinished = tmp_path / "y.mp4"  # a recorder writes the index last
    run_ffmpeg("-i", clip, "-c", "copy", unfinished)
    path.write_bytes(unfinished.read_bytes()[: unfinished.stat().st_size // 2])
    with pytest.raises(BadInput, match="index is missing"):
        probe(path)


def test_trim_and_crop(clip: Path) -> None:
    frames = list(read_frames(clip, start_s=1.0, end_s=2.0, crop=Crop(21, 7, 32), size_px=16))
    assert len(frames) == 25 and frames[0].shape == (16, 16, 3)
    # Eleven of the crop's 32 columns and seventeen of its rows lie in the black quarter.
    dark = frames[12][..., 0] < 100
    assert dark[4, 2] and not dark[4, 9] and not dark[12, 2]
    assert abs(len(read_audio(clip, start_s=1.0, end_s=2.0)) - AUDIO_RATE_HZ) < 2000


def test_other_rates_become_25_frames_a_second(clip: Path, tmp_path: Path) -> None:
    fast = tmp_path / "fast.mp4"
    run_ffmpeg("-i", clip, "-vf", "fps=30", "-c:v", "libx264", "-an", fast)
    assert len(list(read_frames(fast))) == 100
    varying = tmp_path / "varying.mkv"
    sparse = "select='not(mod(n,3))+gt(n,60)'"
    run_ffmpeg("-i", clip, "-vf", sparse, "-fps_mode", "vfr", "-c:v", "libx264", "-an", varying)
    frames = list(read_frames(varying))
    assert abs(len(frames) - 100) <= 2
    assert np.abs(frames[62][40, 50].astype(int) - COLOURS[2]).max() <= 6  # still at its own time


def test_phone_footage_is_upright(clip: Path, tmp_path: Path) -> None:
    phone = tmp_path / "phone.mp4"
    ten_bit = tmp_path / "ten_bit.mp4"
    hevc = ["-c:v", "libx265", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p10le"]
    run_ffmpeg("-i", clip, "-t", "1", *hevc, ten_bit)
    run_ffmpeg("-display_rotation", "90", "-i", ten_bit, "-c", "copy", phone)
    assert probe(phone).size_px == (48, 64)
    frame = next(read_frames(phone))
    assert frame.shape == (64, 48, 3)
    assert frame[50, 8].max() < 12 and frame[8, 8].min() > 100  # turned a quarter against the clock


def test_hdr_is_brought_to_bt709(clip: Path, tmp_path: Path) -> None:
    hdr = tmp_path / "hdr.mp4"
    tags = ["-color_primaries", "bt2020", "-color_trc", "arib-std-b67", "-colorspace", "bt2020nc"]
    to_hlg = "zscale=t=arib-std-b67:p=bt2020:m=bt2020nc,format=yuv420p10le"
    quiet = ["-x265-params", "log-level=none:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc"]
    run_ffmpeg("-ss", "1", "-i", clip, "-t", "1", "-vf", to_hlg, "-c:v", "libx265", *quiet, *tags, hdr)
    assert probe(hdr).hdr == "arib-std-b67"
    red, green, blue = next(read_frames(hdr))[40, 50].astype(int)
    assert red - green > 100 and abs(green - blue) < 25  # BT.2020 shown as it is would be pale


def test_late_sound_keeps_its_time(clip: Path, tmp_path: Path) -> None:
    late = tmp_path / "late.mkv"
    run_ffmpeg("-i", clip, "-itsoffset", "1", "-i", clip, "-map", "0:v", "-map", "1:a", "-c", "copy", late)
    wav = read_audio(late)
    assert np.abs(wav[:14000]).max() < 0.01 and np.abs(wav[18000:30000]).max() > 0.2


def test_sound_comes_in_blocks_and_ends_when_nobody_listens(clip: Path) -> None:
    blocks = list(stream_audio(clip))
    assert max(map(len, blocks)) <= AUDIO_RATE_HZ and len(blocks) >= 4
    assert np.array_equal(np.concatenate(blocks), read_audio(clip))
    stream = stream_audio(clip)
    next(stream)
    stream.close()  # and the process with it: nothing waits


def test_sound_of_a_file_is_kept_as_it_is(clip: Path, tmp_path: Path) -> None:
    rich, late = tmp_path / "rich.wav", tmp_path / "late.mkv"
    run_ffmpeg("-i", clip, "-map", "0:a", "-ar", "44100", "-ac", "2", rich)
    run_ffmpeg("-i", clip, "-itsoffset", "0.5", "-i", clip, "-map", "0:v", "-map", "1:a", "-c", "copy", late)
    torn = tmp_path / "torn.mkv"
    run_ffmpeg("-i", clip, "-vn", "-af", "aselect='not(between(t,1,2))'", "-c:a", "pcm_s16le", torn)
    for sound, shown in ((rich, "44100 Hz, stereo"), (late, "16000 Hz, mono"), (torn, "16000 Hz, mono")):
        with VideoWriter(tmp_path / "out.mp4", (32, 32), audio=sound_source(sound)) as video:
            for _ in range(100):
                video.write(np.zeros((32, 32, 3), np.uint8))
        said = subprocess.run([ffmpeg_path(), "-i", str(video.path)], capture_output=True, check=False).stderr.decode()
        assert shown in said
        heard, meant = read_audio(video.path), read_audio(sound)
        assert np.corrcoef(heard[4000:48000], meant[4000:48000])[0, 1] > 0.99
        run_ffmpeg("-i", video.path, "-ar", AUDIO_RATE_HZ, tmp_path / "plain.wav")  # players fill no gaps
        assert abs(len(read_audio(tmp_path / "plain.wav")) - len(meant)) < 2500


def test_bad_files_are_named_with_a_way_out(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        probe(tmp_path / "nothing.mp4")
    text = tmp_path / "text.mp4"
    text.write_text("not a video at all\n" * 50)
    with pytest.raises(BadInput, match=r"text\.mp4"):
        probe(text)
    sound = tmp_path / "sound.wav"
    write_wav(sound, tone(1.0))
    with pytest.raises(BadInput, match="holds no video"):
        require_video(sound)
    silent = tmp_path / "silent.mp4"
    run_ffmpeg("-i", clip, "-an", "-c", "copy", silent)
    with pytest.raises(BadInput, match="no sound"):
        read_audio(silent)
    picture = tmp_path / "picture.png"
    run_ffmpeg("-i", clip, "-frames:v", "1", picture)
    with pytest.raises(BadInput, match="picture"):
        require_video(picture)


def test_a_cut_off_file_says_where(tmp_path: Path) -> None:
    noisy = tmp_path / "noisy.mp4"
    generator = np.random.default_rng(0)
    with VideoWriter(noisy, (64, 64), audio=tone(4.0)) as video:
        for _ in range(100):
            video.write(generator.integers(0, 255, (64, 64, 3), dtype=np.uint8))
    data = noisy.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: len(data) // 2])
    with pytest.raises(BadInput, match=r"cut off after .* --end"):
        list(read_frames(cut))
    assert len(list(read_frames(cut, end_s=1.0))) == 25  # the way out works
    cut.write_bytes(data[:600])  # not even the whole index
    with pytest.raises(BadInput, match=r"broken|not a video"):
        list(read_frames(cut))


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    generator = np.random.default_rng(0)
    with pytest.raises(RuntimeError), replacing(path) as whole, VideoWriter(whole, (64, 64)) as video:
        for _ in range(300):  # enough that ffmpeg has begun its file
            video.write(generator.integers(0, 255, (64, 64, 3), dtype=np.uint8))
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "ffmpeg"
    broken = "echo 'Error writing trailer: No space left on device' >&2; exit 1"
    fake.write_text(f"#!/bin/sh\n[ $1 = -version ] && echo ffmpeg version 0 && exit\n{broken}\n")
    fake.chmod(fake.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(fake))
    out = tmp_path / "out" / "full.mp4"
    said = r"disk is full: full\.mp4"  # its name as people know it
    with pytest.raises(BadInput, match=said), replacing(out) as whole, VideoWriter(whole, (32, 32)) as video:
        for _ in range(200):
            video.write(np.zeros((32, 32, 3), np.uint8))
    assert list(out.parent.iterdir()) == []


def test_frames_must_fit() -> None:
    with pytest.raises(ValueError, match="uint8"), VideoWriter(Path("never.mp4"), (32, 32)) as video:
        video.write(np.zeros((16, 16, 3), np.uint8))


def test_odd_sizes_are_padded_to_even(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "odd.mp4", (33, 31)) as video:
        video.write(np.zeros((31, 33, 3), np.uint8))
    assert probe(tmp_path / "odd.mp4").size_px == (34, 32)


def test_header_of_a_rotated_anamorphic_file() -> None:
    header = (
        "  Duration: 00:01:02.50, start: 0.0\n"
        "  Stream #0:0: Audio: mp3\n"
        "  Stream #0:1: Video: mjpeg, 300x300, 90k tbr (attached pic)\n"
        "  Stream #0:2: Video: hevc (Main 10), yuv420p10le(tv, bt2020nc/bt2020/smpte2084), 1440x1080"
        " [SAR 4:3 DAR 16:9], 29.97 fps\n        displaymatrix: rotation of -90.00 degrees\n"
    )
    info = parse_header(header, "x.mov")
    assert info.size_px == (1080, 1920) and info.duration_s == 62.5 and info.rate_hz == 29.97
    assert info.has_video and info.has_audio and info.hdr == "smpte2084"


def test_titles_of_streams_are_no_kinds() -> None:
    header = """Input #0, matroska,webm, from 'x.mkv':
  Duration: 00:00:02.00, start: 0.000000, bitrate: 100 kb/s
  Stream #0:0: Video: h264 (High), yuv420p, 64x48, 25 fps, 25 tbr, 1k tbn
    Metadata:
      title           : Take 2: Audio: boom
  Stream #0:1: Audio: pcm_s16le, 16000 Hz, mono, s16, 256 kb/s
    Metadata:
      title           : Part 1: Video: intro
"""
    info = parse_header(header, "x.mkv")
    assert info.size_px == (64, 48) and info.has_video and len(info.tracks) == 1
