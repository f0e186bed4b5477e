"""Reading the stage's socket as the page does."""

from __future__ import annotations

import json
import struct

import cv2
import numpy as np

STAGE = "ws://127.0.0.1:7860/stage"  # where the test client's base address is


def frame_of(data: bytes) -> tuple[dict, np.ndarray]:
    """The header and the picture [H, W, 3] of a message with a frame."""
    (length,) = struct.unpack("<I", data[:4])
    picture = cv2.imdecode(np.frombuffer(data[4 + length :], np.uint8), cv2.IMREAD_COLOR)
    return json.loads(data[4 : 4 + length]), picture[..., ::-1]


def next_of(socket, key: str) -> dict:
    """The next text with that key; frames and other texts are passed over."""
    while True:
        message = socket.receive()
        if message.get("text") and key in (facts := json.loads(message["text"])):
            return facts


def next_frame(socket) -> tuple[dict, np.ndarray]:
    while True:
        message = socket.receive()
        if message.get("bytes") is not None:
            return frame_of(message["bytes"])
