"""Synchronises counts over the processes of a training, and batch norm on CPUs; on GPUs PyTorch's own is used."""

from __future__ import annotations

import torch
import torch.distributed as dist
from jaxtyping import Float, Int
from lightning.pytorch.plugins.layer_sync import LayerSync
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce  # passes gradients on


def mean_over_processes(count: Int[Tensor, ""]) -> Tensor:
    """Averages a count over the processes of a training; returns it as it is in a single process.

    Losses that are divided by it, and not by the process's own count, have as their mean over the processes what one
    process would have of all their batches, however much of each is padding. Every process must call it as often.
    """
    if not (dist.is_available() and dist.is_initialized()):
        return count
    total = count.clone()
    dist.all_reduce(total)
    return total / dist.get_world_size()


class SyncBatchNorm(nn.BatchNorm1d):
    """Batch norm whose mean and variance are those of the batches of all processes, as one process would find them."""

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


class SyncOnCpu(LayerSync):
    """Lightning's hook that puts `SyncBatchNorm` in a network's place of batch norm, and takes it out."""

    def apply(self, model: nn.Module) -> nn.Module:
        return _replaced(model, nn.BatchNorm1d, SyncBatchNorm) if dist.is_initialized() else model

    def revert(self, model: nn.Module) -> nn.Module:
        return _replaced(model, SyncBatchNorm, nn.BatchNorm1d)


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
