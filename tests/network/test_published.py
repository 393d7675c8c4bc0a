from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from actrec.config import config_dir
from actrec.network.infogcn import InfoGCN
from actrec.network.published import OPTIONS, convert_state_dict
from actrec.types import ActrecError


def test_golden_tensors(test_data: Path) -> None:
    golden = {k: torch.from_numpy(v) for k, v in np.load(test_data / "reference" / "sode_golden.npz").items()}
    published = torch.load(test_data / "models" / "sode.pt", map_location="cpu", weights_only=True)["model"]
    network = InfoGCN("coco17", 3, 14, **OPTIONS).eval()
    network.load_state_dict(convert_state_dict(published))
    with torch.no_grad():
        output = network(golden["x"].permute(0, 2, 3, 1), torch.ones(3, 64, dtype=torch.bool))
        shifted = torch.zeros_like(output.latent_forecasts)
        for n in (1, 2, 3):
            shifted[n - 1, :, n:] = output.latent_forecasts[n - 1, :, :-n]
        poses = network.decoder(shifted.flatten(0, 1))
        # What the network itself decodes is that, not shifted.
        torch.testing.assert_close(output.pose_forecasts[1, :, :-2], poses.view(3, 3, 64, 17, 3)[1, :, 2:])

    def close(mine: torch.Tensor, theirs: str) -> None:
        torch.testing.assert_close(mine, golden[theirs], atol=1e-4, rtol=0)

    close(output.logits.transpose(1, 2), "logits")
    close(output.latents.permute(0, 3, 1, 2), "z_0")
    close(shifted.flatten(0, 1).permute(0, 3, 1, 2), "z_hat_shifted")
    close(poses.permute(0, 3, 1, 2), "x_hat")


def test_another_state_dict_is_refused() -> None:
    with pytest.raises(ActrecError, match=r"not the published checkpoint.*pos_embedding"):
        convert_state_dict({"weight": torch.zeros(3)})


def test_the_config_is_the_published_network() -> None:
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        config = OmegaConf.to_container(compose("train", ["network=published"]).network, resolve=True)
    given = {name: value for name, value in config.items() if name != "_target_"}
    ours, theirs = (InfoGCN("coco17", 3, 14, **options).state_dict() for options in (given, OPTIONS))
    assert {name: w.shape for name, w in ours.items()} == {name: w.shape for name, w in theirs.items()}
    assert {name: given[name] for name in OPTIONS} == OPTIONS
