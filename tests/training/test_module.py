from collections.abc import Callable
from dataclasses import replace
from typing import Any

import lightning as L
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from actrec.data.clips import DataSet
from actrec.data.datamodule import ActionData
from actrec.data.split import Split
from actrec.pipeline.augmentation import Augmentation
from actrec.pipeline.batching import Item, collate
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import AnchoredWindows, ResizeWindows
from actrec.skeleton import COCO17
from actrec.training.losses import Objective
from actrec.training.module import ActionModule, class_factors
from actrec.training.schedule import warmup_cosine
from actrec.types import ActrecError, Batch, Segment, SkeletonSequence

Make = Callable[..., list[SkeletonSequence]]


def validated(data: ActionData, items: list, batch_size: int, collate_fn: Callable) -> dict[str, float]:
    torch.manual_seed(0)
    network = {"_target_": "actrec.network.infogcn.InfoGCN", "dim": 8, "layers": 1, "heads": 2, "graph_heads": 1}
    network |= {"horizon": 1, "solver": "euler"}
    module = ActionModule(data, network, Objective(), torch.optim.AdamW, warmup_cosine)
    module._labels = lambda _: [item.label for item in items]
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = L.Trainer(accelerator="cpu", **quiet)
    loader: DataLoader = DataLoader(items, batch_size, collate_fn=collate_fn)
    return {name: float(value) for name, value in trainer.validate(module, loader, verbose=False)[0].items()}


def _stacked(items: list[Item]) -> Batch:
    """Stacks items with all of their padding."""
    return Batch(*(torch.from_numpy(np.stack(part)) for part in zip(*(item[:5] for item in items), strict=True)))


@pytest.mark.filterwarnings("ignore:.*num_workers")
def test_an_epochs_figures_are_means_over_its_frames_however_they_are_batched(make_sequences: Make) -> None:
    pipeline = Pipeline(COCO17, Preprocess("causal"), AnchoredWindows(64), Features())
    data = ActionData(DataSet("made", make_sequences(2)), Split(), pipeline, Augmentation())
    clips = [*make_sequences(1, 3, (3, 5)), *make_sequences(1, 2, (40, 50), seed=1)]
    items = [pipeline.evaluation_items(clip, number % 2, number)[0] for number, clip in enumerate(clips)]
    whole = validated(data, items, 5, _stacked)
    assert whole["val/loss_cls"] > 0
    assert whole["val/loss_feat"] > 0
    for size, collate_fn in ((2, _stacked), (2, collate), (5, collate)):
        found = validated(data, items, size, collate_fn)
        assert found["val/loss_cls"] == pytest.approx(whole["val/loss_cls"], rel=1e-5)
        assert found["val/accuracy"] == whole["val/accuracy"]


@pytest.fixture
def uneven(make_sequences: Make) -> ActionData:
    """A data set with 2, 4 and 8 training clips of its three classes, and as many in test."""
    kept = {"label_0": 2, "label_1": 4, "label_2": 8}
    clips = [
        replace(clip, split=split, clip_id=f"{split}_{clip.clip_id}", group=f"{split}_{clip.group}")
        for split in ("train", "test")
        for clip in make_sequences(3, 8)
        if int(clip.clip_id[-2:]) < kept[clip.label]
    ]
    pipeline = Pipeline(COCO17, Preprocess(), ResizeWindows(8), Features())
    return ActionData(DataSet("made", clips), Split(val_share=0.0), pipeline, Augmentation())


@pytest.mark.parametrize(
    ("given", "ratios"),
    [
        ("balanced", [4, 2, 1]),
        ({"label_1": 3}, [1, 3, 1]),
        ({"label_0": 0.5, "label_2": 2.0}, [0.5, 1, 2]),
        ({}, [1, 1, 1]),
    ],
)
def test_class_weights_have_a_mean_of_1_over_the_training_clips(
    given: Any, ratios: list[float], uneven: ActionData
) -> None:
    counts, labels = [2, 4, 8], ["label_0", "label_1", "label_2"]
    factors = class_factors(given, labels, uneven)
    assert factors is not None
    mean = sum(ratio * count for ratio, count in zip(ratios, counts, strict=True)) / 14
    assert factors.tolist() == pytest.approx([ratio / mean for ratio in ratios])
    per_clip = [factors[label] for label in uneven.class_numbers("train")]
    assert float(sum(per_clip)) / len(per_clip) == pytest.approx(1)
    assert class_factors(None, labels, uneven) is None


def test_class_weights_of_sessions_count_their_stretches(make_sequences: Make) -> None:
    clips = [replace(clip, segments=(Segment(clip.label, 20, len(clip)),)) for clip in make_sequences(2, 8, (60, 70))]
    pipeline = Pipeline(COCO17, Preprocess("causal"), AnchoredWindows(16), Features())
    data = ActionData(DataSet("made", clips), Split(val_share=0.0), pipeline, Augmentation())
    assert data.labels == ["label_0", "label_1", "none"]
    factors = class_factors("balanced", data.labels, data)
    assert factors is not None
    # Every training clip has one action, and one stretch without.
    assert factors[2] * 2 == pytest.approx(float(factors[0]))
    assert (float(factors[0] + factors[1]) / 2 + float(factors[2])) / 2 == pytest.approx(1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("even", "class_weights is 'even'; expected balanced, null, or factors such as"),
        ({"squats": 2}, "class_weights has squats: 2; expected a positive factor of one of label_0, label_1, label_2"),
        ({"label_0": 0}, "class_weights has label_0: 0;"),
        ({"label_0": -1.0}, "class_weights has label_0: -1"),
        ({"label_0": "much"}, "class_weights has label_0: much"),
        ({"label_0": float("inf")}, "class_weights has label_0: inf"),
        ({"label_0": float("nan")}, "class_weights has label_0: nan"),
    ],
)
def test_wrong_class_weights_are_one_sentence(given: Any, message: str, uneven: ActionData) -> None:
    with pytest.raises(ActrecError, match=message):
        class_factors(given, ["label_0", "label_1", "label_2"], uneven)
