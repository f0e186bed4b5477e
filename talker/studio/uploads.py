"""Files that the page brings: limited in size and kind, probed before they are believed, never in another's place."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from talker.core import links
from talker.core.errors import BadInput
from talker.studio.workspace import Workspace, kind_of
from talker.video.files import require_video
from talker.video.tracks import require_sound

FOLDER = "uploads"
MIB = 1 << 20
LARGEST_MIB = {"video": 4096, "sound": 512, "picture": 32}
LONGEST_H = {"video": 1, "sound": 3}
MOST_PIXELS = 50_000_000
SPARE_MIB = 512  # that stay free on the disk
# A slow wireless network brings ten times as much.
QUIET_S = 30.0  # without a byte
LEAST_BYTES, LEAST_S = MIB, 60.0  # that must have come in so many seconds of waiting


class TooSlow(BadInput):
    """What comes so slowly that its sender is gone, or means to keep the studio waiting."""


async def receive(
    workspace: Workspace,
    name: str,  # as the page says it
    announced: int | None,  # bytes, where the page says how many
    body: AsyncIterator[bytes],
) -> Path:
    """A new file in the folder. BadInput for what is too large, of no known kind, or not what its name says."""
    kind = kind_of(name)
    if kind is None or len(name) > 255:
        raise BadInput(
            f"{Path(name).name[:80]!r} is no video, sound or picture that talker reads; give mp4, wav, png ..."
        )
    limit = LARGEST_MIB[kind] * MIB
    free = shutil.disk_usage(workspace.own).free - SPARE_MIB * MIB
    if announced is not None and announced > limit:
        raise BadInput(f"A {kind} may have {LARGEST_MIB[kind]} MiB here, this one has {announced // MIB}")
    if announced is not None and announced > free:
        raise BadInput("The disk is full; free some space and try again")
    folder = workspace.kept(FOLDER)
    folder.mkdir(exist_ok=True)
    partial = folder / f"{secrets.token_hex(8)}{Path(name).suffix.lower()}"
    try:
        count = 0
        with partial.open("xb") as file:
            async for block in in_time(body):
                count += len(block)
                if count > min(limit, free):
                    raise BadInput(f"A {kind} may have {LARGEST_MIB[kind]} MiB here, and the disk must hold it")
                await run_in_threadpool(file.write, block)
        if announced is not None and count != announced:
            raise BadInput(f"{count} bytes came, {announced} were announced; try again")
        await run_in_threadpool(_probe, partial, kind, Path(name).name[:80])
        while True:
            place = workspace.free(Path(name.replace("\\", "/")).name)
            with contextlib.suppress(FileExistsError):  # of two that come at once, each gets a name of its own
                place.open("xb").close()
                partial.replace(place)
                return place
    finally:
        partial.unlink(missing_ok=True)


async def in_time(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A body's blocks, as long as they keep coming; TooSlow when they do not."""
    loop, blocks = asyncio.get_running_loop(), aiter(body)
    waited_s, came = 0.0, 0
    while True:
        asked_s = loop.time()
        try:
            block = await asyncio.wait_for(anext(blocks), min(QUIET_S, LEAST_S - waited_s))
        except StopAsyncIteration:
            return
        except asyncio.TimeoutError:
            least = f"nothing for {QUIET_S:g} s, or less than {LEAST_BYTES / MIB:g} MiB in {LEAST_S:g} s"
            raise TooSlow(f"It came too slowly: {least}; try again over a faster connection") from None
        waited_s, came = waited_s + loop.time() - asked_s, came + len(block)
        if came >= LEAST_BYTES:
            waited_s, came = 0.0, 0
        yield block


def _probe(path: Path, kind: str, name: str) -> None:
    """BadInput, with the name that people know the file by, unless it is what it says."""
    try:
        if kind == "picture":
            _probe_picture(path)
        else:
            info = require_video(path) if kind == "video" else require_sound(path)
            length_s = max(info.duration_s, info.sound_s)
            if length_s > 3600 * LONGEST_H[kind]:
                most = f"{60 * LONGEST_H[kind]} min of a {kind}"
                raise BadInput(f"{path.name} is {length_s / 60:.0f} min long; the studio takes {most}")
    except BadInput as error:
        raise BadInput(str(error).replace(str(path), name).replace(path.name, name)) from None


def _probe_picture(path: Path) -> None:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=("PNG", "JPEG", "WEBP")) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise BadInput(f"{path.name} has more than {MOST_PIXELS // 1_000_000} megapixels; make it smaller")
            picture.verify()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise BadInput(f"{path.name} is not a picture that can be read; give a PNG or JPEG") from None


def forget_unfinished(workspace: Workspace) -> None:
    """What a killed studio left half received."""
    links.remove(workspace.kept(FOLDER))
