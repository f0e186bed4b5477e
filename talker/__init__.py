"""talker: a talking-head video editor on an instruction-edited radiance field.

    import talker

    project = talker.fit("clip.mp4")
    talker.edit(project, "make him a bronze statue", name="bronze")
    talker.drive(project, "speech.wav", edit="bronze", view=talker.View(yaw_deg=20))

Names are imported when they are first used, so that `import talker` costs nothing.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from talker.api.python import check as check
    from talker.api.python import drive as drive
    from talker.api.python import edit as edit
    from talker.api.python import evaluate as evaluate
    from talker.api.python import fit as fit
    from talker.api.python import open_portrait as open_portrait
    from talker.api.python import preview as preview
    from talker.core.types import EditPlan as EditPlan
    from talker.core.types import Take as Take
    from talker.core.types import View as View
    from talker.driving.render import Portrait as Portrait
    from talker.projects.project import Project as Project

# OpenMP's threads spin while they wait; where anything else runs on the machine, that makes fitting many times slower.
# The runtime reads this once, when torch loads it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"

_HOMES = {
    **dict.fromkeys(("check", "drive", "edit", "evaluate", "fit", "open_portrait", "preview"), "talker.api.python"),
    **dict.fromkeys(("EditPlan", "Take", "View"), "talker.core.types"),
    "Portrait": "talker.driving.render",
    "Project": "talker.projects.project",
}
__all__ = [
    "EditPlan",
    "Portrait",
    "Project",
    "Take",
    "View",
    "check",
    "drive",
    "edit",
    "evaluate",
    "fit",
    "open_portrait",
    "preview",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'talker' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
