"""The head field: a point, a direction and a condition to density and colour (RAD-NeRF, Tang et al. 2022, section 3).

A 3-D hash grid encodes space. Its features and the frame's audio code give a point of the 2-D *ambient* space, which
a second hash grid encodes: that is how audio moves the mouth. A density MLP reads both encodings and the eyes; a colour
MLP reads its features, a direction, the frame's appearance code and, beyond RAD-NeRF, its audio code.

RAD-NeRF's direction is the ray's. But the camera of a take stands still while the head turns under the room's light:
what the direction explains is the light, and a view from where no camera stood would ask it for a light that nobody
saw. So the direction is that of the camera in the take, whatever the view: one for all rays of a frame.

A *deferred* field composites the features instead of colours and runs the colour MLP once a ray, as SNeRG does (Hedman
et al. 2021); a layer moves from the density MLP, which every sample pays for, to the colour MLP, which only rays do.

Conditions are constant over a frame, so they enter as per-frame biases of the three first layers, which equals
concatenating them to the input and lets a kernel read them once per frame.

Notation: N rays, S samples, F frames, C values of a sample, A = 64 audio-code channels, E encoded features.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn
from torch.nn import functional

from talker.core.types import Condition
from talker.radfield.encoding import GridSpec, Levels, Resolution, TableLog2, encode_grid, spherical_harmonics

HIDDEN = 64
GEOMETRY = 16  # the density logit, and features for the colour MLP
HARMONICS = 16
AUDIO_CODE = 64
EYE = 3
APPEARANCE = 4
LEAK = 0.01
DENSITY_SHIFT = 2.5  # initial density exp(2.5): visible fog, from which surfaces condense
DENSITY_LOGIT_MAX = 15.0


@dataclass(frozen=True)
class FieldOptions:
    """The field's size. The default is the CPU's: smaller than the paper's, 11 kFLOP a sample and 13 a ray."""

    space_levels: Levels = 12  # levels of the 3-D grid
    space_finest: Resolution = 512  # its finest resolution
    space_table_log2: TableLog2 = 16  # at most 2^this vertices a level
    ambient_levels: Levels = 8  # levels of the 2-D audio grid
    ambient_finest: Resolution = 256
    ambient_table_log2: TableLog2 = 14
    deferred: bool = True  # colour is made once a ray, from features gathered along it
    view_dependent: bool = False  # colour depends on the ray's direction instead of the head's pose in the take
    occupancy: Annotated[int, Ge(4), Le(512)] = 64  # side of the occupancy grid

    @classmethod
    def paper(cls) -> FieldOptions:
        """RAD-NeRF's grids: 16 levels from 16 to 2048, 2^16 vertices, occupancy 128^3; colour at every sample.

        Unlike RAD-NeRF's, its colour follows the head's pose and not the ray, which breaks colours in turned views.
        """
        return cls(16, 2048, 16, 16, 2048, 16, deferred=False, occupancy=128)

    @property
    def shape(self) -> FieldShape:
        return FieldShape(
            GridSpec(3, self.space_levels, 16, self.space_finest, self.space_table_log2),
            GridSpec(2, self.ambient_levels, 16, self.ambient_finest, self.ambient_table_log2),
            self.deferred,
        )


@dataclass(frozen=True)
class FieldShape:
    space: GridSpec
    ambient: GridSpec
    deferred: bool

    @property
    def channels(self) -> int:
        """C: values that a sample carries to its ray, a colour or the geometry features."""
        return GEOMETRY if self.deferred else 3

    @property
    def encoded(self) -> int:
        return self.space.width + self.ambient.width


class FieldWeights(NamedTuple):
    """Everything trained in the head field but the conditions' projections; matrices are [out, in], without biases."""

    space_table: Tensor  # [space vertices, 2]
    ambient_table: Tensor  # [ambient vertices, 2]
    ambient_in: Tensor  # [64, space features]
    ambient_out: Tensor  # [2, 64]
    density_in: Tensor  # [64, E]
    middle: Tensor  # [64, 64] second layer of the density MLP, or of a deferred field's colour MLP
    density_out: Tensor  # [16, 64]
    colour_in: Tensor  # [64, 16 + 16]
    colour_out: Tensor  # [3, 64]


class Biases(NamedTuple):
    """Conditions of F frames, as biases of the first layers."""

    ambient: Tensor  # [F, 64]
    density: Tensor  # [F, 64]
    colour: Tensor  # [F, 64]


class FieldSamples(NamedTuple):
    sigmas: Tensor  # [S] density, 1/unit
    values: Tensor  # [S, C] what is composited: colours, or a deferred field's features
    ambient: Tensor  # [S, 2] ambient coordinates in [-1, 1]


def rows_of(
    table: Tensor,  # [R, C]
    rows: Tensor,  # [S] int
) -> Tensor:  # [S, C]
    """`table[rows]`, whose gradient is always summed in one order: that of indexing is what threads make of it."""
    return functional.embedding(rows, table)


