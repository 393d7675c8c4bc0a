from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from actrec.model.folder import save_model
from actrec.model.network import build_network
from actrec.model.spec import ModelSpec
from actrec.model.transfer import load_matching_weights
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import SlidingWindows
from actrec.skeleton import COCO17, PENN13, get_skeleton
from actrec.types import ActrecError

OPTIONS = {"n_classes": 3, "in_channels": 3, "dim": 8, "layers": 1, "heads": 2, "graph_heads": 1, "horizon": 1}


def spec(skeleton: str = "coco17") -> ModelSpec:
    pipeline = Pipeline(get_skeleton(skeleton), Preprocess("causal"), SlidingWindows(16, 8), Features())
    return ModelSpec("InfoGCN", {"skeleton": skeleton, **OPTIONS}, pipeline, ("a", "b", "c"))


TRANSFORMER = {"skeleton": "coco17", "n_classes": 3, "in_channels": 3, "dim": 8, "layers": 1, "heads": 2}


@pytest.mark.parametrize(
    ("network", "options", "layers"),
    [
        ("InfoGCN", {"skeleton": "coco17", **OPTIONS}, ["head.classifiers.0"]),
        ("InfoGCN", {"skeleton": "coco17", **OPTIONS, "head_segments": 2}, [f"head.classifiers.{k}" for k in (0, 1)]),
        ("Transformer", TRANSFORMER, ["classifier"]),
    ],
)
def test_a_start_takes_the_rows_of_the_labels_it_knows(
    network: str, options: dict, layers: list[str], tmp_path: Path
) -> None:
    trained = replace(spec(), network=network, network_options=options)
    old = build_network(trained)
    folder = save_model(tmp_path / "model", old, trained)
    here = replace(trained, labels=("c", "new", "a", "newer"), network_options={**options, "n_classes": 4})
    made = build_network(here)
    fresh = {name: value.clone() for name, value in made.state_dict().items()}
    assert load_matching_weights(made, here, folder) == (2, 17)
    was, now = old.state_dict(), made.state_dict()
    rows = [f"{layer}.{part}" for layer in layers for part in ("weight", "bias")]
    assert all(torch.equal(now[name], was[name]) for name in was if name not in rows)
    for name in rows:
        assert torch.equal(now[name][[0, 2]], was[name][[2, 0]])
        assert torch.equal(now[name][[1, 3]], fresh[name][[1, 3]])


@pytest.mark.parametrize("there", [True, False])
def test_a_start_may_have_a_phase_or_none(there: bool, tmp_path: Path) -> None:
    options = {"skeleton": "coco17", **OPTIONS}
    trained = replace(spec(), network_options={**options, "phase": there})
    old = build_network(trained)
    folder = save_model(tmp_path / "model", old, trained)
    here = replace(spec(), network_options={**options, "phase": not there})
    made = build_network(here)
    assert load_matching_weights(made, here, folder) == (3, 17)
    was, now = old.state_dict(), made.state_dict()
    assert {name for name in was.keys() ^ now.keys()} == {"head.phase.weight", "head.phase.bias"}
    assert all(torch.equal(now[name], was[name]) for name in was.keys() & now.keys())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": "Transformer", "network_options": TRANSFORMER}, "its network is InfoGCN, and here it is Transf"),
        (
            {"network_options": {"skeleton": "coco17", **OPTIONS, "dim": 16}},
            r"its network\.dim is 8, and here it is 16",
        ),
        (
            {
                "pipeline": replace(spec().pipeline, features=Features(use_velocity=True)),
                "network_options": {**spec().network_options, "in_channels": 5},
            },
            r"features\.use_velocity is Fal",
        ),
    ],
)
def test_matching_weights_of_another_kind_of_model(change: dict, message: str, tmp_path: Path) -> None:
    folder = save_model(tmp_path / "model", build_network(spec()), spec())
    here = replace(spec(), **change)
    with pytest.raises(ActrecError, match=message):
        load_matching_weights(build_network(here), here, folder)


@pytest.mark.parametrize(("before", "after", "known"), [("penn13", "coco17", 13), ("coco17", "penn13", 13)])
def test_a_start_with_another_skeleton_takes_joints_by_name(
    before: str, after: str, known: int, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    old, new = build_network(spec(before)), build_network(spec(after))
    with torch.no_grad():
        for parameter in old.parameters():
            parameter.normal_()
    fresh = {name: value.clone() for name, value in new.state_dict().items()}
    folder = save_model(tmp_path / "model", old, spec(before))
    assert load_matching_weights(new, spec(after), folder) == (3, known)
    was, now = old.state_dict(), new.state_dict()
    topologies = [name for name in was if name.endswith("topology")]
    assert len(topologies) > 4
    apart = {"joint_code", *topologies}
    assert all(torch.equal(now[name], was[name]) for name in was if name not in apart)
    there, here = get_skeleton(before).joints, get_skeleton(after).joints
    pairs = [(here.index(joint), there.index(joint)) for joint in PENN13.joints if joint in COCO17.joints]
    heads = {"penn13": "head", "coco17": "nose"}  # which stand in for each other
    pairs.append((here.index(heads[after]), there.index(heads[before])))
    assert len(pairs) == known
    for number in range(len(here)):
        match = dict(pairs).get(number)
        want = fresh["joint_code"][number] if match is None else was["joint_code"][match]
        assert torch.equal(now["joint_code"][number], want)
        for other in range(len(here)):
            ends = dict(pairs).get(number), dict(pairs).get(other)
            for name in topologies:
                value = fresh[name][:, number, other] if None in ends else was[name][:, ends[0], ends[1]]
                assert torch.equal(now[name][:, number, other], value)


def test_a_transformer_keeps_its_skeleton(tmp_path: Path) -> None:
    made = replace(spec(), network="Transformer", network_options=TRANSFORMER)
    folder = save_model(tmp_path / "model", build_network(made), made)
    here = replace(spec("penn13"), network="Transformer", network_options={**TRANSFORMER, "skeleton": "penn13"})
    with pytest.raises(ActrecError, match="its skeleton is coco17, and here it is penn13"):
        load_matching_weights(build_network(here), here, folder)
