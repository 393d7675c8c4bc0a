"""Makes the network and the pipeline that are measured, from a composed `benchmark` config."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from torch import nn

from actrec.benchmark.streaming import make_recognizers
from actrec.model.network import build_network
from actrec.model.spec import ModelSpec, options_from_data
from actrec.online.recognizer import OnlineRecognizer
from actrec.pipeline.pipeline import Pipeline
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError


@dataclass(frozen=True)
class Setup:
    """An untrained network, its specification, and the device that it runs on."""

    cfg: DictConfig
    network: nn.Module
    spec: ModelSpec
    device: torch.device  # of training and batches; single frames run on the CPU
    dtype: torch.dtype  # of matrix products in training

    @property
    def pipeline(self) -> Pipeline:
        return self.spec.pipeline

    @cached_property
    def recognizers(self) -> dict[str, OnlineRecognizer]:
        """A recogniser for each installed backend, by the backend's name."""
        return make_recognizers(self.network.cpu().eval(), self.spec)


def make_setup(cfg: DictConfig) -> Setup:
    """Instantiates the config; raises an ActrecError if it needs a GPU and there is none."""
    torch.manual_seed(cfg.seed)
    device = torch.device("cuda" if cfg.hardware.accelerator == "gpu" else "cpu")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ActrecError("hardware does not fit this machine: there is no GPU that PyTorch can use.")
    dtype = torch.bfloat16 if "bf16" in str(cfg.hardware.precision) else torch.float32
    groups = ("preprocess", "windows", "features")
    preprocess, windows, features = (instantiate(cfg[name], _convert_="all") for name in groups)
    pipeline = Pipeline(get_skeleton(cfg.skeleton), preprocess, windows, features, cfg.coordinates)
    network: Any = OmegaConf.to_container(cfg.network, resolve=True)
    options = options_from_data(network, pipeline, cfg.n_classes)
    labels = tuple(f"class {number}" for number in range(cfg.n_classes))
    spec = ModelSpec(options.pop("_target_"), options, pipeline, labels)
    return Setup(cfg, build_network(spec, trust=spec.network), spec, device, dtype)
