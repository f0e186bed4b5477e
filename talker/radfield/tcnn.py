"""tiny-cuda-nn on the GPU: its hash grids and fully fused networks; own kernels march, composite and step the tables.

Parameters stay where every backend has them: float32, tables [vertices, 2], matrices [out, in]. They are laid out as
tiny-cuda-nn's flat `params` for each call, differentiably, so its gradients come back in our layout and a checkpoint
knows nothing of who wrote it.

Its networks have no biases; a frame's bias is a column of the first matrix, read by a one-hot input
(talker.radfield.cuda.mixed), so they are fused whole: its LeakyReLU has our slope, 0.01. They sum and answer in half
precision, the density logit too; exponential and compositing are float32. Gradients are scaled by us, call by call, and
its own constant loss scale is off.

Conventions, from tiny-cuda-nn 2.0's grid.h, fully_fused_mlp.h and modules.py (NVlabs/tiny-cuda-nn, BSD-3): levels side
by side, each padded to 8 vertices; matrices one after the other, row-major, the last with its rows padded to 16;
inputs float32, 16 columns at a time.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from types import ModuleType

import torch
from torch import Tensor, nn
from torch.func import functional_call

from talker.core.errors import Missing
from talker.radfield.cuda import CudaKernels
from talker.radfield.cuda.launch import Module
from talker.radfield.cuda.mixed import ALIGNMENT, in_low_precision, with_biases, with_frames
from talker.radfield.encoding import FEATURES, GridSpec
from talker.radfield.field import HIDDEN

BUILD = "pip install 'git+https://github.com/NVlabs/tiny-cuda-nn/#subdirectory=bindings/torch'"
# It computes levels' scales in float32: a whole one must not come out a hair above, where it rounds to a finer grid.
SCALE_MARGIN = 2e-7


def import_tinycudann() -> ModuleType:
    """
    Raises:
        Missing: it is not installed, or does not serve this GPU.
    """
    if not torch.cuda.is_available():
        raise Missing("there is no CUDA GPU that torch can use; choose --kernels native")
    try:
        return importlib.import_module("tinycudann")
    except ImportError as error:
        raise Missing(f"tinycudann is not installed; choose --kernels cuda, or build it: {BUILD}") from error
    except OSError as error:  # how it says that it was built for other GPUs
        raise Missing(
            f"tinycudann does not work here ({error}); choose --kernels cuda, or build it: {BUILD}"
        ) from error


def grid_config(spec: GridSpec) -> dict[str, str | int | float]:
    """The encoding that reads our tables as they are."""
    growth = math.exp(math.log(spec.finest / spec.base) / max(spec.levels - 1, 1))
    return {
        "otype": "HashGrid",
        "n_levels": spec.levels,
        "n_features_per_level": FEATURES,
        "log2_hashmap_size": spec.table_log2,
        "base_resolution": spec.base,
        "per_level_scale": growth * (1.0 - SCALE_MARGIN),
        "interpolation": "Linear",
    }


def network_config(layers: int) -> dict[str, str | int]:
    """The network of that many matrices."""
    return {
        "otype": "FullyFusedMLP",
        "activation": "LeakyReLU",
        "output_activation": "None",
        "n_neurons": HIDDEN,
        "n_hidden_layers": layers - 1,
    }


def network_parameters(
    matrices: Sequence[Tensor],  # [64, K], [64, 64] ..., [out, 64]
) -> Tensor:
    """Matrices as its flat `params`."""
    *hidden, last = matrices
    unused = last.new_zeros(-len(last) % ALIGNMENT, last.shape[1])
    return torch.cat([matrix.flatten() for matrix in (*hidden, last, unused)])


class TcnnKernels(CudaKernels):
    name = "tcnn"
    why = "tiny-cuda-nn's grids and fused networks, own CUDA kernels for the rest"

    def __init__(self, tinycudann: ModuleType | None = None, module: Module | None = None) -> None:
        """
        Args:
            tinycudann: the package; None imports it.
            module: as in CudaKernels.

        Raises:
            Missing: this machine cannot run them.
        """
        self._tinycudann = tinycudann or import_tinycudann()
        self._encodings: dict[GridSpec, nn.Module] = {}
        self._networks: dict[tuple[int, int, int], nn.Module] = {}
        super().__init__(module)

    def encode(self, spec: GridSpec, table: Tensor, points: Tensor) -> Tensor:
        if not len(points):
            return super().encode(spec, table, points)
        if spec not in self._encodings:
            self._encodings[spec] = self._module(
                self._tinycudann.Encoding(spec.dims, grid_config(spec)), 2 * spec.vertices
            )
        return self._call(self._encodings[spec], points, table.flatten())

    def perceptron(self, inputs: Tensor, frame: Tensor, bias: Tensor, matrices: Sequence[Tensor]) -> Tensor:
        if not len(inputs):
            return super().perceptron(inputs, frame, bias, matrices)
        parameters = network_parameters([with_biases(matrices[0], bias), *matrices[1:]])
        read = with_frames(inputs, frame, len(bias))
        shape = (read.shape[1], len(matrices[-1]), len(matrices))
        if shape not in self._networks:
            network = self._tinycudann.Network(shape[0], shape[1], network_config(shape[2]))
            self._networks[shape] = self._module(network, len(parameters))
        return self._call(self._networks[shape], read, parameters)

    def _module(self, module: nn.Module, size: int) -> nn.Module:
        if module.params.numel() != size:
            raise Missing(
                f"this version of tinycudann lays {type(module).__name__.lower()}s out differently; use --kernels cuda"
            )
        module.loss_scale = 1.0
        return module

    def _call(self, module: nn.Module, inputs: Tensor, parameters: Tensor) -> Tensor:
        def run(inputs: Tensor, parameters: Tensor) -> Tensor:
            return functional_call(module, {"params": parameters}, (inputs,))

        return in_low_precision(run, [inputs, parameters], [torch.float32, torch.float32])
