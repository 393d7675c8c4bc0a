"""Converts the state dict of the published implementation to the names of this package."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from actrec.types import ActrecError

OPTIONS = {
    "solver": "rk4_38",
    "dynamics": "published",
    "head": "gcn",
    "head_segments": 4,
    "window": 64,
    "coordinates": 3,
}

_MODULES = {
    r"to_joint_embedding": "embedding",
    r"temporal_encoder\.transformer\.layers\.(\d+)\.0\.norm": r"encoder.\1.attention_norm",
    r"temporal_encoder\.transformer\.layers\.(\d+)\.0\.fn\.to_out\.0": r"encoder.\1.attention.to_out",
    r"temporal_encoder\.transformer\.layers\.(\d+)\.1\.norm": r"encoder.\1.mlp.0",
    r"temporal_encoder\.transformer\.layers\.(\d+)\.1\.fn\.net\.0": r"encoder.\1.mlp.1",
    r"temporal_encoder\.transformer\.layers\.(\d+)\.1\.fn\.net\.3": r"encoder.\1.mlp.3",
    r"ode_func\.(conv1|conv2)": r"dynamics.field.\1",
    r"ode_func\.proj": "dynamics.field.out",
    r"recon_decoder\.2": "decoder.2",
    r"classifiers\.(\d)": r"head.classifiers.\1",
}
_GRAPH_CONVS = {
    r"temporal_encoder\.transformer\.layers\.(\d+)\.0\.fn\.to_qkv": r"encoder.\1.attention.to_qkv",
    r"recon_decoder\.([01])": r"decoder.\1",
    r"cls_decoder\.([01])": r"head.blocks.\1",
}
_PARTS = {
    "bn": "norm.norm",
    "down.0": "residual.0",
    "down.1": "residual.1.norm",
    "attn.ln": "attention_norm",
    "attn.to_qk": "to_qk",
}


def convert_state_dict(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Converts the published state dict to the weights of an `InfoGCN` with `OPTIONS`.

    Args:
        published: The state dict from `torch.load`. Unused entries (`z0_prior_*`, the solver's second copy) are
            omitted.

    Raises:
        ActrecError: It is not the state dict of the published network.
    """
    try:
        weights = {"joint_code": published["pos_embedding"][0], "dynamics.field.adjacency": published["ode_func.A"]}
        for source, target in _matches(published, _MODULES, "weight"):
            weights |= {f"{target}.{kind}": published[f"{source}.{kind}"] for kind in ("weight", "bias")}
        for source, target in _matches(published, _GRAPH_CONVS, "shared_topology"):
            weights |= _graph_conv(published, source, target)
    except KeyError as error:
        raise ActrecError(
            f"This is not the published checkpoint: its state dict has no {error}. Expected the InfoGCN++ weights "
            "that the blog post's figures come from."
        ) from None
    return {name: _as_linear(value) for name, value in weights.items()}


def _matches(published: Mapping[str, Tensor], names: Mapping[str, str], kind: str) -> Iterator[tuple[str, str]]:
    for key in published:
        for pattern, target in names.items():
            found = re.fullmatch(rf"({pattern})\.{kind}", key)
            if found:
                yield found[1], re.sub(pattern, target, found[1])


def _graph_conv(published: Mapping[str, Tensor], source: str, target: str) -> dict[str, Tensor]:
    topology = published[f"{source}.shared_topology"]
    heads = range(len(topology))
    weights = {
        f"{target}.topology": topology,
        f"{target}.weight": torch.stack([published[f"{source}.conv_d.{h}.weight"].flatten(1).T for h in heads]),
        f"{target}.bias": torch.stack([published[f"{source}.conv_d.{h}.bias"] for h in heads]).sum(0),
    }
    for part, name in _PARTS.items():
        prefix = f"{source}.{part}."
        weights |= {
            f"{target}.{name}.{key[len(prefix) :]}": published[key] for key in published if key.startswith(prefix)
        }
    return weights


def _as_linear(value: Tensor) -> Tensor:
    """Reshapes the kernel of a 1 × 1 convolution to that of a linear layer; returns other values unchanged."""
    return value.flatten(1) if value.ndim > 2 and value.shape[2:].numel() == 1 else value
