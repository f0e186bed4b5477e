"""What doctor says of the kernels: which serve, which are not here, and how to get them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from talker.api import doctor
from talker.radfield.backends import KERNELS
from talker.take import identity


def rows() -> dict[str, doctor.Finding]:
    return {finding.name.strip(): finding for finding in doctor.examine()}


def test_every_backend_has_a_line_and_a_way_to_get_it():
    assert list(doctor.KERNELS) and set(doctor.KERNELS) == set(KERNELS)
    found = rows()
    assert found["--kernels torch"].standing == "ok"
    for name in KERNELS:
        finding = found[f"--kernels {name}"]
        assert finding.standing == "ok" or (finding.standing == "absent" and finding.text and finding.way_out)


@pytest.mark.parametrize("compilers", ["all", "none"])
def test_it_says_what_auto_takes_and_why(monkeypatch, compilers):
    if compilers == "none":
        monkeypatch.setattr("talker.radfield.native.build.COMPILERS", ())
        monkeypatch.setenv("CXX", "")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    found = rows()
    taken = "native" if found["--kernels native"].standing == "ok" else "torch"
    assert f"auto takes {taken}: " in found["kernels"].text
    if compilers == "none":
        assert taken == "torch" and "no C++ compiler" in found["kernels"].text
        assert "g++" in found["--kernels native"].way_out


def test_it_says_how_to_get_the_face_network(monkeypatch):
    weights = replace(identity.WEIGHTS, module="a_package_that_nobody_has")
    monkeypatch.setattr(identity, "WEIGHTS", weights)
    finding = rows()["face recognition"]
    assert finding.standing == "absent" and "pip install face-recognition-models" in finding.text
