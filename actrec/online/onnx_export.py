"""Exports a model to ONNX, for `onnx_backend` and for other programs.

The folder that it writes holds `window.onnx` (input: a window; outputs: logits and pose forecasts of every frame),
`step.onnx` where the model can process frame by frame (inputs: a frame and the caches; outputs: logits, pose forecasts,
and the frame's keys and values for the caches), and the model's `config.json`. Both have the outputs phase and
embedding too if the network computes them.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from actrec.files import replace_folder
from actrec.model.folder import load_model, write_spec, write_weights
from actrec.model.spec import ModelSpec, load_spec
from actrec.model.transfer import weigh_classes
from actrec.network.folded import fold
from actrec.network.infogcn import InfoGCN
from actrec.network.step import Step
from actrec.online.onnx_backend import STEP_OUTPUTS, WINDOW_OUTPUTS, open_session
from actrec.online.torch_backend import can_step
from actrec.types import ActrecError, SetupError

TOLERANCE = 1e-4  # of the difference from PyTorch, relative to its greatest output

WINDOW_INPUTS = ("features", "valid")


class _Window(nn.Module):
    """The inference form of a network, for windows of full length."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = fold(network)

    def outputs(self, *inputs: Any) -> tuple[Tensor | None, ...]:
        output = self.network(*inputs)
        return output.logits, output.pose_forecasts, output.phase, output.embedding

    def forward(self, features: Tensor, valid: Tensor) -> tuple[Tensor, ...]:
        return _given(*self.outputs(features, valid))


class _Step(nn.Module):
    """A step without the outputs that its network does not compute."""

    def __init__(self, step: Step) -> None:
        super().__init__()
        self.step = step

    def forward(
        self, features: Tensor, position: Tensor, answer: Tensor, keys: list[Tensor], values: list[Tensor]
    ) -> tuple[Tensor, ...]:
        return _given(*self.outputs(features, position, answer, keys, values))

    def outputs(self, *inputs: Any) -> tuple[Tensor | None, ...]:
        return tuple(self.step(*inputs))


def _given(*outputs: Tensor | None) -> tuple[Tensor, ...]:
    return tuple(output for output in outputs if output is not None)


Inputs = Sequence[Tensor | list[Tensor]]


def _flat(inputs: Inputs) -> list[Tensor]:
    return [tensor for each in inputs for tensor in (each if isinstance(each, list) else [each])]


def step_input_names(n_layers: int) -> list[str]:
    """Returns the input names of `step.onnx`; each layer has its own caches, because slicing a common array copies."""
    return ["features", "position", "answer", *(f"{kind}.{i}" for kind in ("keys", "values") for i in range(n_layers))]


