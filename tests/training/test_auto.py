import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from actrec.config import config_dir
from actrec.data.clips import DataSet
from actrec.pipeline.windows import AnchoredWindows, ResizeWindows
from actrec.training.auto import with_auto
from actrec.training.auto_facts import find_facts
from actrec.training.checks import check_config
from actrec.types import ActrecError, Segment, SkeletonSequence

Clips = list[SkeletonSequence]


def config(*overrides: str) -> DictConfig:
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return compose("train", ["experiment=mine", *overrides])


@pytest.fixture(scope="module")
def one_clip(make_sequences: Callable[..., Clips]) -> SkeletonSequence:
    return make_sequences(1, 1)[0]


def clips_of(clip: SkeletonSequence, counts: dict[str, int], split: str = "", n_frames: int = 20) -> Clips:
    """As many clips of each label as `counts` says, each a group."""
    long = replace(clip, keypoints=clip.keypoints[[0] * n_frames], split=split)
    names = [(label, f"{split}_{label}_{number}") for label, count in counts.items() for number in range(count)]
    return [replace(long, label=label, clip_id=name, group=name) for label, name in names]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sequence[SkeletonSequence]], None]:
    """Puts clips in the place of those that a config would load."""

    def put(clips: Sequence[SkeletonSequence]) -> None:
        monkeypatch.setattr("actrec.data.clips.load_dataset", lambda **_: DataSet("made", clips))

    return put


@pytest.fixture
def chosen(one_clip: SkeletonSequence, load: Callable[..., None]) -> Callable[..., DictConfig]:
    def choose(counts: dict[str, int], *overrides: str, n_frames: int = 20) -> DictConfig:
        load(clips_of(one_clip, counts, n_frames=n_frames))
        return with_auto(config(*overrides))[0]

    return choose


def keys_of(line: str) -> list[str]:
    """The keys of a line of the log, which lists values and the reason of all of them."""
    return re.findall(r"([\w.]+)=", line.partition(": ")[0])


def leaves(node: Any) -> list[Any]:
    if isinstance(node, dict | list):
        return [leaf for each in (node.values() if isinstance(node, dict) else node) for leaf in leaves(each)]
    return [node]


@pytest.mark.parametrize("network", ["sport14", "transformer"])
@pytest.mark.parametrize("judge", ["auto", "stream"])
def test_every_value_is_chosen_told_once_and_fit_for_training(
    network: str, judge: str, one_clip: SkeletonSequence, load: Callable[..., None]
) -> None:
    load(clips_of(one_clip, {"wave": 12, "squat": 9}))
    given = config(f"network={network}", f"judge={judge}")
    cfg, told = with_auto(given)
    assert given.epochs == given.windows.length == "auto"  # the config that is given does not change
    plain = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(plain, dict)
    wanted = [name for name, value in _flat(OmegaConf.to_container(given)) if value == "auto"]
    wanted = [name for name in wanted if not name.startswith(("hardware.", "trainer."))]  # Lightning's own auto
    assert len(wanted) > 10
    assert not [name for name in plain if name not in ("hardware", "trainer") and "auto" in leaves(plain[name])]
    keys = [key for line in told[1:] for key in keys_of(line)]
    assert sorted(keys) == sorted(wanted)
    assert "about 18 training clips of 2 classes, 8 to 10 of each, of 0.7 s (median) at 30 frames a second" in told[0]
    check_config(cfg)
    pipeline = instantiate(cfg.data.pipeline, _convert_="all")
    assert isinstance(pipeline.windows, AnchoredWindows if judge == "stream" else ResizeWindows)
    assert pipeline.preprocess.mode == ("causal" if judge == "stream" else "offline")
    assert (pipeline.preprocess.fps is None) == (judge != "stream")
    assert cfg.decision == ("last" if judge == "stream" else "mean")
    crop = instantiate(cfg.augmentation, _convert_="all").temporal_crop
    assert (crop is not None and crop.p > 0) == (judge == "stream")


