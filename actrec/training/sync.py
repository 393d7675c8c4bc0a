"""Synchronises counts and batch norm over the processes of a training; on GPUs by PyTorch's own batch norm."""

from __future__ import annotations

import torch
import torch.distributed as dist
from jaxtyping import Float, Int
from lightning.pytorch.plugins.layer_sync import TorchSyncBatchNorm
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce  # differentiable


def mean_over_processes(count: Int[Tensor, ""]) -> Tensor:
    """Averages a count over the processes of a training; returns it unchanged in a single process.

    The mean over the processes of losses that are divided by it equals the loss of one process with all of their
    batches, also if they have different shares of padding. Every process must call it equally often.
    """
    if not (dist.is_available() and dist.is_initialized()):
        return count
    total = count.clone()
    dist.all_reduce(total)
    return total / dist.get_world_size()


class SyncBatchNorm(nn.BatchNorm1d):
    """Batch norm with mean and variance over the batches of all processes."""

    def forward(self, x: Float[Tensor, "row dim"]) -> Float[Tensor, "row dim"]:
        if not self.training:
            return super().forward(x)
        sums = all_reduce(torch.cat([x.sum(0), x.new_tensor([len(x)])]))
        count = sums[-1].detach()
        mean = sums[:-1] / count
        variance = all_reduce(((x - mean) ** 2).sum(0)) / count
        with torch.no_grad():
            share = self.momentum or 0.0
            assert self.running_mean is not None
            assert self.running_var is not None
            self.running_mean.lerp_(mean, share)
            self.running_var.lerp_(variance * count / (count - 1), share)
            if self.num_batches_tracked is not None:
                self.num_batches_tracked += 1
        return (x - mean) * (variance + self.eps).rsqrt() * self.weight + self.bias


class BatchNormSync(TorchSyncBatchNorm):
    """Lightning's plugin that synchronises batch norm in a training of several processes, on CPUs too.

    Args:
        enabled: Whether it does so; the trainer's `sync_batchnorm`.
    """

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled

    def apply(self, model: nn.Module) -> nn.Module:
        if not (self.enabled and dist.is_initialized()):
            return model
        on_cpu = dist.get_backend() == "gloo"
        return _replaced(model, nn.BatchNorm1d, SyncBatchNorm) if on_cpu else super().apply(model)

    def revert(self, model: nn.Module) -> nn.Module:
        return super().revert(_replaced(model, SyncBatchNorm, nn.BatchNorm1d))


def _replaced(model: nn.Module, old: type[nn.BatchNorm1d], new: type[nn.BatchNorm1d]) -> nn.Module:
    for module in model.modules():
        for name, child in module.named_children():
            if type(child) is old:
                made = new(child.num_features, child.eps, child.momentum, child.affine, child.track_running_stats)
                made.weight, made.bias = child.weight, child.bias
                for buffer, value in child.named_buffers():
                    setattr(made, buffer, value)
                setattr(module, name, made.train(child.training))
    return model
