"""Exports a model to ONNX: `python -m actrec.export model=outputs/…/model`; see `actrec.online.onnx_export`."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from actrec.config import main
from actrec.model.spec import SHIPPED, find_model
from actrec.online.onnx_export import export
from actrec.types import ActrecError


@main("export")
def run(cfg: DictConfig) -> None:
    model = find_model(str(cfg.model))
    if cfg.to is None and model.is_relative_to(SHIPPED):
        raise ActrecError(f"'{cfg.model}' comes with actrec, and has ONNX files. Give to=<folder> to write others.")
    folder = Path(str(cfg.to)).expanduser() if cfg.to is not None else model / "onnx"
    for name, difference in export(model, folder, cfg.trust or (), cfg.weights, cfg.weigh).items():
        print(f"{folder / name}: differs from PyTorch by at most {difference:.1e} of the greatest value")


if __name__ == "__main__":
    run()