def step_inputs(step: Step, n_channels: int, rows: int, seed: int = 0) -> Inputs:
    """Makes random inputs of a step; the output of every other row is requested."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(rows, len(step.network.joint_code), n_channels, generator=generator)
    position = torch.randint(step.window, (rows,), generator=generator)
    keys, values = (list(torch.randn(step.cache_shape(rows), generator=generator)) for _ in range(2))
    return features, position, torch.arange(0, rows, 2), keys, values


def window_inputs(spec: ModelSpec, batch: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Makes random windows; the last third of each is padding."""
    length, n_joints = spec.pipeline.windows.length, spec.pipeline.skeleton.n_joints
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(batch, length, n_joints, spec.pipeline.n_channels, generator=generator)
    return features, (torch.arange(length) <= length * 2 // 3).expand(batch, -1).contiguous()


def _write(
    path: Path, module: _Window | _Step, inputs: Inputs, names: tuple[Sequence[str], Sequence[str]], axes: Sequence[Any]
) -> None:
    for name in ("onnxscript", "onnx_ir"):
        logging.getLogger(name).setLevel(logging.WARNING)
    with torch.inference_mode():
        given = [name for name, part in zip(names[1], module.eval().outputs(*inputs), strict=True) if part is not None]
    with warnings.catch_warnings():
        # The exporter warns that several inputs share an axis, which is intended, and of its own deprecations.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            tuple(inputs),
            input_names=list(names[0]),
            output_names=given,
            dynamic_shapes=tuple(axes),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    assert program is not None
    program.save(path)


def _check(path: Path, module: nn.Module, names: Sequence[str], inputs: Inputs) -> float:
    """Returns the greatest difference between ONNX Runtime and PyTorch, relative to the greatest value."""
    given = {name: value.numpy() for name, value in zip(names, _flat(inputs), strict=True)}
    worst = 0.0
    with torch.inference_mode():
        expected = module(*inputs)
    for ours, theirs in zip(open_session(path).run(None, given), expected, strict=True):
        wanted = theirs.numpy()
        if ours.shape != wanted.shape:
            raise ActrecError(f"ONNX Runtime gives {ours.shape} for {path.name}, and PyTorch {wanted.shape}.")
        if wanted.size:
            worst = max(worst, float(np.abs(ours - wanted).max() / max(np.abs(wanted).max(), 1.0)))
    if not worst <= TOLERANCE:
        raise ActrecError(f"ONNX Runtime differs from PyTorch by {worst:.2g} for {path.name}; expected {TOLERANCE:g}.")
    return worst


def _export_window(folder: Path, network: nn.Module, spec: ModelSpec) -> dict[str, float]:
    """Writes `window.onnx`, and returns its difference from PyTorch."""
    window, path, batch = _Window(network), folder / "window.onnx", torch.export.Dim("batch")
    _write(path, window, window_inputs(spec, 3), (WINDOW_INPUTS, WINDOW_OUTPUTS), ({0: batch}, {0: batch}))
    return {path.name: max(_check(path, window, WINDOW_INPUTS, window_inputs(spec, n, n)) for n in (1, 4))}


def _export_step(folder: Path, network: nn.Module, spec: ModelSpec) -> dict[str, float]:
    """Writes `step.onnx`, and returns its difference from PyTorch."""
    assert isinstance(network, InfoGCN)
    step, n_channels = Step(network, spec.pipeline.windows.length), spec.pipeline.n_channels
    module, path = _Step(step), folder / "step.onnx"
    names, rows = step_input_names(len(network.encoder)), {0: torch.export.Dim("rows")}
    caches = [rows] * len(network.encoder)
    axes = (rows, rows, {0: torch.export.Dim("answers")}, caches, caches)
    _write(path, module, step_inputs(step, n_channels, 6), (names, STEP_OUTPUTS), axes)
    return {path.name: max(_check(path, module, names, step_inputs(step, n_channels, n, n)) for n in (1, 2, 10))}


def export(
    model: str | Path,
    folder: Path,
    trust: str | Sequence[str] = (),
    weights: bool = False,
    weigh: Mapping[str, Any] | None = None,
) -> dict[str, float]:
    """Writes a model's ONNX files, and compares them with PyTorch on other inputs and batch sizes than those traced.

    Args:
        folder: The folder to write; an existing one is replaced.
        weights: Whether to write the weights too, so that the folder is a model folder; `window.onnx` is then written
            only for a model that cannot process frame by frame.
        weigh: Factors by which the odds of classes are multiplied; only with `weights`. The metrics of the model are
            then left out.

    Returns:
        For each file, the greatest difference from PyTorch, relative to the greatest value.

    Raises:
        ActrecError: There is no such model, onnxscript is missing, `weigh` is wrong, or the outputs differ.
    """
    try:
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise SetupError(f"Export needs {error.name}, which is not installed: pip install 'actrec[export]'") from None
    spec, network = load_spec(model), load_model(model, trust)
    if weigh:
        if not weights:
            raise ActrecError("weigh changes the weights, so it needs weights=true.")
        weigh_classes(network, spec.labels, weigh)
        spec = replace(spec, metrics={})  # they were measured before the weights changed
    steps, differences = can_step(spec, network), dict[str, float]()
    with replace_folder(folder) as made:
        if not (weights and steps):
            differences |= _export_window(made, network, spec)
        if steps:
            differences |= _export_step(made, network, spec)
        if weights:
            write_weights(network, made)
        write_spec(spec, made)
    return differences
