"""torch.compile, as an option that does no harm where it cannot work."""

from __future__ import annotations

import torch
from torch import nn


def compile_network(network: nn.Module) -> None:
    """Compiles a network in place, at its first call; what cannot be compiled runs as it is, and PyTorch warns."""
    torch._dynamo.config.suppress_errors = True
    network.compile()
