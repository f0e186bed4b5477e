"""The folder that a studio works in: what lies in it, and the only way from a name that the page says to a file.

Layout: recordings, sounds, pictures and `*.talker` projects side by side, as people keep them; `.studio/` is the
studio's own (jobs, checks, unfinished uploads, thumbnails, waveforms) and may be removed while no studio runs.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from talker.api.edits import list_edits
from talker.core import links
from talker.core.errors import BadInput, TalkerError
from talker.core.text import path_of, text_of
from talker.projects import renders
from talker.projects.project import MANIFEST, SUFFIX, Project

OWN = ".studio"
CHECKS = "checks"  # pages that `talker check` wrote
KINDS = {
    "video": (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"),
    "sound": (".wav", ".mp3", ".m4a", ".flac", ".ogg", ".opus", ".aac"),
    "picture": (".png", ".jpg", ".jpeg", ".webp"),
}
SERVED = frozenset(suffix for suffixes in KINDS.values() for suffix in suffixes) | {".html", ".json"}


def kind_of(name: str) -> str | None:
    """What a file is, by its name."""
    suffix = Path(name).suffix.lower()
    return next((kind for kind, suffixes in KINDS.items() if suffix in suffixes), None)


class Workspace:
    """A studio's folder."""

    def __init__(self, root: Path) -> None:
        self.root = links.real(root)
        self.own = self.root / OWN

    def make_own(self) -> None:
        """The studio's own folder, and the one in it that no command makes for itself."""
        links.check_all_inside(self.own, self.root)
        try:
            (self.own / CHECKS).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"{self.own} cannot be made ({error.strerror}); open another folder") from None

    def kept(self, *parts: str) -> Path:
        """Where the studio keeps something of its own. BadInput where that leads out of the folder."""
        path = self.own.joinpath(*parts)
        links.check_inside(path, self.root)
        return path

    def check_page(self, video: Path) -> Path:
        """Where the page of a video's check is, or will be."""
        return self.kept(CHECKS, f"{text_of(video.name)}.html")

    def file(
        self,
        name: object,  # what the page says
        kind: str,  # of KINDS
    ) -> Path:
        """A recording, a sound or a picture that lies in the folder itself."""
        path = self._named(name)
        if path is not None and kind_of(path.name) == kind and self._is_file(path):
            return path
        raise BadInput(f"There is no {kind} called {str(name)[:80]!r} in {self.root.name}")

    def project(self, name: object) -> Project:
        """A project of the folder, with what it has by now."""
        path = self._named(name)
        if path is not None and path.suffix == SUFFIX and self._is_file(path / MANIFEST):
            return Project.open(path, self.root)
        raise BadInput(f"There is no project called {str(name)[:80]!r} in {self.root.name}")

    def served(self, relative: str) -> Path:
        """A file that the page may show: of a kind that it shows, inside the folder, and hidden nowhere."""
        path = path_of(relative, self.root)
        parts = relative.split("/")
        if any(part in ("", "..") or part.startswith(".") for part in parts):
            raise BadInput("No such file")
        if any("\\" in part for part in path.relative_to(self.root).parts):
            raise BadInput("No such file")
        if path.suffix.lower() not in SERVED or not self._is_file(path):
            raise BadInput("No such file")
        return path

    def free(self, wanted: str) -> Path:
        """A path in the folder for a new file of about that name: nothing is ever replaced."""
        stem, suffix = Path(wanted).stem, Path(wanted).suffix.lower()
        letters = "".join(letter if letter.isalnum() or letter in "-_ ." else "-" for letter in stem)
        stem = letters.strip("-. ")[:80] or "file"
        path, number = self.root / f"{stem}{suffix}", 2
        while os.path.lexists(path):  # a link that leads nowhere is something, too
            path, number = self.root / f"{stem}-{number}{suffix}", number + 1
        return path

    def _named(self, name: object) -> Path | None:
        """Where something of that name would lie in the folder itself; None for what is no name, or a hidden one."""
        if not isinstance(name, str) or not name or "/" in name or name.startswith((".", "-")):
            return None
        return path_of(name, self.root)

    def _is_file(self, path: Path) -> bool:
        """Whether it is a file of this folder: a link may lead elsewhere."""
        # Unlike Path.is_file, os.path.isfile is False for names that are too long.
        return links.is_inside(path, self.root) and os.path.isfile(path)

    # ---------------------------------------------------------------- what there is

    def contents(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        names = (path for path in self.root.iterdir() if not path.name.startswith((".", "-")))
        files = sorted(path for path in names if self._is_file(path))
        return {
            "kinds": KINDS,
            **{f"{kind}s": [path.name for path in files if kind_of(path.name) == kind] for kind in KINDS},
            "checks": sorted(path.stem for path in self.kept(CHECKS).glob("[!.]*.html")),
            "projects": [self._project_facts(manifest.parent) for manifest in self._manifests()],
        }

    def _manifests(self) -> list[Path]:
        return sorted(filter(self._is_file, self.root.glob(f"*{SUFFIX}/{MANIFEST}")))

    def _project_facts(self, root: Path) -> dict[str, Any]:
        """A project for the page; what is broken in it is said in its place."""
        facts: dict[str, Any] = {"name": root.name, "fitted": False, "edits": [], "renders": [], "error": None}
        try:
            project = Project.open(root, self.root)
            if astray := project.astray():
                facts["error"] = f"{', '.join(astray)}: left alone, for a link leads out of this folder"
            stages = project.stages()
            facts["fitted"] = {"take", "field"} <= stages.keys()
            facts["measured"] = {name: stages[name]["measured"] for name in ("take", "field") if name in stages}
            facts["edits"] = list_edits(project)
            facts["renders"] = [
                {**record, "there": self._is_file(renders.video_of(project, record))}
                for record in renders.records(project)
            ]
            facts["evaluated"] = [path.parent.name for path in project.glob("eval/*/eval.json")]
            facts["previews"] = [path.name for path in project.glob("previews/*.json")]
        except TalkerError as error:
            facts["error"] = str(error)
        return facts
