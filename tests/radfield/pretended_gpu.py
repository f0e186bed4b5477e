"""A device that is not there: tensors that claim to be elsewhere, and compute on the CPU.

An operation that mixes them with the CPU's is an error, as on a machine with a GPU; what CUDA allows is allowed: single
numbers, indices that lie on the CPU, and copies. Torch's own fake tensors cannot serve: without CUDA in the build they
fail at the first index. The device borrowed is "meta", which every build of torch has.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

GPU = torch.device("meta")
COPIES = {torch.ops.aten.copy_.default, torch.ops.aten._to_copy.default}
INDEXING = {torch.ops.aten.index.Tensor, torch.ops.aten.index_put.default, torch.ops.aten.index_put_.default}


class _Elsewhere(torch.Tensor):
    """A tensor on the pretended device; `here` has its values."""

    here: torch.Tensor

    @staticmethod
    def __new__(cls, here: torch.Tensor):
        made = torch.Tensor._make_wrapper_subclass(
            cls, here.shape, strides=here.stride(), storage_offset=here.storage_offset(), dtype=here.dtype, device=GPU
        )
        made.here = here
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, function, types, arguments=(), named=None):
        return _run(function, arguments, named or {})


class _Mode(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        return _run(function, arguments, named or {})


class _InAndOut(TorchFunctionMode):
    """The ways between Python's lists and tensors, which do not ask a dispatch mode."""

    def __torch_function__(self, function, types, arguments=(), named=None):
        named = dict(named or {})
        if function in (torch.tensor, torch.as_tensor) and named.get("device") == GPU:
            del named["device"]
            return function(*arguments, **named).to(GPU)
        if function is torch.Tensor.tolist:
            return arguments[0].cpu().tolist()
        if function is torch.Tensor.__getitem__ and isinstance(arguments[1], list):
            arguments = (arguments[0], torch.tensor(arguments[1]))
        return function(*arguments, **named)


@contextmanager
def pretended_gpu() -> Iterator[None]:
    """Within it, GPU is a device."""
    with _InAndOut(), _Mode():
        yield


def _run(function, arguments, named):
    flat = [a for a in tree_flatten((arguments, named))[0] if isinstance(a, torch.Tensor)]
    asked = named.get("device")
    remote = any(isinstance(a, _Elsewhere) for a in flat)
    local = any(not isinstance(a, _Elsewhere) and a.dim() > 0 for a in flat)
    if function in INDEXING:
        local = any(not isinstance(a, _Elsewhere) and a.dim() > 0 for a in (arguments[0], *arguments[2:3]))
    if remote and local and function not in COPIES:
        raise RuntimeError(f"Expected all tensors to be on the same device: {function}")
    if asked == GPU and isinstance(named.get("generator"), torch.Generator):
        raise RuntimeError(f"a generator on the CPU cannot fill a tensor on {GPU}: {function}")
    to_gpu = asked == GPU if asked is not None else remote
    if function is torch.ops.aten.copy_.default:
        to_gpu = isinstance(arguments[0], _Elsewhere)

    def unwrap(a):
        if isinstance(a, _Elsewhere):
            return a.here
        return torch.device("cpu") if isinstance(a, torch.device) else a

    result = function(*tree_map(unwrap, arguments), **tree_map(unwrap, named))
    if not to_gpu:
        return result
    own = {id(a.here): a for a in flat if isinstance(a, _Elsewhere)}  # what an operation in place gives back
    return tree_map(lambda r: own.get(id(r), _Elsewhere(r)) if isinstance(r, torch.Tensor) else r, result)
