import math

import pytest
import torch

from actrec.training.losses import (
    Objective,
    classification_loss,
    latent_forecast_loss,
    phase_loss,
    pooled,
    pose_forecast_loss,
)
from actrec.types import NO_LABEL, Batch, NetworkOutput

N, B, T, V, D = 3, 2, 6, 4, 5


def rand(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


VALID = torch.tensor([[True] * 6, [True, True, False, True, True, False]])
OBSERVED = rand(B, T, V) > -0.5


def double_loop(forecasts: torch.Tensor, target: torch.Tensor, valid: torch.Tensor) -> float:
    """Equations 10 and 11, element by element; `valid` is (batch, time, node)."""
    errors = []
    for n in range(1, N + 1):
        for t in range(T - n):
            for b in range(B):
                for v in range(V):
                    if valid[b, t + n, v]:
                        errors += (forecasts[n - 1, b, t, v] - target[b, t + n, v]).square().tolist()
    return sum(errors) / len(errors)


def test_pose_loss_is_the_double_loop() -> None:
    forecasts, target = rand(N, B, T, V, 2), rand(B, T, V, 2)
    expected = double_loop(forecasts, target, VALID[..., None] & OBSERVED)
    assert pose_forecast_loss(forecasts, target, VALID, OBSERVED).item() == pytest.approx(expected, rel=1e-5)


def test_latent_loss_is_the_double_loop() -> None:
    forecasts, latents = rand(N, B, T, V, D), rand(B, T, V, D)
    expected = double_loop(forecasts, latents, VALID[..., None].expand(B, T, V))
    assert latent_forecast_loss(forecasts, latents, VALID).item() == pytest.approx(expected, rel=1e-5)


def test_without_padding_there_are_k_pairs() -> None:
    # Every error is 1 but one, which is 1 + K V: the mean tells how many pairs were counted.
    pairs = N * T - N * (N + 1) // 2
    forecasts, target = torch.ones(N, 1, T, V, 2), torch.zeros(1, T, V, 2)
    forecasts[0, 0, 0, 0] = math.sqrt(1 + pairs * V)
    valid = torch.ones(1, T, dtype=torch.bool)
    assert pose_forecast_loss(forecasts, target, valid, valid[..., None].expand(1, T, V)).item() == pytest.approx(2)


def test_losses_do_not_depend_on_the_number_of_channels() -> None:
    forecasts, latents = rand(N, B, T, V, D), rand(B, T, V, D)
    twice = latent_forecast_loss(forecasts.repeat(1, 1, 1, 1, 2), latents.repeat(1, 1, 1, 2), VALID)
    torch.testing.assert_close(twice, latent_forecast_loss(forecasts, latents, VALID))


def test_classification_loss_is_a_loop_over_valid_frames() -> None:
    logits, label = rand(B, T, 5), torch.tensor([1, 3])
    losses = []
    for b in range(B):
        for t in range(T):
            if VALID[b, t]:
                log_p = logits[b, t].double() - logits[b, t].double().exp().sum().log()
                target = [0.1 / 5 + 0.9 * (k == int(label[b])) for k in range(5)]
                losses.append(-sum(y * float(p) for y, p in zip(target, log_p, strict=True)))
    expected = sum(losses) / len(losses)
    assert classification_loss(logits, label[:, None], VALID, 0.1).item() == pytest.approx(expected, rel=1e-5)


def test_every_frame_has_its_own_label_and_unlabelled_frames_do_not_count() -> None:
    logits, label = rand(B, T, 5), torch.tensor([[1, 1, 4, NO_LABEL, 0, 2], [3, NO_LABEL, 3, 3, 4, 4]])
    losses = [
        -float(logits[b, t].double().log_softmax(-1)[label[b, t]])
        for b in range(B)
        for t in range(T)
        if VALID[b, t] and label[b, t] != NO_LABEL
    ]
    expected = sum(losses) / len(losses)
    assert classification_loss(logits, label, VALID, 0.0).item() == pytest.approx(expected, rel=1e-5)


def test_one_label_throughout_is_the_label_of_the_clip() -> None:
    logits, label = rand(B, T, 5), torch.tensor([1, 3])
    of_frames = classification_loss(logits, label[:, None].repeat(1, T), VALID)
    assert torch.equal(of_frames, classification_loss(logits, label[:, None], VALID))


def test_phase_loss_is_a_loop_over_frames_with_a_repetition() -> None:
    phase, repetition = rand(B, T, 2), 3 * rand(B, T).abs()
    repetition[0, 2] = repetition[1, 0] = torch.nan
    errors = []
    for b in range(B):
        for t in range(T):
            if VALID[b, t] and not math.isnan(repetition[b, t]):
                turn = 2 * math.pi * float(repetition[b, t])
                errors += [(float(phase[b, t, 0]) - math.sin(turn)) ** 2, (float(phase[b, t, 1]) - math.cos(turn)) ** 2]
    assert phase_loss(phase, repetition, VALID).item() == pytest.approx(sum(errors) / len(errors), rel=1e-4)
    assert phase_loss(phase, torch.full((B, T), torch.nan), VALID).item() == 0


@pytest.mark.parametrize("detach", [False, True])
def test_detached_targets_have_no_gradient(detach: bool) -> None:
    latents = rand(B, T, V, D).requires_grad_()
    loss = latent_forecast_loss(rand(N, B, T, V, D).requires_grad_(), latents, VALID, detach)
    loss.backward()
    assert (latents.grad is None) == detach


def test_objective_weighs_the_terms() -> None:
    batch = Batch(rand(B, T, V, 3), VALID, OBSERVED, torch.tensor([0, 1]), torch.tensor([0, 1]))
    output = NetworkOutput(rand(B, T, 5), rand(B, T, V, D), rand(N, B, T, V, D), rand(N, B, T, V, 2))
    losses = Objective(lambda_1=0.3, lambda_2=0.7)(output, batch)
    torch.testing.assert_close(losses.loss, losses.loss_cls + 0.3 * losses.loss_pred + 0.7 * losses.loss_feat)
    torch.testing.assert_close(
        losses.loss_pred, pose_forecast_loss(output.pose_forecasts, batch.features[..., :2], VALID, OBSERVED)
    )


def test_without_forecasts_only_classification_is_left() -> None:
    batch = Batch(rand(B, T, V, 3), VALID, OBSERVED, torch.tensor([0, 1]), torch.tensor([0, 1]))
    output = NetworkOutput(rand(B, T, 5), rand(B, T, V, D), torch.zeros(0, B, T, V, D), torch.zeros(0, B, T, V, 2))
    losses = Objective()(output, batch)
    torch.testing.assert_close(losses.loss, losses.loss_cls)


def test_class_weights_are_factors_of_the_frames_of_a_class() -> None:
    logits, label, factors = rand(B, T, 5), torch.tensor([1, 3]), [0.5, 2.0, 1.0, 0.25, 4.0]
    losses = [
        -factors[int(label[b])] * float(logits[b, t].double().log_softmax(-1)[label[b]])
        for b in range(B)
        for t in range(T)
        if VALID[b, t]
    ]
    found = classification_loss(logits, label[:, None], VALID, 0.0, class_weights=torch.tensor(factors))
    assert found.item() == pytest.approx(sum(losses) / len(losses), rel=1e-5)
    plain = classification_loss(logits, label[:, None], VALID, 0.1)
    torch.testing.assert_close(
        classification_loss(logits, label[:, None], VALID, 0.1, class_weights=torch.ones(5)), plain
    )


def test_pooled_logits_are_the_mean_over_valid_frames() -> None:
    logits = rand(B, T, 5)
    valid = VALID.clone()
    found = pooled(logits, valid)
    assert found.shape == (B, 1, 5)
    for b in range(B):
        rows = [logits[b, t] for t in range(T) if valid[b, t]]
        torch.testing.assert_close(found[b, 0], sum(rows) / len(rows))
    assert not pooled(logits, torch.zeros_like(valid)).any()  # instead of NaN


def outputs() -> NetworkOutput:
    return NetworkOutput(rand(B, T, 5), rand(B, T, V, D), rand(N, B, T, V, D), rand(N, B, T, V, 2))


def cross_entropy_of_means(logits: torch.Tensor, label: list[int], factors: list[float]) -> float:
    losses = []
    for b in range(B):
        mean = [sum(float(logits[b, t, k]) for t in range(T) if VALID[b, t]) / int(VALID[b].sum()) for k in range(5)]
        total = sum(math.exp(value) for value in mean)
        losses.append(-factors[label[b]] * math.log(math.exp(mean[label[b]]) / total))
    return sum(losses) / B


def test_the_pooled_objective_is_the_cross_entropy_of_the_mean_logits() -> None:
    output, label, factors = outputs(), torch.tensor([4, 1]), [1.0, 3.0, 1.0, 1.0, 0.5]
    batch = Batch(rand(B, T, V, 3), VALID, OBSERVED, label, torch.tensor([0, 1]))
    objective = Objective(label_smoothing=0.0, pooled=True)
    found = objective(output, batch)
    assert found.loss_cls.item() == pytest.approx(cross_entropy_of_means(output.logits, [4, 1], [1.0] * 5), rel=1e-5)
    weighted = objective(output, batch, class_weights=torch.tensor(factors))
    assert weighted.loss_cls.item() == pytest.approx(cross_entropy_of_means(output.logits, [4, 1], factors), rel=1e-5)
    plain = Objective(label_smoothing=0.0)(output, batch)
    assert (found.loss_pred, found.loss_feat) == (plain.loss_pred, plain.loss_feat)
    assert found.loss_cls != plain.loss_cls


def test_windows_with_repetitions_are_pooled_too_and_those_of_several_labels_are_not() -> None:
    output, objective = outputs(), Objective(label_smoothing=0.0, pooled=True)
    batch = Batch(rand(B, T, V, 3), VALID, OBSERVED, torch.tensor([4, 1]), torch.tensor([0, 1]))
    frames = torch.tensor([[4] * T, [1] * T])
    frames[1, 2] = frames[1, 5] = NO_LABEL  # padding
    counted = batch._replace(frame_label=frames, repetition=torch.full((B, T), torch.nan))
    assert objective(output, counted).loss_cls == objective(output, batch).loss_cls
    frames[0, 3] = 2
    plain = Objective(label_smoothing=0.0)
    assert objective(output, counted).loss_cls == plain(output, counted).loss_cls
