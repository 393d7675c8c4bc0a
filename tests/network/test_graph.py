import itertools

import pytest
import torch

from actrec.network.graph import GraphConv, Norm
from actrec.skeleton import SKELETONS, get_skeleton
from actrec.types import ActrecError


def by_loop(layer: GraphConv, x: torch.Tensor) -> torch.Tensor:
    """H' = relu(norm(Σ_m (Ã_m ⊙ softmax(Q_m K_mᵀ / √D')) H W_m) + residual), frame by frame and head by head."""
    mixed = []
    for h in x:
        total = layer.bias.expand(len(h), -1).clone()
        for m in range(layer.heads):
            adjacency = layer.topology[m]
            if layer.attention_dim:
                d = layer.attention_dim
                qk = layer.to_qk(layer.attention_norm(h))
                q, k = qk[:, m * d : (m + 1) * d], qk[:, (layer.heads + m) * d : (layer.heads + m + 1) * d]
                scores = torch.tensor([[float(qi @ kj) / d**0.5 for kj in k] for qi in q])
                attention = torch.stack([torch.exp(row) / torch.exp(row).sum() for row in scores])
                assert torch.allclose(attention.sum(1), torch.ones(len(h)))
                adjacency = adjacency * attention
            total = total + adjacency @ h @ layer.weight[m]
        mixed.append(total)
    return torch.relu(layer.norm(torch.stack(mixed)) + layer.residual(x))


@pytest.mark.parametrize(("sizes", "attention_dim"), list(itertools.product([(6, 6), (4, 9), (9, 4)], [0, 3])))
def test_the_fused_product_is_the_sum_over_heads(sizes: tuple[int, int], attention_dim: int) -> None:
    torch.manual_seed(0)
    layer = GraphConv(*sizes, torch.rand(5, 5), heads=2, attention_dim=attention_dim, norm="layer").eval()
    torch.nn.init.normal_(layer.topology)
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(3, 5, sizes[0])
    with torch.no_grad():
        torch.testing.assert_close(layer(x), by_loop(layer, x), atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(layer(x[None, :2]), layer(x)[None, :2])


@pytest.mark.parametrize("name", SKELETONS)
def test_every_layout(name: str) -> None:
    adjacency = torch.from_numpy(get_skeleton(name).adjacency())
    torch.testing.assert_close(adjacency.sum(1), torch.ones(len(adjacency)))
    layer = GraphConv(3, 4, adjacency)
    assert layer(torch.randn(2, 6, len(adjacency), 3)).shape == (2, 6, len(adjacency), 4)
    assert torch.equal(layer.topology[2], adjacency)


def test_an_unknown_norm_is_named() -> None:
    with pytest.raises(ActrecError, match="no norm 'group'"):
        Norm("group", 4)
