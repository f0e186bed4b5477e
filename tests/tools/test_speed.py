"""The speed benchmarks at tiny sizes: keys, arithmetic, printing. Nothing here waits for a clock to say something."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
import torch

from talker.api import commands
from talker.core.types import FACE, LIPS, TORSO, Silent
from talker.radfield.field import FieldOptions
from tests.radfield.conftest import TINY_FIT, native_or_none
from tools import bench
from tools.speed import kernels
from tools.speed.report import DRIVE_LINES, FIT_LINES, Report, configuration, report
from tools.speed.subject import painted_take
from tools.speed.timing import Race, race

TINY = kernels.Sizes(points=64, samples_a_ray=4, size_px=24, fit_steps=2, repeats=2, fit=TINY_FIT)
KEYS_OF_THE_ISSUE = {
    "kernels": "encode_fwd_x encode_fwdbwd_x field_fwd_x field_fwdbwd_x step_x render_x",
    "fit": "fit_20s_256_s head_psnr_db",
    "drive": "fps_256 fps_256_refined fps_512 rss_growth_mib live_latency_ms",
}


def test_a_ratio_is_how_much_longer_the_reference_takes():
    assert Race(native_ms=2.0, reference_ms=12.0).ratio == 6.0


@pytest.mark.parametrize(("clock", "read", "settled"), [("cpu", "process_time", 1.0), ("wall", "perf_counter", 2.0)])
def test_cpu_time_is_the_best_and_wall_time_the_median(monkeypatch, clock, read, settled):
    now = 0.0
    took = {"native": iter([50.0, 2.0, 1.0, 9.0]), "torch": iter([70.0, 20.0, 10.0, 90.0])}

    def work(name: str) -> None:
        nonlocal now
        now += next(took[name]) / 1e3

    monkeypatch.setattr(time, read, lambda: now)
    found = race({name: lambda n=name: work(n) for name in took}, clock, threads=1, repeats=3)
    assert found.native_ms == pytest.approx(settled) and found.reference_ms == pytest.approx(10 * settled)


def test_both_have_the_threads_that_were_asked_for():
    before, seen = torch.get_num_threads(), []
    work = {name: lambda: seen.append(torch.get_num_threads()) for name in ("native", "torch")}
    race(work, "wall", threads=2, repeats=1)
    assert set(seen) == {2} and torch.get_num_threads() == before


def test_kernels_measures_every_key_of_the_issue():
    if native_or_none() is None:
        pytest.skip("no C++ compiler on this machine")
    found = kernels.measure(Silent(), sizes=TINY)
    assert set(KEYS_OF_THE_ISSUE["kernels"].split()) <= set(found.values)
    assert all(value > 0 for value in found.values.values())
    assert len(found.rows) == 1 + len(found.values)
    assert "4 levels" in found.configuration and "24x24" in found.configuration


def test_lines_judge_every_key_of_the_issue():
    for name, lines in (("fit", FIT_LINES), ("drive", DRIVE_LINES)):
        assert [line.key for line in lines] == KEYS_OF_THE_ISSUE[name].split()
    rows = report(FieldOptions(), {"fps_256": 24.0, "rss_growth_mib": 12.0}, DRIVE_LINES).rows
    assert len(rows) == 2
    assert "24" in rows[0] and "short" in rows[0]
    assert "12" in rows[1] and "ok" in rows[1]


def test_the_configuration_is_that_of_the_field():
    deferred, full = configuration(FieldOptions()), configuration(FieldOptions(deferred=False))
    assert "12 levels x 2, 16 to 512, T=2^16" in full and "23.2 kFLOP a sample, 0.0 a ray" in full
    assert "10.5 kFLOP a sample, 12.7 a ray" in deferred


@pytest.mark.parametrize("name", ["quality", *KEYS_OF_THE_ISSUE])
def test_the_door_knows_every_benchmark(capsys, name):
    with pytest.raises(SystemExit) as left:
        bench.main([name, "--help"])
    assert left.value.code == 0 and "--project" in capsys.readouterr().out


def test_the_last_line_is_one_object(capsys):
    bench.show(Report("field: small", ["a row"], {"step_x": 5.25}))
    printed = capsys.readouterr().out.splitlines()
    assert printed[:2] == ["field: small", "a row"]
    assert json.loads(printed[-1]) == {"step_x": 5.25}


def test_what_cannot_be_measured_is_one_line(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(bench.kernels, "choose_kernels", lambda name, reporter: commands.open_project(tmp_path))
    assert bench.main(["kernels"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_painted_speaker_covers_as_much_as_a_head_does():
    take = painted_take(64, 3)
    head = np.isin(take.parts, (FACE, LIPS)).mean()
    assert 0.15 < head < 0.35
    assert (take.parts == LIPS).any() and (take.parts == TORSO).any()
    assert not np.array_equal(take.frames[0], take.frames[1])
    assert take.audio_features.shape == (6, 160)
