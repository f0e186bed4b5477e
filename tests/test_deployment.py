"""The container and the public CI: what their files name exists. Neither can run here."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import yaml

from talker.api.doctor import SYSTEM_LIBRARIES
from talker.cli.subcommands import read
from talker.studio.guard import LOOPBACK

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions and what follows each, with continued lines joined."""
    lines = (line for line in DOCKERFILE.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    joined = "\n".join(lines).replace("\\\n", " ")
    found = [line.partition(" ")[::2] for line in joined.splitlines()]
    assert all(re.fullmatch("[A-Z]+", word) for word, _ in found)
    return found


def all_of(instruction: str) -> list[str]:
    return [rest for word, rest in instructions() if word == instruction]


def test_what_the_image_copies_exists_and_is_sent_to_the_builder():
    sources = [source for copy in all_of("COPY") for source in shlex.split(copy)[:-1]]
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(sources) == sent
    assert all((ROOT / source).exists() for source in sources)


def test_the_image_starts_a_studio_that_wants_a_token():
    (entry,), (words,) = map(all_of, ("ENTRYPOINT", "CMD"))
    program, *argv = [*json.loads(entry), *json.loads(words)]
    arguments = read(argv).arguments
    assert program == "talker" and argv[0] == "studio"
    assert arguments.host not in LOOPBACK and arguments.token is None  # so that `serve` asks for TALKER_TOKEN
    assert str(arguments.port) in all_of("EXPOSE") and str(arguments.folder) in all_of("VOLUME")


def test_the_image_is_small_and_its_user_has_no_privileges():
    (image,) = all_of("FROM")
    assert image.startswith("python:3.11-slim")
    assert [word for word, _ in instructions()].index("USER") < [word for word, _ in instructions()].index("CMD")
    (user,) = all_of("USER")
    assert user not in ("root", "0") and f"useradd --create-home {user}" in DOCKERFILE


def test_the_image_has_what_opencv_loads():
    (packages,) = re.findall(r"apt-get install (.*?) &&", " ".join(all_of("RUN")))
    assert {"g++", *SYSTEM_LIBRARIES.values()} <= set(packages.split())


def test_the_public_tests_run_what_ours_do():
    steps = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())["jobs"]["test"]["steps"]
    ran = [step["run"] for step in steps if "run" in step]
    assert ran[-1] == "make test" and (ROOT / ".ci/run").read_text().rstrip().endswith("exec make test")
    (python,) = [step["with"]["python-version"] for step in steps if "setup-python" in step.get("uses", "")]
    assert python == "3.11"
