from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from actrec.model.folder import save_model
from actrec.model.network import build_network
from actrec.model.spec import ModelSpec, load_spec
from actrec.model.transfer import differing_option, load_matching_weights
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import SlidingWindows
from actrec.skeleton import COCO17, PENN13, get_skeleton
from actrec.types import ActrecError, SkeletonSequence

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


def with_features(made: ModelSpec, features: Features) -> ModelSpec:
    options = {**made.network_options, "in_channels": features.n_channels()}
    return replace(made, network_options=options, pipeline=replace(made.pipeline, features=features))


@torch.no_grad()
def noise(made: ModelSpec) -> torch.nn.Module:
    network = build_network(made)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network.eval()


@pytest.mark.parametrize(("before", "after"), [(1.0, 5.0), (5.0, 1.0), (5.0, 5.0)])
@pytest.mark.parametrize("stream", ["joint", "bone"])
def test_a_start_with_another_velocity_scale_gives_the_same_outputs(
    stream: str,
    before: float,
    after: float,
    tmp_path: Path,
    make_sequences: Callable[..., list[SkeletonSequence]],
) -> None:
    trained = with_features(spec(), Features(stream, True, before))
    here = with_features(spec(), Features(stream, True, after))
    old, made = noise(trained), noise(here)
    folder = save_model(tmp_path / "model", old, trained)
    batches = [each.pipeline.batch(make_sequences(1, 1)[0]) for each in (trained, here)]
    assert torch.equal(batches[0].features, batches[1].features) == (before == after)
    load_matching_weights(made, here, folder)
    with torch.no_grad():
        one, two = (net(each.features, each.valid) for net, each in zip((old, made), batches, strict=True))
    torch.testing.assert_close(two.logits, one.logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(two.pose_forecasts, one.pose_forecasts, atol=1e-4, rtol=1e-4)


def test_velocities_that_are_forecast_keep_their_scale(tmp_path: Path) -> None:
    trained, here = (with_features(spec(), Features("velocity", velocity_scale=scale)) for scale in (1.0, 5.0))
    folder = save_model(tmp_path / "model", build_network(trained), trained)
    with pytest.raises(ActrecError, match=r"its features\.velocity_scale is 1\.0, and here it is 5\.0"):
        load_matching_weights(build_network(here), here, folder)


def test_a_transformer_keeps_its_velocity_scale(tmp_path: Path) -> None:
    plain = replace(spec(), network="Transformer", network_options=TRANSFORMER)
    trained, here = (with_features(plain, Features("joint", True, scale)) for scale in (1.0, 5.0))
    folder = save_model(tmp_path / "model", build_network(trained), trained)
    with pytest.raises(ActrecError, match=r"its features\.velocity_scale is 1\.0, and here it is 5\.0"):
        load_matching_weights(build_network(here), here, folder)


@pytest.mark.parametrize(
    ("network", "options"),
    [("InfoGCN", {"skeleton": "coco17", **OPTIONS}), ("Transformer", TRANSFORMER)],
)
@pytest.mark.parametrize("causal", [True, False])
def test_models_saved_before_there_were_these_options_still_start(
    network: str, options: dict[str, Any], causal: bool, tmp_path: Path
) -> None:
    trained = replace(spec(), network=network, network_options=options)
    old = noise(trained)
    folder = save_model(tmp_path / "model", old, trained)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["network"].pop("causal", None)
    del config["features"]["velocity_scale"]
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert load_spec(folder).pipeline.features.velocity_scale == 1
    assert build_network(load_spec(folder)).causal is True
    here = replace(trained, network_options={**options, "causal": causal, "dropout": 0.3})
    made = build_network(here)
    assert load_matching_weights(made, here, folder) == (3, 17)
    assert made.causal is causal
    now = made.state_dict()
    assert all(torch.equal(now[name], value) for name, value in old.state_dict().items())


@pytest.mark.parametrize(
    ("network", "features", "other"),
    [
        ({}, {}, None),
        ({"causal": False, "dropout": 0.2, "phase": True}, {"velocity_scale": 5.0}, None),
        ({"dim": 16}, {}, "network.dim"),
        ({"_target_": "actrec.network.transformer.Transformer"}, {}, "network"),
        ({}, {"use_velocity": True}, "features.use_velocity"),
        ({}, {"stream": "bone"}, "features.stream"),
    ],
)
def test_configs_say_whether_a_model_fits_before_the_data_are_known(
    network: dict[str, Any], features: dict[str, Any], other: str | None
) -> None:
    there = spec()
    own = {name: value for name, value in OPTIONS.items() if name not in ("n_classes", "in_channels")}
    plain = {"_target_": "actrec.pipeline.features.Features", "stream": "joint", "use_velocity": False}
    config = {"_target_": "actrec.network.infogcn.InfoGCN", **own, **network}
    assert differing_option(config, {**plain, "velocity_scale": 1.0, **features}, there) == other


@pytest.mark.parametrize("network", ["InfoGCN", "Transformer"])
def test_a_start_of_other_dimensions_is_refused(network: str, tmp_path: Path) -> None:
    options = {"skeleton": "coco17", **OPTIONS} if network == "InfoGCN" else TRANSFORMER
    flat = replace(spec(), network=network, network_options=options)
    deep_options = {**options, "in_channels": 4, **({"coordinates": 3} if network == "InfoGCN" else {})}
    deep = replace(flat, network_options=deep_options, pipeline=replace(flat.pipeline, n_coordinates=3))
    folder = save_model(tmp_path / "flat", build_network(flat), flat)
    with pytest.raises(ActrecError, match="it takes x and y, and these clips have x, y and z"):
        load_matching_weights(build_network(deep), deep, folder)
    folder = save_model(tmp_path / "deep", build_network(deep), deep)
    with pytest.raises(ActrecError, match="it takes x, y and z, and these clips have x and y"):
        load_matching_weights(build_network(flat), flat, folder)
