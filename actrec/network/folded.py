"""Converts a trained InfoGCN++ for fast inference: batch norms are folded into the weights, with fewer operations.

Online recognition and the ONNX export use this form. Training, which needs the batch statistics, and evaluation in
batches use the network itself.
"""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from actrec.network.graph import GraphConv, Norm

Network = TypeVar("Network", bound=nn.Module)


def fold(network: Network) -> Network:
    """Copies a network for inference: its outputs are equal up to rounding, and it cannot be trained.

    Args:
        network: An `InfoGCN`; any other network is copied without changes.
    """
    folded = copy.deepcopy(network).eval().requires_grad_(False)
    for module in list(folded.modules()):
        for name, child in module.named_children():
            if isinstance(child, GraphConv):
                setattr(module, name, FoldedGraphConv(child))
    return folded


def _affine(norm: nn.Module, dim: int) -> tuple[Tensor, Tensor]:
    """Returns the scale and shift that a batch norm applies in eval mode; one and zero for other norms."""
    if not isinstance(norm, nn.BatchNorm1d):
        return torch.ones(dim), torch.zeros(dim)
    assert norm.running_var is not None
    assert norm.running_mean is not None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return scale, norm.bias - norm.running_mean * scale


class FoldedGraphConv(nn.Module):
    """A `GraphConv` in eval mode with the batch norms and the attention's scale folded into its weights, which are
    stored in the layout of the matrix products.

    It uses PyTorch's reshapes: those of einops would take longer than the products of a single frame.
    """

    def __init__(self, conv: GraphConv) -> None:
        super().__init__()
        self.heads, self.attention_dim = conv.heads, conv.attention_dim
        in_dim, self.out_dim = conv.weight.shape[1:]
        self.gathers_first = in_dim <= self.out_dim
        scale, shift = _affine(conv.norm.norm, self.out_dim)
        weight = conv.weight.data * scale  # (head, in_dim, out_dim)
        self.weight = nn.Parameter(
            weight.flatten(0, 1) if self.gathers_first else weight.transpose(0, 1).flatten(1).contiguous(), False
        )
        self.bias = nn.Parameter(conv.bias.data * scale + shift, False)
        self.norm = None if isinstance(conv.norm.norm, nn.BatchNorm1d | nn.Identity) else conv.norm.norm
        self.residual = None if isinstance(conv.residual, nn.Identity) else _folded_residual(conv.residual)
        if self.attention_dim:
            self.attention_norm, self.to_qk = conv.attention_norm, conv.to_qk
            half = self.to_qk.out_features // 2
            self.to_qk.weight.data[half:] *= self.attention_dim**-0.5
            self.to_qk.bias.data[half:] *= self.attention_dim**-0.5
            self.topology = nn.Parameter(conv.topology.data.transpose(-1, -2).contiguous(), False)
        else:
            order = (1, 0, 2) if self.gathers_first else (1, 2, 0)
            self.topology = nn.Parameter(conv.topology.data.permute(order).contiguous(), False)

    def _attention(self, h: Float[Tensor, "frame joint in_dim"]) -> Float[Tensor, "frame head source joint"]:
        n_frames, n_joints = h.shape[:2]
        qk = self.to_qk(self.attention_norm(h)).view(n_frames, n_joints, 2, self.heads, self.attention_dim)
        q, k = qk.permute(2, 0, 3, 1, 4).unbind(0)
        return (k @ q.transpose(-1, -2)).softmax(-2) * self.topology

    def _mixed(self, h: Float[Tensor, "frame joint in_dim"]) -> Float[Tensor, "row out_dim"]:
        n_frames, n_joints, in_dim = h.shape
        wide = n_joints * self.heads
        shape = (n_frames, wide, n_joints) if self.gathers_first else (n_frames, n_joints, wide)
        if self.attention_dim:
            order = (0, 3, 1, 2) if self.gathers_first else (0, 3, 2, 1)
            adjacency = self._attention(h).permute(order).reshape(shape)
        else:
            adjacency = self.topology.view(shape[1:]).expand(shape)
        if self.gathers_first:
            gathered = torch.bmm(adjacency, h).view(n_frames * n_joints, self.heads * in_dim)
            return torch.addmm(self.bias, gathered, self.weight)
        projected = (h.view(-1, in_dim) @ self.weight).view(n_frames, wide, self.out_dim)
        return torch.baddbmm(self.bias, adjacency, projected).view(-1, self.out_dim)

    def forward(self, x: Float[Tensor, "*lead joint in_dim"]) -> Float[Tensor, "*lead joint out_dim"]:
        rows = x.reshape(-1, x.shape[-1])
        mixed = self._mixed(rows.view(-1, *x.shape[-2:]))
        if self.norm is not None:
            mixed = self.norm(mixed)
        mixed = mixed + (rows if self.residual is None else self.residual(rows))
        return torch.relu_(mixed).view(*x.shape[:-1], self.out_dim)


def _folded_residual(residual: nn.Module) -> nn.Module:
    """Merges the residual's linear layer and batch norm into one linear layer; keeps them with a layer norm."""
    assert isinstance(residual, nn.Sequential)
    linear, norm = residual
    assert isinstance(linear, nn.Linear)
    assert isinstance(norm, Norm)
    if isinstance(norm.norm, nn.LayerNorm):
        return residual
    scale, shift = _affine(norm.norm, linear.out_features)
    folded = nn.Linear(linear.in_features, linear.out_features)
    folded.weight.data = linear.weight.data * scale[:, None]
    folded.bias.data = linear.bias.data * scale + shift
    return folded.requires_grad_(False)
