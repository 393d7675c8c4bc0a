"""Copies a trained model's weights into a network with other classes or another skeleton (`init=` of training)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from actrec.model.folder import load_weights
from actrec.model.network import build_network
from actrec.model.spec import ModelSpec, load_spec
from actrec.skeleton import counterparts
from actrec.types import ActrecError

_JOINT_AXES = {"joint_code": (0,), "topology": (1, 2), "adjacency": ()}  # in InfoGCN; a fixed adjacency is not copied
_FREE = (  # options that may differ; the last in InfoGCN only, whose velocities are channels of their own
    "network.n_classes",
    "network.skeleton",
    "network.phase",
    "network.causal",
    "network.dropout",
    "features.velocity_scale",
)


class Matched(NamedTuple):
    """Numbers of classes and joints that a network has in common with the trained model."""

    classes: int
    joints: int


def load_matching_weights(network: nn.Module, spec: ModelSpec, folder: str | Path) -> Matched:
    """Copies the weights of a trained model into a network; classes and joints are matched by name.

    New classes keep the initial values of their classifier rows; in an InfoGCN++ of another skeleton, new joints keep
    those of their embeddings and connections. A phase layer that only one of the two has is left out.

    Raises:
        ActrecError: The trained model has another network or other features, or another skeleton and no InfoGCN++.
    """
    there = load_spec(folder)
    _check_alike(spec, there, folder)
    trained = build_network(there, trust=spec.network)
    load_weights(trained, folder)
    labels = [(number, there.labels.index(label)) for number, label in enumerate(spec.labels) if label in there.labels]
    found = counterparts(there.pipeline.skeleton.name, spec.pipeline.skeleton.name)
    joints = [(number, other) for number, other in enumerate(found) if other is not None]
    rows = [f"{name}.{part}" for name in _classifiers(network) for part in ("weight", "bias")]
    weights = network.state_dict()
    for name, value in trained.state_dict().items():
        if name not in weights:  # the phase
            continue
        axes = _JOINT_AXES.get(name.rpartition(".")[2])
        if name in rows:
            _carry(weights[name], value, (0,), labels)
        elif axes is not None and spec.pipeline.skeleton != there.pipeline.skeleton:
            _carry(weights[name], value, axes, joints)
        else:
            weights[name].copy_(value)
    factor = there.pipeline.features.velocity_scale / spec.pipeline.features.velocity_scale
    if spec.network_name == "InfoGCN" and factor != 1:
        weights["embedding.weight"][:, spec.pipeline.n_coordinates + 1 :] *= factor  # velocities are the last channels
    return Matched(len(labels), len(joints))


def weigh_classes(network: nn.Module, labels: Sequence[str], factors: Mapping[str, Any]) -> None:
    """Multiplies the odds of classes by factors: each logit is increased by the factor's logarithm.

    Raises:
        ActrecError: A label is not the network's, a factor is not positive, or the network has no classifier.
    """
    names = _classifiers(network)
    if factors and not names:
        raise ActrecError("weigh needs a network with a linear layer whose name contains 'classifier'; it has none.")
    for label, factor in factors.items():
        if label not in labels or not isinstance(factor, int | float) or not 0 < factor < math.inf:
            raise ActrecError(f"weigh has {label}: {factor}; expected a positive factor of one of {', '.join(labels)}.")
        with torch.no_grad():
            for name in names:
                network.get_parameter(f"{name}.bias")[labels.index(label)] += math.log(factor)


def _classifiers(network: nn.Module) -> list[str]:
    """Lists the names of the linear layers that compute logits."""
    linear = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    return [name for name in linear if "classifier" in name]


def _carry(to: Tensor, value: Tensor, axes: tuple[int, ...], pairs: list[tuple[int, int]]) -> None:
    """Copies the entries that have a counterpart along each of the axes; `pairs` are (own, trained) indices."""
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


def _check_alike(spec: ModelSpec, there: ModelSpec, folder: str | Path) -> None:
    """Raises an ActrecError if two models differ in more than classes or, for InfoGCN++, joints and phase."""
    takes = {2: "x and y", 3: "x, y and z"}
    if (ours := spec.pipeline.n_coordinates) != (theirs := there.pipeline.n_coordinates):
        raise ActrecError(
            f"init={folder} does not fit this run: it takes {takes[theirs]}, and these clips have {takes[ours]}. Give "
            "a model that was trained on such clips, or init=null."
        )
    here = _options(spec.network, spec.network_options, asdict(spec.pipeline.features), spec.pipeline.skeleton.name)
    other = _options_of(there)
    if name := _first_difference(here, other):
        raise ActrecError(
            f"init={folder} does not fit this run: its {name} is {other.get(name)}, and here it is {here.get(name)}. "
            "Set it to the model's value, or give another model."
        )


def differing_option(network: Mapping[str, Any], features: Mapping[str, Any], there: ModelSpec) -> str | None:
    """Returns an option in which a trained InfoGCN++ differs from the configs of network and features; None if none.

    Args:
        network: `_target_` and options, without those that follow from the data.
    """
    options = {name: value for name, value in features.items() if name != "_target_"}
    own = {name: value for name, value in network.items() if name != "_target_"}
    if own.get("coordinates", 2) is None:
        own["coordinates"] = there.network_options.get("coordinates", 2)  # follows from the data
    here, other = _options(network["_target_"], own, options), _options_of(there)
    other.pop("network.in_channels", None)
    return _first_difference(here, other)


def _options_of(spec: ModelSpec) -> dict[str, Any]:
    parts = spec.pipeline
    return _options(spec.network, spec.network_options, asdict(parts.features), parts.skeleton.name)


def _options(
    network: str, options: Mapping[str, Any], features: Mapping[str, Any], skeleton: str | None = None
) -> dict[str, Any]:
    """Collects what two models must have in common."""
    groups = {"features": features, "network": options}
    found = {f"{group}.{name}": value for group, values in groups.items() for name, value in values.items()}
    is_graph = network == "actrec.network.infogcn.InfoGCN"
    for name in _FREE if is_graph and "velocity" not in str(features.get("stream")) else _FREE[:-1]:
        found.pop(name, None)
    return {"network": network.rpartition(".")[2], **({} if is_graph else {"skeleton": skeleton}), **found}


def _first_difference(here: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    return next((name for name in {**here, **other} if here.get(name) != other.get(name)), None)
