"""Weights that pip packages carry: found without importing the package, believed by their digest."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from talker.core.errors import Missing


@dataclass(frozen=True)
class PackagedFile:
    """One file of a package. `read` gives the bytes that talker was built with, or says how to get them."""

    what: str  # "dlib's face network", for messages
    module: str  # the package, as Python finds it
    path: str  # of the file, inside
    sha256: str
    way_out: str  # "pip install ...", for messages

    def find(self) -> Path:
        """Where it lies. Missing when the package, or the file in it, is not there."""
        package = importlib.util.find_spec(self.module)
        path = Path(package.origin).parent / self.path if package is not None and package.origin else None
        if path is None or not path.is_file():
            raise Missing(f"no weights of {self.what}; {self.way_out}")
        return path

    def read(self) -> bytes:
        """Its bytes. Missing when they are not those of the version that is known."""
        path = self.find()
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        if digest != self.sha256:
            raise Missing(f"{path} is not {self.what} (SHA-256 {digest[:8]}...); {self.way_out}")
        return data
