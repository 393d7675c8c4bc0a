"""Padding in training: it enters no statistic, no gradient and no output, and costs next to nothing."""

import copy
import itertools
from typing import Any

import pytest
import torch
from torch import nn

from actrec.network.frames import Frames
from actrec.network.infogcn import InfoGCN
from actrec.network.published import OPTIONS
from actrec.network.transformer import Transformer
from actrec.training.losses import Losses, Objective
from actrec.types import Batch, NetworkOutput

TINY: dict[str, Any] = {"dim": 8, "layers": 2, "heads": 2, "graph_heads": 2, "attention_dim": 4, "solver": "midpoint"}
WINDOW, LENGTHS = 12, (3, 12, 7)
VALID = torch.arange(WINDOW) < torch.tensor(LENGTHS)[:, None]


def networks() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    made: dict[str, nn.Module] = {
        "infogcnpp": InfoGCN("coco17", 3, 5, **TINY),
        "layer": InfoGCN("coco17", 3, 5, **TINY, norm="layer"),
        "batch in the dynamics": InfoGCN("coco17", 3, 5, **TINY, dynamics_norm="batch"),
        "gcn": InfoGCN("coco17", 3, 5, **TINY, dynamics="gcn", head="gcn"),
        "linear": InfoGCN("coco17", 3, 5, **{**TINY, "solver": "linear"}),
        "horizon 0": InfoGCN("coco17", 3, 5, **TINY, horizon=0),
        "published": InfoGCN("coco17", 3, 5, **{**TINY, **OPTIONS, "window": WINDOW}),
        "transformer": Transformer("coco17", 3, 5, dim=8, layers=2, heads=2, dropout=0.0),
    }
    for network in made.values():
        for name, parameter in network.named_parameters():
            if "field.out" in name:  # starts at zero, which would hide the dynamics
                nn.init.normal_(parameter, std=0.3)
        network.double()
    return made


NETWORKS = networks()


