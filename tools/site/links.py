"""A hook of mkdocs: links from a page of docs/ to the rest of the repository.

In the sources they are relative (`../CONTRIBUTING.md`), so that they work in a checkout and on the repository's own
pages. In the site, pictures are copied in, and other files are read in the repository.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_OUTSIDE = re.compile(r"(?P<kind>!?)(?P<text>\[[^\]]*\])\(\.\./(?P<path>[^)\s]+)\)")


def on_page_markdown(markdown: str, /, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    root = Path(config.config_file_path).parent

    def inside(match: re.Match[str]) -> str:
        path = match["path"]
        if not match["kind"]:
            return f"{match['text']}({config.repo_url}/blob/main/{path})"
        name = f"pictures/{Path(path).name}"
        if files.get_file_from_path(name) is None:
            files.append(File.generated(config, name, abs_src_path=str(root / path)))
        return f"!{match['text']}({name})"

    return _OUTSIDE.sub(inside, markdown)
