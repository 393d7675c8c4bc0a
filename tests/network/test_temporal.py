import math

import torch

from actrec.network.graph import GraphConv
from actrec.network.temporal import TemporalAttention, attention_mask, time_code


def test_time_code_is_the_formula() -> None:
    code = time_code(torch.tensor([0.0, 2.5, 7.0]), 6)
    for row, time in zip(code, (0.0, 2.5, 7.0), strict=True):
        for pair in range(3):
            angle = time / 10000 ** (2 * pair / 6)
            assert math.isclose(row[2 * pair], math.sin(angle), abs_tol=1e-6)
            assert math.isclose(row[2 * pair + 1], math.cos(angle), abs_tol=1e-6)


def test_causal_mask_is_a_loop() -> None:
    valid = torch.tensor([[True, False, True, True], [True, True, False, False]])
    mask = attention_mask(valid)
    for b in range(2):
        for t in range(4):
            for s in range(4):
                assert mask[b, t, s] == (s == t or (s < t and bool(valid[b, s])))


def test_a_mask_that_is_not_causal_is_a_loop() -> None:
    valid = torch.tensor([[True, False, True, True], [True, True, False, False]])
    mask = attention_mask(valid, causal=False)
    for b in range(2):
        for t in range(4):
            for s in range(4):
                assert mask[b, t, s] == (s == t or bool(valid[b, s]))


def test_attention_is_each_joints_own_past() -> None:
    torch.manual_seed(0)
    layer = TemporalAttention(4, 2, GraphConv(4, 12, torch.eye(3), heads=1, norm="layer"))
    x, valid = torch.randn(2, 5, 3, 4), torch.tensor([[True] * 5, [True, False, True, True, True]])
    with torch.no_grad():
        qkv = layer.to_qkv(x)
        expected = torch.zeros(2, 5, 3, 4)
        for b in range(2):
            for v in range(3):
                for h in range(2):
                    q, k, value = (qkv[b, :, v, 4 * part + 2 * h : 4 * part + 2 * h + 2] for part in range(3))
                    for t in range(5):
                        past = [s for s in range(t + 1) if valid[b, s] or s == t]
                        weights = torch.stack([q[t] @ k[s] / 2**0.5 for s in past]).softmax(0)
                        expected[b, t, v, 2 * h : 2 * h + 2] = sum(
                            w * value[s] for w, s in zip(weights, past, strict=True)
                        )
        torch.testing.assert_close(layer(x, attention_mask(valid)), layer.to_out(expected), atol=1e-5, rtol=1e-4)
