"""A network -> the same network with fewer steps: normalisation inside convolutions, and what follows them as well.

On a GPU a step that only adds or rectifies reads and writes all of memory that it works on, so it costs much of what
the convolution before it does. cuDNN has convolutions that add and rectify before they write.
"""

import operator

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.fx.experimental.optimization import fuse as fold_normalisation

ADDITIONS = (operator.add, torch.add)


class RectifiedConvolution(nn.Module):
    """relu(conv(features) + shortcut), in one step on a GPU."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, features: Tensor, shortcut: Tensor | None = None) -> Tensor:
        """(B, c_in, H, W), and (B, c_out, H', W') or nothing -> (B, c_out, H', W')."""
        conv = self.conv
        if not features.is_cuda:
            found: Tensor = conv(features)
            return F.relu(found if shortcut is None else found + shortcut)
        assert isinstance(conv.padding, tuple)
        weights, where = (features, conv.weight), (conv.stride, conv.padding, conv.dilation)
        if shortcut is None:
            return torch.cudnn_convolution_relu(*weights, conv.bias, *where, conv.groups)
        return torch.cudnn_convolution_add_relu(*weights, shortcut, 1.0, conv.bias, *where, conv.groups)


def fuse(model: nn.Module) -> fx.GraphModule:
    """A copy of a network in eval mode that gives the same, up to rounding."""
    traced = fold_normalisation(fx.symbolic_trace(model))
    assert isinstance(traced, fx.GraphModule)
    modules = dict(traced.named_modules())
    for node in list(traced.graph.nodes):
        if node.op == "call_function" and node.target is F.relu:
            _fuse_before(node, traced, modules)
    traced.graph.lint()
    traced.recompile()
    return traced


def _fuse_before(relu: fx.Node, traced: fx.GraphModule, modules: dict[str, nn.Module]) -> None:
    """Put one step in place of a rectifier and of the convolution, and perhaps addition, whose only reader it is."""
    before = relu.args[0]
    if not isinstance(before, fx.Node) or len(before.users) > 1:
        return
    shortcut: tuple[fx.Node, ...] = ()
    conv = before
    if before.op == "call_function" and before.target in ADDITIONS:
        conv, *rest = (node for node in before.all_input_nodes)
        shortcut = tuple(rest)
    layer = modules.get(str(conv.target)) if conv.op == "call_module" else None
    if not isinstance(layer, nn.Conv2d) or len(conv.users) > 1:
        return
    name = f"{str(conv.target).replace('.', '_')}_rectified"
    traced.add_submodule(name, RectifiedConvolution(layer))
    with traced.graph.inserting_before(relu):
        fused = traced.graph.call_module(name, (conv.args[0], *shortcut))
    relu.replace_all_uses_with(fused)
    for node in dict.fromkeys((relu, before, conv)):
        traced.graph.erase_node(node)