def evaluate_field(
    shape: FieldShape,
    weights: FieldWeights,
    biases: Biases,
    points: Tensor,  # [S, 3] in [0, 1]^3
    harmonics: Tensor,  # [N, 16] of each ray's direction
    ray_of: Tensor,  # [S] int32
    frame_of: Tensor,  # [N] int32
) -> FieldSamples:
    """The reference: plain torch, differentiable in weights and biases."""
    ray = ray_of.long()
    frame = frame_of.long()[ray]
    space = encode_grid(shape.space, weights.space_table, points)
    hidden = functional.leaky_relu(functional.linear(space, weights.ambient_in) + rows_of(biases.ambient, frame), LEAK)
    ambient = torch.tanh(functional.linear(hidden, weights.ambient_out))
    audio = encode_grid(shape.ambient, weights.ambient_table, (ambient + 1.0) * 0.5)
    encoded = torch.cat([space, audio], dim=-1)
    hidden = functional.leaky_relu(
        functional.linear(encoded, weights.density_in) + rows_of(biases.density, frame), LEAK
    )
    if not shape.deferred:
        hidden = functional.leaky_relu(functional.linear(hidden, weights.middle), LEAK)
    geometry = functional.linear(hidden, weights.density_out)
    sigmas = torch.exp((geometry[:, 0] + DENSITY_SHIFT).clamp(max=DENSITY_LOGIT_MAX))
    if shape.deferred:
        return FieldSamples(sigmas, geometry, ambient)
    seen = torch.cat([geometry, harmonics[ray]], dim=-1)
    hidden = functional.leaky_relu(functional.linear(seen, weights.colour_in) + rows_of(biases.colour, frame), LEAK)
    return FieldSamples(sigmas, torch.sigmoid(functional.linear(hidden, weights.colour_out)), ambient)


def shade(
    shape: FieldShape,
    weights: FieldWeights,
    biases: Biases,
    values: Tensor,  # [N, C] composited, premultiplied
    alpha: Tensor,  # [N]
    harmonics: Tensor,  # [N, 16] of each ray's direction
    frame_of: Tensor,  # [N] int32
) -> Tensor:
    """Rays' premultiplied colours [N, 3] from what was gathered along them."""
    if not shape.deferred:
        return values
    seen = torch.cat([values, harmonics], dim=-1)
    hidden = functional.leaky_relu(functional.linear(seen, weights.colour_in) + rows_of(biases.colour, frame_of), LEAK)
    hidden = functional.leaky_relu(functional.linear(hidden, weights.middle), LEAK)
    return alpha[:, None] * torch.sigmoid(functional.linear(hidden, weights.colour_out))


def _uniform(shape: tuple[int, ...], bound: float, generator: torch.Generator) -> nn.Parameter:
    return nn.Parameter((torch.rand(shape, generator=generator) * 2.0 - 1.0) * bound)


class HeadField(nn.Module):
    """Holds the head field's parameters; `talker.radfield.kernels` evaluates them."""

    def __init__(self, options: FieldOptions, generator: torch.Generator) -> None:
        super().__init__()
        self.options = options
        self.shape = shape = options.shape

        def matrix(rows: int, columns: int) -> nn.Parameter:
            return _uniform((rows, columns), math.sqrt(6.0 / (columns + HIDDEN)), generator)

        self.space_table = _uniform((shape.space.vertices, 2), 1e-3, generator)
        self.ambient_table = _uniform((shape.ambient.vertices, 2), 1e-2, generator)
        self.ambient_in = matrix(HIDDEN, shape.space.width)
        self.ambient_out = matrix(2, HIDDEN)
        self.density_in = matrix(HIDDEN, shape.encoded)
        self.middle = matrix(HIDDEN, HIDDEN)
        self.density_out = matrix(GEOMETRY, HIDDEN)
        self.colour_in = matrix(HIDDEN, GEOMETRY + HARMONICS)
        self.colour_out = matrix(3, HIDDEN)
        self.audio_to_ambient = matrix(HIDDEN, AUDIO_CODE)
        self.eye_to_density = matrix(HIDDEN, EYE)
        self.appearance_to_colour = matrix(HIDDEN, APPEARANCE)
        self.audio_to_colour = matrix(HIDDEN, AUDIO_CODE)
        self.audio_to_density = _uniform((HIDDEN, AUDIO_CODE), 0.02, generator)  # small: lips first of all are ambient

    @property
    def weights(self) -> FieldWeights:
        found = FieldWeights(*(getattr(self, name) for name in FieldWeights._fields))
        if self.options.view_dependent:
            return found
        return found._replace(colour_in=functional.pad(self.colour_in[:, :GEOMETRY], (0, HARMONICS)))

    def biases(self, condition: Condition) -> Biases:
        colour = functional.linear(condition.appearance, self.appearance_to_colour)
        colour = colour + functional.linear(condition.audio, self.audio_to_colour)
        if not self.options.view_dependent:
            toward = functional.normalize(-condition.head_pose[:, :3, 3], dim=-1).to(colour.device)
            colour = colour + functional.linear(spherical_harmonics(toward), self.colour_in[:, GEOMETRY:])
        density = functional.linear(condition.eye, self.eye_to_density)
        density = density + functional.linear(condition.audio, self.audio_to_density)
        return Biases(functional.linear(condition.audio, self.audio_to_ambient), density, colour)
