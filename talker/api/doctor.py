"""What this machine has for talker, and how to get what it lacks.

Nothing here fails: a machine without a part is a finding, not an error. Nothing is downloaded.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from talker.core.errors import Missing
from talker.core.hub import is_here

Standing = Literal["ok", "absent", "broken"]  # absent: optional, and not here; broken: needed, and not working

# What OpenCV and mediapipe load from the system, and Debian's package that brings it.
SYSTEM_LIBRARIES = {"libGL.so.1": "libgl1", "libgthread-2.0.so.0": "libglib2.0-0", "libEGL.so.1": "libegl1"}
_SIGNS = {"ok": "ok", "absent": "--", "broken": "!!"}
_REINSTALL = "pip install -c constraints.txt ."
_FULL = 'pip install -c constraints.txt ".[full]", together with an index build of torch'
_STUDIO = 'pip install -c constraints.txt ".[studio]"'
_GPU = "an NVIDIA GPU and torch's CUDA build, which is the package index's on Linux"
# How to get the kernels of that name.
KERNELS = {
    "torch": _REINSTALL,
    "native": "apt-get install g++ (macOS: xcode-select --install)",
    "cuda": _GPU,
    "tcnn": f"{_GPU}; with nvcc: pip install 'git+https://github.com/NVlabs/tiny-cuda-nn/#subdirectory=bindings/torch'",
}
_FETCHED = "fetched when first used; a local folder serves as well (--model, --audio-model)"
_SYNCNET_URL = "http://www.robots.ox.ac.uk/~vgg/software/lipsync/data/syncnet_v2.model"
_CLIP_FETCHED = "fetched when first used; a local folder serves as well (--clip)"


@dataclass(frozen=True)
class Check:
    """Something that a machine may have: `look` says what is there, or raises."""

    name: str
    look: Callable[[], str]
    way_out: str = ""  # how to get it
    needed: bool = False


@dataclass(frozen=True)
class CheckResult:
    name: str
    standing: Standing
    text: str
    way_out: str = ""


def examine() -> list[CheckResult]:
    """All findings, the needed before the optional."""
    return [_find(check) for check in CHECKS]


def describe(findings: list[CheckResult]) -> str:
    """A table for people."""
    lines = []
    for finding in findings:
        lines.append(f"{_SIGNS[finding.standing]}  {finding.name:<20} {finding.text}")
        if finding.way_out:
            lines.append(f"{'':<25}{finding.way_out}")
    broken = [finding.name for finding in findings if finding.standing == "broken"]
    verdict = f"Not ready: mend {', '.join(broken)}." if broken else "Ready. What is marked -- is optional."
    return "\n".join([*lines, "", verdict])


def _find(check: Check) -> CheckResult:
    try:
        return CheckResult(check.name, "ok", check.look())
    except Exception as error:  # whatever goes wrong in someone else's package is what doctor is there to say
        text = " ".join(str(error).split())[:200] or type(error).__name__
        library = next((library for library in SYSTEM_LIBRARIES if library in text), None)
        way_out = f"apt-get install {SYSTEM_LIBRARIES[library]}" if library else check.way_out
        return CheckResult(check.name, "broken" if check.needed else "absent", text, way_out)


# -------------------------------------------------------------------- where to look


def _machine() -> str:
    memory = ""
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", ()):
        memory = f", {os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB of memory"
    return f"{os.cpu_count()} cores{memory}, {shutil.disk_usage(os.getcwd()).free / 2**30:.0f} GiB free here"


def _torch() -> str:
    import torch

    return f"{torch.__version__}, {torch.get_num_threads()} threads"


def _chosen_kernels() -> str:
    from talker.radfield.backends import choose_kernels

    chosen = choose_kernels("auto")
    return f"auto takes {chosen.name}: {chosen.why}"


def _kernels(name: str) -> Callable[[], str]:
    def look() -> str:
        from talker.radfield.backends import choose_kernels

        return choose_kernels(name).why

    return look


def _ffmpeg() -> str:
    from talker.video import ffmpeg_path

    path = ffmpeg_path()
    return f"{subprocess.run([path, '-version'], capture_output=True, text=True, check=True).stdout.split()[2]}, {path}"


def _libgl() -> str:
    import cv2

    return f"found; OpenCV {cv2.__version__} loads"


def _mediapipe() -> str:
    from talker.take.landmarks import import_mediapipe

    import_mediapipe()
    return f"{importlib.metadata.version('mediapipe')}, with its models"


def _packaged(module: str, weights: str = "WEIGHTS") -> Callable[[], str]:
    def look() -> str:
        file = getattr(importlib.import_module(module), weights)
        file.read()
        return f"{file.what}, {file.find()}"

    return look


def _gpu() -> str:
    import torch

    if not torch.cuda.is_available():
        raise Missing("none that torch can use; everything runs on the CPU")
    return torch.cuda.get_device_name()


def _package(module: str, serves: str) -> Callable[[], str]:
    def look() -> str:
        if importlib.util.find_spec(module) is None:
            raise Missing(f"not installed; {serves}")
        importlib.import_module(module)
        return importlib.metadata.version(module)

    return look


def _hub_model(repository: str, serves: str) -> Callable[[], str]:
    def look() -> str:
        if not is_here(repository):
            raise Missing(f"{repository} is not in the local cache; {serves}")
        return f"{repository}, in the local cache"

    return look


def _torch_weights(pattern: str, serves: str) -> Callable[[], str]:
    def look() -> str:
        import torch

        found = sorted(Path(torch.hub.get_dir(), "checkpoints").glob(pattern))
        if not found:
            raise Missing(f"not in {torch.hub.get_dir()}/checkpoints; {serves}")
        return str(found[0])

    return look


CHECKS = (
    Check("python", lambda: f"{platform.python_version()}, {platform.system()} {platform.machine()}", needed=True),
    Check("machine", _machine),
    Check("torch", _torch, _REINSTALL, needed=True),
    Check("ffmpeg", _ffmpeg, _REINSTALL, needed=True),
    Check("libGL", _libgl, _REINSTALL, needed=True),
    Check("mediapipe", _mediapipe, "pip install mediapipe==0.10.21, or fit with --landmarks face-alignment"),
    Check("gpu", _gpu),
    Check("kernels", _chosen_kernels),
    *(Check(f"  --kernels {name}", _kernels(name), way_out) for name, way_out in KERNELS.items()),
    Check("torchvision", _package("torchvision", "optional"), _FULL),
    Check("torchaudio", _package("torchaudio", "optional"), _FULL),
    Check("lpips", _package("lpips", "perceptual distance in talker eval"), _FULL),
    Check("uvicorn", _package("uvicorn", "the server of talker studio"), _STUDIO),
    Check("face-alignment", _package("face_alignment", "for --landmarks face-alignment"), _REINSTALL),
    Check("FAN weights", _torch_weights("*2DFAN4*", "for --landmarks face-alignment"), "fetched when first used"),
    Check("hama", _packaged("talker.take.hama")),
    Check("whisper tiny.en", _packaged("talker.take.whisper", "TINY")),
    Check("face recognition", _packaged("talker.take.identity")),
    Check(
        "VGG19 weights",
        _torch_weights("vgg19-dcbb9e9d.pth", "sharper edits; a weight-free pyramid stands in"),
        "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth, into that folder",
    ),
    Check(
        "SyncNet weights",
        _torch_weights("syncnet_v2.model", "SyncNet confidence in talker eval"),
        f"{_SYNCNET_URL}, into that folder",
    ),
    Check(
        "ArcFace weights",
        _torch_weights("arcface_backbone.pth", "identity distance in talker eval"),
        "the backbone.pth of an insightface arcface_torch model, under that name, or talker eval --arcface FILE",
    ),
    Check("InstructPix2Pix", _hub_model("timbrooks/instruct-pix2pix", "edits in any words"), _FETCHED),
    Check("wav2vec2", _hub_model("facebook/wav2vec2-base-960h", "for --audio wav2vec2"), _FETCHED),
    Check("CLIP", _hub_model("openai/clip-vit-large-patch14", "for talker eval with captions"), _CLIP_FETCHED),
    Check("hubert", _hub_model("facebook/hubert-large-ls960-ft", "for --audio hubert"), _FETCHED),
)
