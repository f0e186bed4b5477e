"""Small tensors on a busy machine: one thread is several times faster than two that wait for each other.

Importing the fixture, into a test file or a folder's conftest, is all it takes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
