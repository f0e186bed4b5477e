"""One page at the other end of a socket: requests in, frames out; and news of the queue.

From the page come JSON texts, `{"seq": 7, "request": {...}}`, `{"listen": {...}}` (the request under which the
microphone begins), `{"hush": true}`, and the microphone's sound as bytes. To the page go frames as bytes (the length of
a header, four bytes little-endian; the header, JSON; a JPEG) and JSON texts: `jobs`, `dropped`, `error`. Of requests
that wait only the newest is kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
from collections.abc import Iterator
from typing import Annotated, Any

from annotated_types import Ge, Le
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect
from typing_extensions import NotRequired, TypedDict

from talker.core.errors import BadInput, mendable
from talker.core.records import NoRecord, json_text, open_ended, parse_record
from talker.studio.frame_request import LIVE, FrameRequest, frame_request_of
from talker.studio.jobs import Queue
from talker.studio.mic import Microphone
from talker.studio.viewport import Viewport

_log = logging.getLogger("talker.studio")
_NEWS_EVERY_S = 0.1
_LIVE_WAIT_S = 0.5  # for a frame of a live voice; after that the stage shows what it has


@open_ended
class Message(TypedDict):
    """What a page says."""

    seq: NotRequired[Annotated[int, Ge(-(2**53)), Le(2**53)]]


class News:
    """Wakes every page when the queue has changed; `tell` may be called from any thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._events: set[asyncio.Event] = set()

    def begin(self) -> None:
        self._loop = asyncio.get_running_loop()

    def tell(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for event in self._events:
            event.set()

    @contextlib.contextmanager
    def heard(self):
        event = asyncio.Event()
        event.set()
        self._events.add(event)
        try:
            yield event
        finally:
            self._events.discard(event)


@contextlib.contextmanager
def _open() -> Iterator[None]:
    """Around the socket alone: a RuntimeError there is starlette's word for one that is gone."""
    try:
        yield
    except RuntimeError:
        raise WebSocketDisconnect from None


class Session:
    def __init__(self, socket: WebSocket, viewport: Viewport, queue: Queue, news: News) -> None:
        self._socket, self._viewport, self._queue, self._news = socket, viewport, queue, news
        self._waiting: tuple[int, FrameRequest] | None = None
        self._at_work: set[asyncio.Task] = set()
        self._mic: Microphone | None = None
        self._spoken = asyncio.Event()
        self._shown = 0  # frames of the live voice

    async def run(self) -> None:
        await self._socket.accept()
        with self._news.heard() as event:
            news = asyncio.create_task(self._tell_news(event))
            try:
                while True:
                    await self._receive(await self._heard())
            except WebSocketDisconnect:
                pass
            finally:
                news.cancel()
                for task in self._at_work:
                    task.cancel()
                await self._hush()

    async def _tell_news(self, event: asyncio.Event) -> None:
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await event.wait()
                event.clear()
                await self._send({"jobs": self._queue.jobs()})
                await asyncio.sleep(_NEWS_EVERY_S)

    async def _receive(self, message: dict[str, Any]) -> None:
        if message.get("bytes") is not None:
            if self._mic is not None:
                self._mic.hear(message["bytes"])
            return
        seq = None
        try:
            try:
                facts = parse_record(message["text"], Message)
            except NoRecord:
                raise BadInput("That is no message for the stage") from None
            if "request" in facts:
                if "seq" not in facts:
                    raise BadInput("That is no message for the stage")
                seq = facts["seq"]
                await self._wait(seq, frame_request_of(facts["request"]))
            elif "listen" in facts:
                await self._listen(frame_request_of(facts["listen"]))
            elif "hush" in facts:
                await self._hush()
        except Exception as error:
            await self._tell_mistake(error, seq, str(message["text"])[:200])

    async def _tell_mistake(self, error: Exception, seq: int | None, of_what: object) -> None:
        """One line to the page; what is a bug is logged."""
        if isinstance(error, WebSocketDisconnect):
            raise error
        known = mendable(error)
        if known is not None:
            await self._send({"error": str(known), "seq": seq})
            return
        _log.error("the stage, of %s", of_what, exc_info=error)
        await self._send({"error": "The stage made a mistake; where it was started it says which", "seq": seq})

    # ---------------------------------------------------------------- the socket

    async def _heard(self) -> dict[str, Any]:
        with _open():
            message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect
        return message

    async def _send(self, facts: dict[str, Any]) -> None:
        with _open():
            await self._socket.send_text(json_text(facts, None))

    async def _send_picture(self, header: dict[str, Any], jpeg: bytes) -> None:
        head = json_text(header, None).encode()
        with _open():
            await self._socket.send_bytes(struct.pack("<I", len(head)) + head + jpeg)

    # ---------------------------------------------------------------- frames

    async def _wait(self, seq: int, request: FrameRequest) -> None:
        """Take a request in place of one that still waits."""
        if self._waiting is not None:
            await self._send({"dropped": self._waiting[0]})
        self._waiting = seq, request
        self._begin()

    def _begin(self) -> None:
        while self._waiting is not None:
            seq, request = self._waiting
            if len(self._at_work) >= (self._viewport.workers if request.playing else 1):
                return
            self._waiting = None
            task = asyncio.create_task(self._render(seq, request))
            self._at_work.add(task)
            task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task) -> None:
        self._at_work.discard(task)
        if not task.cancelled():
            task.exception()  # a socket that is gone: `run` hears of it, too
        self._begin()

    async def _render(self, seq: int, request: FrameRequest) -> None:
        try:
            code = await self._live_code(request) if request.voice == LIVE else None
            picture = await asyncio.wrap_future(self._viewport.submit(request, code))
        except Exception as error:
            await self._tell_mistake(error, seq, request)
            return
        width, height = picture.size_px
        header = {"seq": seq, "index": self._shown if request.voice == LIVE else request.index, "edit": request.edit}
        header |= {"width": width, "height": height, "pair": request.pair, "ms": round(picture.render_ms, 1)}
        await self._send_picture(header, picture.jpeg)

    # ---------------------------------------------------------------- the microphone

    async def _listen(self, request: FrameRequest) -> None:
        await self._hush()
        project = self._viewport.project(request)
        portrait, _ = await run_in_threadpool(self._viewport.portrait, project, request)
        encoder = (await run_in_threadpool(self._viewport.speaker, project)).encoder
        loop = asyncio.get_running_loop()
        self._mic = Microphone(portrait, encoder, lambda: loop.call_soon_threadsafe(self._spoken.set))
        self._shown = 0
        await self._send({"listening": True, "lookahead_s": self._mic.lookahead_s})

    async def _hush(self) -> None:
        mic, self._mic = self._mic, None
        if mic is not None:
            await run_in_threadpool(mic.close)

    async def _live_code(self, request: FrameRequest):  # [A], or None while nothing was heard
        mic = self._mic
        if mic is None:
            return None
        portrait, _ = await run_in_threadpool(self._viewport.portrait, self._viewport.project(request), request)
        mic.show(portrait)
        if mic.frames <= self._shown:
            self._spoken.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._spoken.wait(), _LIVE_WAIT_S)
        self._shown = mic.frames
        return mic.code
