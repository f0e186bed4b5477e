"""LPIPS, the learnt perceptual distance (Zhang et al. 2018), as a feature bank.

The package comes with the `full` extra and holds the learnt weights w; its backbone, AlexNet, is fetched at first use.

The distance of two images is the mean over places and the sum over layers of w_c (a_c - b_c)^2, where a and b are
AlexNet's activations, each place's vector made of unit length, and w the learnt weights of the C channels. With the
weights' roots multiplied in, that is `losses.perceptual` of two stacks of features.
"""

from __future__ import annotations

from contextlib import redirect_stderr
from io import StringIO
from types import ModuleType

from torch import Tensor, nn

from talker.core.errors import Missing, out_of_memory
from talker.core.losses import FeatureBank, PyramidBank
from talker.core.types import Reporter, Silent

_EPSILON = 1e-10  # the package's own, in the normalisation; here it also keeps gradients finite


class LpipsBank:
    name = "lpips"
    perceptual_gain = 5.0  # lips: RAD-NeRF weighs LPIPS by 0.01, where the pyramid bank has 0.002
    style_gain = 1.0

    def __init__(self, network: nn.Module) -> None:
        """`network` is an `lpips.LPIPS`."""
        self._network = network.eval().requires_grad_(False)

    def features(
        self,
        images: Tensor,  # [B, H, W, 3] in [0, 1]
    ) -> list[Tensor]:
        network = self._network.to(images.device)
        layers = network.net.forward(network.scaling_layer(images.permute(0, 3, 1, 2) * 2.0 - 1.0))
        weights = [lin.model[-1].weight.clamp(min=0.0) for lin in network.lins]  # [1, C, 1, 1] each
        return [
            layer
            / (layer.square().sum(1, keepdim=True).clamp(min=_EPSILON**2).sqrt())
            * (weight * weight.shape[1] * len(weights)).sqrt()
            for layer, weight in zip(layers, weights, strict=True)
        ]


def load_lpips() -> LpipsBank:
    """
    Raises:
        Missing: the package or its backbone's weights are not there.
    """
    package = _import_package()
    try:
        with redirect_stderr(StringIO()):  # the download's own progress: only the CLI prints
            return LpipsBank(package.LPIPS(net="alex", verbose=False))
    except OSError as error:  # URLError and its kin
        raise out_of_memory(error) or Missing(
            "AlexNet's weights could not be downloaded; run once where there is a network"
        ) from error


def choose_lip_bank(reporter: Reporter = Silent()) -> FeatureBank:
    """What the lip stage looks through: LPIPS where it is, the weight-free pyramid elsewhere.

    Who installed LPIPS is told when its backbone cannot be had.
    """
    try:
        _import_package()
    except Missing:
        return PyramidBank()
    try:
        return load_lpips()
    except Missing as missing:
        reporter.notice(f"lips are trained without LPIPS: {missing}")
        return PyramidBank()


def _import_package() -> ModuleType:
    try:
        import lpips
    except (ImportError, RuntimeError) as error:  # torchvision beside another build of torch raises the latter
        way_out = 'pip install -c constraints.txt ".[full]", together with an index build of torch'
        raise out_of_memory(error) or Missing(f"the package lpips is not there; {way_out}") from error
    return lpips
