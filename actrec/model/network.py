"""Builds the network that a model's specification names, from code that the caller trusts."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import entry_points

import torch
from torch import nn

from actrec.model.spec import ModelSpec
from actrec.types import ActrecError


def build_network(spec: ModelSpec, trust: str | Sequence[str] = ()) -> nn.Module:
    """Builds the network of a specification, with fresh weights.

    Args:
        trust: Packages, or dotted names in them, whose code may be imported, besides actrec and the entry points of the
            group `actrec.networks` in installed packages.

    Raises:
        ActrecError: The network's package is not trusted or cannot be imported, or the options do not fit it.
    """
    network = _import_network(spec.network, [trust] if isinstance(trust, str) else trust)
    try:
        return network(**spec.network_options)
    except (TypeError, ValueError, AssertionError, RuntimeError, MemoryError) as error:
        if isinstance(error, ActrecError):
            raise
        raise ActrecError(f"{spec.network_name} cannot be made with {spec.network_options}: {error}") from error


def _import_network(path: str, trust: Sequence[str]) -> type[nn.Module]:
    package, (module, _, name) = path.partition(".")[0], path.rpartition(".")
    registered = [entry.value.replace(":", ".") for entry in entry_points(group="actrec.networks")]
    if not any(f"{path}.".startswith(f"{trusted}.") for trusted in ("actrec", *trust, *registered)):
        raise ActrecError(
            f"The model's network is '{path}', and to load it would run code of the package '{package}'. If you trust "
            f"that package, allow it: load_model(folder, trust='{package}') in Python, trust={package} in a command. "
            "An installed package can allow its networks by entry points of the group actrec.networks."
        )
    try:
        network = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ActrecError(
            f"The network '{path}' cannot be imported: {error}. Install its package, or run the command from the "
            "folder that holds it."
        ) from error
    if not (isinstance(network, type) and issubclass(network, nn.Module)):
        raise ActrecError(f"The network '{path}' is no class derived from torch.nn.Module.")
    return network


def compile_network(network: nn.Module) -> None:
    """Compiles a network in place, at its first call; what cannot be compiled runs as it is, and PyTorch warns."""
    torch._dynamo.config.suppress_errors = True
    network.compile()
