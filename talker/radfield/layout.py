"""Grids as the compiled kernels have them in memory: struct Level of native/hashgrid.h and cuda/kernels.cu."""

from __future__ import annotations

from ctypes import Array, Structure, c_float, c_int32

from talker.radfield.encoding import GridSpec

MAX_LEVELS = 16


class GridLevelStruct(Structure):
    _fields_ = [("scale", c_float)] + [(name, c_int32) for name in ("resolution", "offset", "vertices", "dense")]


Levels = GridLevelStruct * MAX_LEVELS


def levels_of(spec: GridSpec) -> Array:
    """
    Raises:
        ValueError: more levels than the kernels have room for.
    """
    if spec.levels > MAX_LEVELS:
        raise ValueError(f"the kernels take up to {MAX_LEVELS} grid levels, not {spec.levels}")
    return Levels(*(GridLevelStruct(v.scale, v.resolution, v.offset, v.vertices, int(v.dense)) for v in spec.table))