def _flat(node: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(node, dict):
        return [pair for name, value in node.items() for pair in _flat(value, f"{path}.{name}" if path else name)]
    return [(path, node)]


def test_what_the_user_gives_stays(one_clip: SkeletonSequence, load: Callable[..., None]) -> None:
    load(clips_of(one_clip, {"wave": 90, "squat": 9}))
    given = {
        "judge": "stream",
        "init": None,
        "skeleton": "penn13",
        "decision": "mean",
        "sampler": "natural",
        "epochs": 7,
        "batch_size": 5,
        "base_lr": 0.125,
        "ema_decay": 0.5,
        "mix.generated": 3,
        "split.val_share": 0.25,
        "windows.length": 24,
        "augmentation.mirror.p": 0.75,
        "augmentation.temporal_crop.p": 0.0,
    }
    cfg, told = with_auto(config(*(f"{key}={'null' if value is None else value}" for key, value in given.items())))
    assert {key: OmegaConf.select(cfg, key) for key in given} == given
    assert not {key for line in told[1:] for key in keys_of(line)} & given.keys()
    assert 0 < cfg.warmup_epochs < 7  # follows from the epochs that were given
    assert 1 <= cfg.val_every <= 7


def test_without_auto_no_clip_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actrec.data.clips.load_dataset", lambda **_: pytest.fail("loads clips"))
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        cfg = compose("train", ["experiment=penn_action"])
    assert with_auto(cfg) == (cfg, [])


def test_with_an_official_split_test_has_no_influence(one_clip: SkeletonSequence, load: Callable[..., None]) -> None:
    train = clips_of(one_clip, {"wave": 12, "jump": 9}, "train") + clips_of(one_clip, {"wave": 2, "jump": 1}, "val")
    test = clips_of(one_clip, {"wave": 40, "turn_left": 3}, "test", n_frames=300)
    load(train)
    alone = with_auto(config())
    load([*train, *test])
    assert find_facts(config()).counts == {"wave": 14, "jump": 10}
    assert with_auto(config()) == alone
    drawn = find_facts(config("split.protocol=grouped")).counts
    assert drawn == {"wave": 44, "jump": 8, "turn_left": 3}  # 0.8 of 54, 10 and 3, rounded up


def test_a_drawn_test_is_taken_off_by_its_share(one_clip: SkeletonSequence, load: Callable[..., None]) -> None:
    clips = clips_of(one_clip, {"wave": 20, "jump": 10})
    load([replace(clip, group=f"{clip.label}_{number % 5}") for number, clip in enumerate(clips)])
    facts = find_facts(config("split.test_share=0.4"))
    assert (facts.counts, facts.groups, facts.n_clips) == ({"wave": 12, "jump": 6}, 3, 18)
    few = find_facts(config("split.clips_per_class=2"))
    assert (few.counts, few.groups) == ({"wave": 2, "jump": 2}, 2)


def test_excluded_labels_do_not_count(one_clip: SkeletonSequence, load: Callable[..., None]) -> None:
    load(clips_of(one_clip, {"wave": 10, "jump": 10, "turn_left": 900}))
    assert set(find_facts(config("dataset.exclude_labels=[turn_left]")).counts) == {"wave", "jump"}
    with pytest.raises(ActrecError, match="There are no clips to train on"):
        find_facts(config("dataset.exclude_labels=[turn_left,wave,jump]"))


@pytest.mark.parametrize("kind", ["segments", "none"])
def test_clips_longer_than_an_action_are_judged_as_streams(
    kind: str, one_clip: SkeletonSequence, load: Callable[..., None]
) -> None:
    first, *others = clips_of(one_clip, {"wave": 10, "jump": 10})
    load([replace(first, segments=(Segment("wave", 3, 9),)) if kind == "segments" else replace(first, label="none")])
    assert find_facts(config()).long
    load([first, *others])
    assert with_auto(config())[0].judge == "clips"
    changed = replace(first, segments=(Segment("wave", 3, 9),)) if kind == "segments" else replace(first, label="none")
    load([changed, *others])
    cfg, _ = with_auto(config())
    assert cfg.judge == "stream"
    assert cfg.windows._target_.endswith(".AnchoredWindows")
    assert with_auto(config("judge=clips"))[0].windows._target_.endswith(".ResizeWindows")


@pytest.mark.parametrize(
    ("label", "named"),
    [("raise_left_arm", True), ("Right punch", True), ("turn-LEFT", True), ("leftover", False), ("bright", False)],
)
def test_labels_that_name_a_side_are_not_mirrored(label: str, named: bool, chosen: Callable[..., DictConfig]) -> None:
    assert (chosen({label: 8, "wave": 8}).augmentation.mirror.p == 0) == named


def test_uneven_classes_are_balanced(chosen: Callable[..., DictConfig]) -> None:
    assert chosen({"wave": 20, "jump": 20}).sampler == "natural"
    assert chosen({"wave": 20, "jump": 18}).sampler == "natural"
    assert chosen({"wave": 200, "jump": 5}).sampler == "balanced"


def test_two_classes_of_two_clips_are_enough(chosen: Callable[..., DictConfig]) -> None:
    for network in ("sport14", "transformer"):
        cfg = chosen({"wave": 2, "jump": 2}, f"network={network}")
        check_config(cfg)
        assert cfg.split.val_share == 0  # no group can be spared
        assert 0 < cfg.ema_decay < 1
        assert cfg.warmup_epochs < cfg.epochs


def test_val_is_given_clips_where_there_are_many(chosen: Callable[..., DictConfig]) -> None:
    assert chosen({"wave": 500, "jump": 500}).split.val_share > 0


def test_clips_are_generated_for_classes_that_the_generator_knows_and_that_have_few(
    chosen: Callable[..., DictConfig],
) -> None:
    assert chosen({"wave": 9, "jump": 9}).mix.generated == 0
    assert chosen({"wave": 9, "squat": 9}).mix.generated > 0
    assert chosen({"wave": 9, "squat": 2000}).mix.generated == 0


@pytest.mark.parametrize("network", ["sport14", "transformer"])
def test_more_clips_take_more_steps_and_fewer_epochs(network: str, chosen: Callable[..., DictConfig]) -> None:
    counts = (3, 30, 300)
    cfgs = [chosen({"wave": n, "jump": n}, f"network={network}") for n in counts]
    assert [cfg.epochs for cfg in cfgs] == sorted((cfg.epochs for cfg in cfgs), reverse=True)
    assert cfgs[0].epochs > cfgs[-1].epochs
    steps = [cfg.epochs * 2 * 0.8 * n / cfg.batch_size for cfg, n in zip(cfgs, counts, strict=True)]
    assert steps[0] < steps[-1]
    averages = [1 / (1 - cfg.ema_decay) for cfg in cfgs]  # steps that the average of the weights is over
    assert averages == sorted(averages)
    assert all(average < 0.2 * n for average, n in zip(averages, steps, strict=True))


@pytest.mark.parametrize("generated", [0, 30])
def test_the_epochs_make_about_the_steps_that_are_told(
    generated: int, one_clip: SkeletonSequence, load: Callable[..., None]
) -> None:
    load(clips_of(one_clip, {"wave": 20, "squat": 15, "jump": 25}))
    cfg, told = with_auto(config(f"mix.generated={generated}"))
    line = next(line for line in told if "epochs" in keys_of(line))
    found = re.fullmatch(r"  epochs=(\d+): about (\d+) steps of (\d+) clips", line)
    assert found is not None
    assert (int(found[1]), int(found[3])) == (cfg.epochs, cfg.batch_size)
    items = 0.8 * 60 + generated  # squat alone is known
    assert cfg.epochs * items / cfg.batch_size == pytest.approx(int(found[2]), rel=0.05)


def test_longer_clips_have_no_shorter_windows(chosen: Callable[..., DictConfig]) -> None:
    lengths = [chosen({"wave": 9, "jump": 9}, n_frames=n).windows.length for n in (4, 20, 25, 60, 600)]
    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[-1]
    assert lengths[-1] == chosen({"wave": 9, "jump": 9}, n_frames=6000).windows.length


@pytest.mark.parametrize(
    ("overrides", "other"),
    [
        (["network=sport14"], None),
        (["network.causal=false"], None),
        (["network.dropout=0.3"], None),
        (["features.velocity_scale=2"], None),
        (["network=transformer"], "network"),
        (["network.dim=16"], "network.dim"),
        (["use_velocity=false"], "features.use_velocity"),
    ],
)
def test_the_start_is_the_model_of_the_package_where_it_fits(
    overrides: list[str], other: str | None, one_clip: SkeletonSequence, load: Callable[..., None]
) -> None:
    load(clips_of(one_clip, {"wave": 9, "jump": 9}))
    cfg, told = with_auto(config(*overrides))
    line = next(line for line in told if "init" in keys_of(line))
    assert cfg.init == (None if other else "sport14")
    assert not other or f"sport14 has another {other}," in line


def test_the_skeleton_is_that_of_most_clips(one_clip: SkeletonSequence, load: Callable[..., None]) -> None:
    assert one_clip.skeleton == "coco17"
    clips = clips_of(one_clip, {"wave": 9, "jump": 9})
    load(clips)
    assert find_facts(config()).skeleton == "coco17"
    load([replace(clip, keypoints=clip.keypoints[:, :13], skeleton="penn13") for clip in clips])
    assert with_auto(config())[0].skeleton == "penn13"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["judge=video"], "judge is 'video'; expected auto, clips or stream"),
        (["batch_size=0"], "batch_size is 0; expected a whole number of at least 1"),
        (["batch_size=many"], "batch_size is 'many'"),
        (["epochs=abc"], "epochs is 'abc'; expected a whole number"),
        (["base_lr=fast"], "base_lr is 'fast'; expected a number"),
        (["mix.generated=some"], "mix.generated is 'some'; expected a whole number of at least 0"),
        (["mix.generated=-1"], "mix.generated is -1"),
        (["split=null"], "split has no value"),
    ],
)
def test_a_wrong_value_beside_auto_is_one_sentence(
    overrides: list[str], message: str, one_clip: SkeletonSequence, load: Callable[..., None]
) -> None:
    load(clips_of(one_clip, {"wave": 9, "squat": 9}))
    with pytest.raises(ActrecError, match=message):
        with_auto(config(*overrides))


def test_three_dimensions_start_from_random_weights_without_generated_clips(
    one_clip: SkeletonSequence, load: Callable[..., None]
) -> None:
    deep = replace(one_clip, keypoints=np.insert(one_clip.keypoints, 2, 0, axis=2))
    load(clips_of(deep, {"squat": 9, "lunges": 9}))
    cfg, told = with_auto(config())
    assert cfg.init is None
    assert cfg.mix.generated == 0
    assert sum("x, y and z" in line for line in told) == 2
