"""Uploads that do not come to their end: over a real connection, and against a clock that the test sets."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator

import pytest
import uvicorn

from talker.studio import uploads
from talker.studio.app import application

PATIENCE_S = 120.0
HEAD = "PUT /api/files?name=new.wav HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 1000000\r\n\r\n"
JSON = "POST /api/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"


@pytest.fixture
def port(studio):
    """Of a server that listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(application(studio), log_config=None, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


def begin(port: int, head: str = HEAD) -> socket.socket:
    """Half of an upload."""
    connection = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
    connection.sendall(head.format(port=port).encode() + b'{"kind": "check"')
    return connection


def test_an_upload_that_breaks_off_is_one_line_and_leaves_nothing(port, workspace, caplog):
    folder = workspace.own / "uploads"
    connection = begin(port)
    until(lambda: folder.is_dir() and any(folder.iterdir()))
    connection.close()
    until(lambda: not any(folder.iterdir()) and caplog.records)
    assert [record.getMessage() for record in caplog.records] == ["PUT /api/files broke off; nothing of it was kept"]
    assert caplog.records[0].exc_info is None and not (workspace.root / "new.wav").exists()


@pytest.mark.parametrize("head", [HEAD, JSON], ids=["a file", "an order"])
def test_an_upload_that_stands_still_is_ended(port, workspace, monkeypatch, caplog, head):
    monkeypatch.setattr(uploads, "QUIET_S", 0.1)
    with begin(port, head) as connection:
        said = b""
        while block := connection.recv(65536):  # until the other end closes
            said += block
    assert said.startswith(b"HTTP/1.1 408") and b"too slowly: nothing for 0.1 s" in said
    assert not any((workspace.own).glob("uploads/*")) and not caplog.records


def until(condition) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, "it did not come to that"
        time.sleep(0.02)


def received(blocks: int, block_bytes: int, block_s: float) -> int:
    """Bytes that are taken of a body whose blocks come at that pace, by a clock that runs as they come."""
    loop, now_s = asyncio.new_event_loop(), 0.0
    loop.time = lambda: now_s

    async def body() -> AsyncIterator[bytes]:
        nonlocal now_s
        for _ in range(blocks):
            now_s += block_s
            yield bytes(block_bytes)

    async def count() -> int:
        return sum([len(block) async for block in uploads.in_time(body())])

    try:
        return loop.run_until_complete(count())
    finally:
        loop.close()


def test_a_slow_network_brings_its_file():
    assert received(3000, 65536, 0.5) == 3000 * 65536  # 1 Mbit/s, 25 minutes
    assert received(60, uploads.MIB, 29.0) == 60 * uploads.MIB  # in bursts
    assert received(20, 1, 2.0) == 20  # small and slow, but soon over


@pytest.mark.parametrize(("block_bytes", "block_s"), [(1, 1.0), (4096, 2.0), (65536, 20.0)])
def test_what_trickles_in_is_ended(block_bytes, block_s):
    with pytest.raises(uploads.TooSlow, match="too slowly"):
        received(10_000, block_bytes, block_s)
