from __future__ import annotations

import json
import mmap
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from torch import nn

import actrec.benchmark.__main__
import actrec.benchmark.network
from actrec.benchmark.network import random_batch, time_forward, training_step
from actrec.benchmark.setup import make_setup
from actrec.benchmark.streaming import resident_mib
from actrec.benchmark.timing import PRODUCT, Rate, alternate
from actrec.model.folder import save_model
from actrec.model.network import compile_network
from actrec.model.spec import ModelSpec
from actrec.network.infogcn import InfoGCN
from actrec.online.torch_backend import TorchWindow
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import AnchoredWindows
from actrec.skeleton import PENN13

Run = Callable[..., tuple[int, str, str]]
CONF = Path(__file__).parents[2] / "conf"
SMALL = ("network=tiny", "network.horizon=1", "windows.length=8", "batch_size=2", "repeats=2", "frames=20")


def test_every_part_gives_its_figures(tmp_path: Path, run_command: Run) -> None:
    file = tmp_path / "bench.json"
    code, out, err = run_command(
        actrec.benchmark.__main__.run, *SMALL, "people=[1,3]", "memory_frames=1100", f"to={file}"
    )
    assert code == 0, err
    content = json.loads(file.read_text())
    figures = content["figures"]
    for name in ("training step", "batch forward", "batch forward, plain", "window forward", "window forward, plain"):
        assert figures[name]["ms"] >= figures[name]["least_ms"] > 0
        assert figures[name]["gflops"] > 0
    assert figures["evaluation"]["clips_per_s"] > 0
    for backend in ("PyTorch", "ONNX Runtime"):
        step = figures[f"step, {backend}"]
        assert 0 < step["p50_ms"] <= step["p95_ms"] <= step["p99_ms"] <= step["max_ms"]
        assert step["p99_over_p50"] == pytest.approx(step["p99_ms"] / step["p50_ms"])
        assert figures[f"3 people, {backend}"]["p50_ms"] > 0
        assert figures[f"most people at 30 frames a second, {backend}"]["people"] in (0, 1, 3)
        ratio = figures["window forward, plain"]["ms"] / step["p50_ms"]
        assert figures[f"step, {backend}, against a plain window forward"]["times_faster"] == pytest.approx(ratio)
    assert abs(figures["memory, ONNX Runtime"]["grown_mib"]) < 50
    assert figures["preprocessing"]["frames_per_s"] > 0
    assert figures["training windows"]["windows_per_s"] > 0
    assert content["machine"]["torch"] == torch.__version__
    assert content["config"]["batch_size"] == 2
    assert "training step" in out
    assert str(file) in out


def test_what_is_timed_is_what_commands_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with initialize_config_dir(str(CONF), version_base=None):
        cfg = compose("benchmark", overrides=[*SMALL, "hardware.compile=true"])
    setup = make_setup(cfg)
    forms = []
    monkeypatch.setattr(
        actrec.benchmark.network,
        "alternate",
        lambda computations, *_: (
            forms.extend(computations.values()) or dict.fromkeys(computations, Rate(1.0, 1.0, 1.0, 1.0))
        ),
    )
    found = time_forward(setup)
    assert setup.network._compiled_call_impl is None  # nor does evaluation compile
    calls: list[int] = []
    setup.network.register_forward_hook(lambda _, inputs, __: calls.append(len(inputs[0])))
    with torch.inference_mode():
        forms[list(found).index("batch forward")]()  # the network itself, as evaluation calls it, and no copy
    assert calls == [2]
    forms[-1]()
    assert sum(calls) > 2
    assert list(found)[-1] == "evaluation"
    window = forms[list(found).index("window forward")].__closure__
    assert any(isinstance(cell.cell_contents, TorchWindow) for cell in window)  # what WindowEngine runs


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("parts=[tea]", "no part 'tea'"),
        ("frames=0", "frames is 0; expected a whole number of at least 1"),
        ("hardware=gpu", "no GPU that PyTorch can use"),
    ],
)
def test_bad_input_is_told(override: str, message: str, tmp_path: Path, run_command: Run) -> None:
    if override == "hardware=gpu" and torch.cuda.is_available():
        pytest.skip("There is a GPU.")
    code, _, err = run_command(actrec.benchmark.__main__.run, *SMALL, override, f"to={tmp_path / 'x.json'}")
    assert code == 1
    assert message in err
    assert not list(tmp_path.iterdir())


def test_the_share_is_of_the_product_itself() -> None:
    left, right = torch.randn(PRODUCT[:2]), torch.randn(PRODUCT[1:])
    rate = alternate({"product": lambda: left @ right}, 15, torch.device("cpu"))["product"]
    assert rate.gflops == pytest.approx(2 * np.prod(PRODUCT) / 1e9 / rate.seconds)
    assert 0.3 < rate.share < 3


def test_a_training_step_trains() -> None:
    torch.manual_seed(0)
    network = InfoGCN("coco17", 3, 4, dim=8, layers=1, heads=2, graph_heads=1, horizon=1, solver="euler")
    before = [parameter.clone() for parameter in network.parameters()]
    training_step(network, random_batch((2, 6, 17, 3), 4, torch.device("cpu")))()
    changed = [not torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True)]
    assert sum(changed) > len(changed) / 2


def test_what_cannot_be_compiled_runs_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "/there/is/no/compiler")
    monkeypatch.setattr(torch._inductor.config.cpp, "cxx", ("/there/is/no/compiler",))
    monkeypatch.setattr(torch._dynamo.config, "suppress_errors", False)
    network = nn.Sequential(nn.Linear(3, 5), nn.GELU())
    expected = network(torch.ones(2, 3))
    compile_network(network)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what PyTorch says of itself while it compiles
        torch.testing.assert_close(network(torch.ones(2, 3)), expected)


def test_memory_is_that_of_this_process() -> None:
    before = resident_mib()
    with mmap.mmap(-1, 40 << 20) as held:  # no allocator stands between
        for page in range(0, len(held), 4096):
            held[page] = 1
        assert 30 < resident_mib() - before < 60


def test_videos_are_timed_with_a_model_and_without(tmp_path: Path, run_command: Run, test_data: Path) -> None:
    network = InfoGCN("penn13", 3, 3, dim=8, layers=1, heads=2, graph_heads=1, horizon=1, solver="euler")
    pipeline = Pipeline(PENN13, Preprocess("causal"), AnchoredWindows(8), Features())
    options = {"skeleton": "penn13", "in_channels": 3, "n_classes": 3, "dim": 8, "layers": 1, "heads": 2}
    options |= {"graph_heads": 1, "horizon": 1, "solver": "euler"}
    model = save_model(tmp_path / "model", network, ModelSpec("InfoGCN", options, pipeline, ("a", "b", "c")))
    given = [f"video={test_data / 'data/clips/squat/squat_01.mp4'}", f"to={tmp_path / 'bench.json'}"]
    given.append(f"pose={test_data / 'models/yolov8n-pose_int8_openvino_model'}")
    for extra in ([], [f"model={model}"]):
        code, out, err = run_command(actrec.benchmark.__main__.run, *given, *extra)
        assert code == 0, err
        figures = json.loads((tmp_path / "bench.json").read_text())["figures"]
        assert figures["all"] == pytest.approx(figures["squat_01.mp4"])
        rates = figures["squat_01.mp4"]
        assert rates.pop("n_frames") == 29
        assert (rates.pop("decisions") is None) == (not extra)
        assert all(0.5 < rate < 1000 for rate in rates.values())
        assert ("/s" in out.splitlines()[1][70:]) == bool(extra)
