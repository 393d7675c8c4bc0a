from collections.abc import Callable

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
from actrec.pipeline.windows import AnchoredWindows
from actrec.skeleton import COCO17
from actrec.training.losses import Objective
from actrec.training.module import ActionModule
from actrec.training.schedule import warmup_cosine
from actrec.types import Batch, SkeletonSequence

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