def batch_of(length: int, padding: float, valid: torch.Tensor = VALID) -> Batch:
    """A batch with windows of that length, padded with that value."""
    x = torch.randn(3, WINDOW, 17, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    x = torch.cat((x, torch.zeros(3, max(length - WINDOW, 0), 17, 3, dtype=x.dtype)), 1)
    valid = torch.cat((valid, torch.zeros(3, max(length - WINDOW, 0), dtype=torch.bool)), 1)
    x = x.masked_fill(~valid[..., None, None], padding)
    return Batch(x, valid, valid[..., None].expand(*valid.shape, 17), torch.tensor([0, 4, 2]), torch.arange(3))


def trained_on(network: nn.Module, batch: Batch) -> tuple[NetworkOutput, Losses, dict[str, torch.Tensor]]:
    """A step's output and losses; gradients, and statistics after it."""
    network = copy.deepcopy(network).train()
    output = network(batch.features, batch.valid)
    losses = Objective(lambda_1=3.0, lambda_2=1.0)(output, batch)
    losses.loss.backward()
    gradients = {name: p.grad for name, p in network.named_parameters() if p.grad is not None}
    return output, losses, gradients | dict(network.named_buffers())


def assert_alike(ours: tuple[Any, Losses, dict[str, torch.Tensor]], theirs: tuple[Any, Losses, Any]) -> None:
    for one, two in zip(ours[1], theirs[1], strict=True):
        torch.testing.assert_close(one, two)
    assert ours[2].keys() == theirs[2].keys()
    for name, value in ours[2].items():
        torch.testing.assert_close(value, theirs[2][name], msg=name)


@pytest.mark.parametrize("name", NETWORKS)
def test_training_does_not_depend_on_what_the_padding_holds(name: str) -> None:
    ours, theirs = (trained_on(NETWORKS[name], batch_of(WINDOW, padding)) for padding in (0.0, 50.0))
    assert_alike(ours, theirs)
    torch.testing.assert_close(ours[0].logits[VALID], theirs[0].logits[VALID])
    torch.testing.assert_close(ours[0].pose_forecasts[:, VALID], theirs[0].pose_forecasts[:, VALID])


@pytest.mark.parametrize("name", NETWORKS)
def test_training_does_not_depend_on_how_much_is_padded(name: str) -> None:
    ours, theirs = (trained_on(NETWORKS[name], batch_of(length, 1.0)) for length in (WINDOW, 2 * WINDOW))
    assert_alike(ours, theirs)


@pytest.mark.parametrize("name", NETWORKS)
def test_padded_windows_train_as_windows_that_are_so_short(name: str) -> None:
    # All windows of a batch equally short: cut off or padded, the numbers are the same.
    valid = torch.arange(WINDOW).expand(3, -1) < 5
    batch = batch_of(WINDOW, 9.0, valid)
    cut = Batch(batch.features[:, :5], batch.valid[:, :5], batch.observed[:, :5], batch.label, batch.clip)
    ours, theirs = (trained_on(NETWORKS[name], each) for each in (batch, cut))
    assert_alike(ours, theirs)
    for one, two, axis in zip(ours[0][:4], theirs[0][:4], (1, 1, 2, 2), strict=True):
        torch.testing.assert_close(one.narrow(axis, 0, 5), two)


def test_statistics_are_those_of_the_valid_frames() -> None:
    # What comes to the first batch norm does not depend on statistics: a loop over it tells what they should be.
    network, batch = copy.deepcopy(NETWORKS["infogcnpp"]), batch_of(WINDOW, 50.0)
    norm, seen = network.encoder[0].attention.to_qkv.norm.norm, list[torch.Tensor]()  # type: ignore[union-attr, index]
    hook = norm.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network.eval()(batch.features, batch.valid)
    hook.remove()
    rows = seen[0].view(3, WINDOW, 17, -1)
    real = torch.cat([rows[b, t] for b, t in itertools.product(range(3), range(WINDOW)) if t < LENGTHS[b]])
    assert len(real) == 17 * sum(LENGTHS)
    network.train()(batch.features, batch.valid)
    torch.testing.assert_close(norm.running_mean, 0.1 * real.mean(0))
    torch.testing.assert_close(norm.running_var, 0.9 + 0.1 * real.var(0))


def test_in_evaluation_a_frame_that_is_valid_does_not_depend_on_padding() -> None:
    for network in NETWORKS.values():
        network.eval()
        with torch.no_grad():
            outputs = [network(*batch_of(length, value)[:2]) for length, value in ((12, 0.0), (12, 50.0), (24, 1.0))]
        for other in outputs[1:]:
            torch.testing.assert_close(other.logits[:, :WINDOW][VALID], outputs[0].logits[VALID])


@pytest.mark.parametrize("holes", [False, True])
def test_packed_frames_are_the_valid_ones_in_order_and_go_back_to_their_places(holes: bool) -> None:
    valid, x = VALID.clone(), torch.randn(3, WINDOW, 2)
    valid[1, 4:6] = not holes
    frames = Frames(valid, packed=True)
    places = [(b, t) for b in range(3) for t in range(WINDOW) if valid[b, t]]
    torch.testing.assert_close(frames.pack(x), torch.stack([x[b, t] for b, t in places]))
    assert frames.time.tolist() == [t for _, t in places]
    whole = frames.unpack(frames.pack(x))
    torch.testing.assert_close(whole, x.where(valid[..., None], 0))
    torch.testing.assert_close(frames.unpack(frames.pack(x)[None, None], axis=2)[0, 0], whole)


@pytest.mark.parametrize(("padded", "packed"), [(False, True), (True, False)])
def test_without_padding_and_in_evaluation_frames_stay_as_they_lie(padded: bool, packed: bool) -> None:
    frames, x = Frames(VALID if padded else torch.ones_like(VALID), packed), torch.randn(3, WINDOW, 2)
    assert frames.pack(x) is frames.unpack(x) is x
    assert frames.time.tolist() == list(range(WINDOW))
