"""Training that starts from a trained model's weights (`init=`), which may know other classes or another skeleton."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from actrec.model.folder import build_network, load_weights
from actrec.model.spec import ModelSpec, load_spec
from actrec.skeleton import counterparts
from actrec.types import ActrecError

_JOINT_AXES = {"joint_code": (0,), "topology": (1, 2), "adjacency": ()}  # of InfoGCN; a fixed adjacency is not carried


class Known(NamedTuple):
    """How much of what a network is for the model knows that it starts from: numbers of classes and joints."""

    classes: int
    joints: int


def start_from(network: nn.Module, spec: ModelSpec, folder: str | Path) -> Known:
    """Fills a network with a trained model's weights; classes and joints go over by name.

    What the model does not know stays as it was: rows of the classifier, and of an InfoGCN++ with another skeleton the
    codes of joints and the connections to them.

    Args:
        network: The one to fill.
        spec: What it is.
        folder: The trained model's folder.

    Raises:
        ActrecError: The model is another network or sees other features, or another skeleton and is no InfoGCN++.
    """
    there = load_spec(folder)
    _check_alike(spec, there, folder)
    trained = build_network(there)
    load_weights(trained, folder)
    labels = [(number, there.labels.index(label)) for number, label in enumerate(spec.labels) if label in there.labels]
    joints = [
        (number, other)
        for number, other in enumerate(counterparts(there.pipeline.skeleton.name, spec.pipeline.skeleton.name))
        if other is not None
    ]
    rows = {f"{name}.{part}": (0,) for name in _classifiers(network) for part in ("weight", "bias")}
    weights = network.state_dict()
    for name, value in trained.state_dict().items():
        axes = _JOINT_AXES.get(name.rpartition(".")[2])
        if name in rows:
            _carry(weights[name], value, (0,), labels)
        elif axes is not None and spec.pipeline.skeleton != there.pipeline.skeleton:
            _carry(weights[name], value, axes, joints)
        else:
            weights[name].copy_(value)
    return Known(len(labels), len(joints))


def _carry(to: Tensor, value: Tensor, axes: tuple[int, ...], pairs: list[tuple[int, int]]) -> None:
    """Copies what has a counterpart along all of these axes; `pairs` are (here, there)."""
    if not axes or not pairs:
        return
    here, there = (torch.tensor(numbers) for numbers in zip(*pairs, strict=True))
    chosen: list[Any] = [slice(None)] * to.ndim
    chosen[axes[0]] = here
    part = value.index_select(axes[0], there)
    if len(axes) == 2:
        chosen[axes[0]], chosen[axes[1]] = here[:, None], here
        part = part.index_select(axes[1], there)
    to[tuple(chosen)] = part


def _classifiers(network: nn.Module) -> list[str]:
    """The layers whose rows are the classes."""
    named = network.named_modules()
    return [name for name, module in named if "classifier" in name and isinstance(module, nn.Linear)]


def _check_alike(spec: ModelSpec, there: ModelSpec, folder: str | Path) -> None:
    def facts(of: ModelSpec) -> dict[str, Any]:
        groups = {"features": asdict(of.pipeline.features), "network": of.network_options}
        options = {f"{group}.{name}": value for group, values in groups.items() for name, value in values.items()}
        del options["network.n_classes"], options["network.skeleton"]
        skeleton = {} if of.network == "InfoGCN" else {"skeleton": of.pipeline.skeleton.name}
        return {"network": of.network, **skeleton, **options}

    here, other = facts(spec), facts(there)
    for name in here | other:
        if here.get(name) != other.get(name):
            raise ActrecError(
                f"init={folder} does not fit this run: its {name} is {other.get(name)}, and here it is "
                f"{here.get(name)}. Give the run what that model has, or another model."
            )
