from __future__ import annotations

import torch
from torch import nn

from actrec.explain import effective_adjacency, joint_attention
from actrec.network.infogcn import InfoGCN

X = torch.randn(2, 5, 17, 3, generator=torch.Generator().manual_seed(0))
VALID = torch.ones(2, 5, dtype=torch.bool)


def make_network() -> InfoGCN:
    torch.manual_seed(0)
    network = InfoGCN("coco17", 3, 4, dim=8, layers=2, heads=2, graph_heads=3, attention_dim=4, horizon=1).eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.3)
    return network


def test_the_first_layers_adjacency_is_its_formula() -> None:
    network = make_network()
    found = effective_adjacency(network, X, VALID)
    assert found.shape == (2, 2, 5, 3, 17, 17)
    conv, layer = network.encoder[0].attention.to_qkv, network.encoder[0]
    with torch.no_grad():
        z = network.embedding(X) + network.joint_code
        code = torch.tensor([[0.0], [1.0], [2.0], [3.0], [4.0]]) * 10_000 ** (-torch.arange(0, 8, 2) / 8)
        z = z + torch.stack((code.sin(), code.cos()), -1).flatten(1)[:, None]
        qk = conv.to_qk(conv.attention_norm(layer.attention_norm(z))).unflatten(-1, (2, 3, 4))
        q, k = qk.unbind(-3)
        scores = torch.einsum("btvmd,btumd->btmvu", q, k) / 2
        torch.testing.assert_close(found[0], scores.softmax(-1) * conv.topology, atol=1e-5, rtol=1e-4)
        attention = joint_attention(network, X, VALID)
        torch.testing.assert_close(attention[0], scores.softmax(-1), atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(attention.sum(-1), torch.ones(2, 2, 5, 3, 17))


def test_it_leaves_the_network_as_it_was() -> None:
    network = make_network()
    before = network(X, VALID).logits
    effective_adjacency(network, X, VALID)
    torch.testing.assert_close(network(X, VALID).logits, before)
    assert not any(module._forward_pre_hooks for module in network.modules())
