"""Commands are run in a process of their own, and only when what they made is not there."""

from __future__ import annotations

import numpy as np
import pytest

from tools.quality import cost
from tools.quality.cost import CommandFailed, Cost, CostBook, run_talker


def test_a_command_costs_time_and_memory():
    mine = np.ones(2**27)  # 1 GiB, which is not the command's
    spent = run_talker("--version")
    assert spent.seconds > 0 and mine[-1] == 1.0
    assert 5 < spent.peak_rss_mib < 512


def test_a_failing_command_is_named():
    with pytest.raises(CommandFailed, match="talker driv"):
        run_talker("driv")


def test_the_book_remembers_what_was_made(tmp_path, monkeypatch):
    runs = []
    monkeypatch.setattr(cost, "run_talker", lambda *words: runs.append(words) or Cost(2.5, 100.0))
    made = tmp_path / "made"
    for _ in range(2):
        assert CostBook(tmp_path / "costs.json").run("fit", made, "fit", "a.mp4") == Cost(2.5, 100.0)
        made.touch()
    assert len(runs) == 1
    CostBook(tmp_path / "costs.json").run("fit", made, "fit", "b.mp4")  # another command
    made.unlink()
    CostBook(tmp_path / "costs.json").run("fit", made, "fit", "b.mp4")  # its result is gone
    assert len(runs) == 3
