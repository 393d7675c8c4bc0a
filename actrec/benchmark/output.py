"""Prints the results of a benchmark, and writes them with a description of the machine."""

from __future__ import annotations

import json
import os
import platform
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from actrec.files import replace_file


def speed_ratios(figures: dict[str, Any]) -> dict[str, Any]:
    """Computes speed ratios between the available measurements."""
    ratios: dict[str, Any] = {}
    if "batch forward" in figures:
        ratio = figures["batch forward, plain"]["ms"] / figures["batch forward"]["ms"]
        ratios["batch forward against plain modules"] = {"times_faster": ratio}
    if "window forward, plain" in figures:
        for name in [name for name in figures if name.startswith("step, ")]:
            ratio = figures["window forward, plain"]["ms"] / figures[name]["p50_ms"]
            ratios[f"{name}, against a plain window forward"] = {"times_faster": ratio}
    return ratios


def print_figures(figures: dict[str, Any]) -> None:
    """Prints a line for each measurement."""
    for name, values in figures.items():
        print(f"{name:<52}" + "  ".join(f"{figure} {value:.3g}" for figure, value in values.items()))


def write_figures(cfg: DictConfig, figures: dict[str, Any]) -> None:
    """Writes machine, config and results to the JSON file `to=`."""
    file = Path(str(cfg.to)).expanduser()
    machine = {
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "measured": datetime.now().isoformat(timespec="seconds"),
    }
    content = {"machine": machine, "config": OmegaConf.to_container(cfg, resolve=True), "figures": figures}
    replace_file(file, json.dumps(content, indent=2) + "\n")
    print(f"Written to {file}")
