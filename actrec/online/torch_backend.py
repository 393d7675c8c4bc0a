"""Online recognition by PyTorch, on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from numpy import ndarray
from torch import nn

from actrec.model.folder import load_model
from actrec.model.spec import ModelSpec
from actrec.network.folded import fold
from actrec.network.infogcn import InfoGCN
from actrec.network.step import Step
from actrec.online.engine import Engine, StepArrays, WindowArrays
from actrec.online.step_engine import StepEngine
from actrec.online.window_engine import WindowEngine


class TorchStep:
    """A `StepModel` that is run by PyTorch."""

    def __init__(self, step: Step) -> None:
        self.step = step

    def cache_shape(self, rows: int) -> tuple[int, ...]:
        return self.step.cache_shape(rows)

    @torch.inference_mode()
    def __call__(
        self, features: ndarray, position: ndarray, answer: ndarray, keys: ndarray, values: ndarray
    ) -> StepArrays:
        tensors = [torch.from_numpy(array) for array in (features, position, answer, keys, values)]
        output = self.step(*tensors[:3], *(cache.unbind() for cache in tensors[3:]))
        logits, poses, new_keys, new_values = (part.numpy() for part in output[:4])
        phase, embedding = (None if part is None else part.numpy() for part in (output.phase, output.embedding))
        return StepArrays(logits, poses, new_keys, new_values, phase, embedding)


class TorchWindow:
    """A `WindowModel` that is run by PyTorch."""

    def __init__(self, network: nn.Module) -> None:
        self.network = fold(network)

    @torch.inference_mode()
    def __call__(self, features: Float[ndarray, "time joint channel"]) -> WindowArrays:
        output = self.network(torch.from_numpy(features)[None], torch.ones(1, len(features), dtype=torch.bool))
        phase, embedding = (None if part is None else part[0].numpy() for part in (output.phase, output.embedding))
        return WindowArrays(output.logits[0].numpy(), output.pose_forecasts[:, 0].numpy(), phase, embedding)


def can_step(spec: ModelSpec, network: nn.Module) -> bool:
    """Returns whether a model can run frame by frame: a causal InfoGCN++ with an ODE, and causal preprocessing."""
    causal = spec.pipeline.preprocess.mode == "causal"
    return causal and isinstance(network, InfoGCN) and network.causal and network.dynamics.solver != "linear"


def load_engine(folder: Path, spec: ModelSpec, trust: str | Sequence[str] = ()) -> Engine:
    """Loads the engine of a model folder; see `load_model` for `trust`."""
    return make_engine(load_model(folder, trust), spec)


def make_engine(network: nn.Module, spec: ModelSpec) -> Engine:
    """Makes the engine of a trained network."""
    if can_step(spec, network):
        assert isinstance(network, InfoGCN)
        return StepEngine(spec.pipeline, TorchStep(Step(network, spec.pipeline.windows.length)))
    return WindowEngine(spec.pipeline, TorchWindow(network), spec.pipeline.preprocess.fps or spec.fps)
