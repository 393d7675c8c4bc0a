"""Which module may import which, the public API, and what the wheel holds."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from actrec._startup import EXTRAS, advise_installation

ROOT = Path(__file__).parents[1]


def _module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {_module_name(file): file for file in sorted((ROOT / "actrec").rglob("*.py"))}


def _imports_in(file: Path, package: str) -> set[str]:
    """Every module that `file` names in an import, inside functions too; `from a import b` gives both a and a.b."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found.update({base, *(f"{base}.{alias.name}" for alias in node.names)})
    return found


def _package_of(name: str) -> str:
    return name if FILES[name].name == "__init__.py" else name.rpartition(".")[0]


IMPORTS = {name: _imports_in(file, _package_of(name)) for name, file in FILES.items()}


def _within(name: str, packages: Iterable[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _reached_from(name: str) -> dict[str, str]:
    """All that importing `name` imports, by way of this package and its `__init__` files: what, and who asks for it."""
    reached: dict[str, str] = {}
    todo = [name]
    seen = set()
    while todo:
        module = todo.pop()
        if module in seen or module not in FILES:
            continue
        seen.add(module)
        parents = {module.rsplit(".", depth)[0] for depth in range(1, module.count(".") + 1)}
        for imported in IMPORTS[module] | parents:
            reached.setdefault(imported, module)
            todo.append(imported)
    return reached


# Each room, and the rooms that it may import; the flow of the design, read backwards. Every room may import the
# foundations. What the commands at the top import is free, and nothing imports them.
FOUNDATIONS = ["types", "skeleton", "files", "config", "config_groups", "config_keys", "_startup"]
ROOMS = {
    "pipeline": [],
    "network": [],
    "video": [],
    "drawing": [],
    "data.store": ["pipeline"],
    "data.sources": ["data.store", "video"],
    "data.sources.keypoint_files": ["data.sources", "data.store", "video"],
    "data.synthetic": ["data.store"],
    "data.check": ["data.store", "pipeline"],
    "data": ["data.check", "data.store", "data.sources", "data.synthetic", "pipeline"],
    "model": ["data", "network", "pipeline"],
    "online": ["data.synthetic", "model", "network", "pipeline"],
    "evaluation": ["data", "model", "online", "pipeline"],
    "training": ["data", "data.store", "data.synthetic", "evaluation", "model", "network", "online", "pipeline"],
    "explain": ["evaluation", "model", "network", "pipeline"],
    "report": ["data.check", "drawing", "evaluation", "explain", "video"],
    "live": ["data.sources", "data.store", "drawing", "online", "video"],
    "sweep": ["data", "drawing", "report", "training"],
    "benchmark": [
        "data",
        "data.sources",
        "data.synthetic",
        "evaluation",
        "model",
        "network",
        "online",
        "pipeline",
        "training",
        "video",
    ],
    "serve": [
        "data.synthetic",
        "drawing",
        "explain",
        "live",
        "model",
        "network",
        "online",
        "pipeline",
        "report",
        "video",
    ],
}
COMMANDS = [
    "check",
    "train",
    "evaluate",
    "prepare",
    "predict",
    "enroll",
    "view",
    "export",
    "compare",
    "import_published",
]


def _room(name: str) -> str:
    """The room of a module: its package's name below `actrec`, or a top-level file's own."""
    return (name if _package_of(name) == "actrec" else _package_of(name)).removeprefix("actrec.")


def test_every_file_is_in_a_known_room() -> None:
    assert {_room(name) for name in FILES} == {"actrec", "__main__", *FOUNDATIONS, *ROOMS, *COMMANDS}


@pytest.mark.parametrize("room", [*ROOMS, *FOUNDATIONS])
def test_imports_point_one_way(room: str) -> None:
    allowed = {room, *FOUNDATIONS, *ROOMS.get(room, []), "actrec"}
    wrong = [
        f"{name} imports {imported}"
        for name in FILES
        if _room(name) == room
        for imported in IMPORTS[name]
        if imported in FILES and FILES[imported].name != "__init__.py" and _room(imported) not in allowed
    ]
    assert not wrong


def test_rooms_are_in_the_order_of_the_flow() -> None:
    order = list(ROOMS)
    assert [
        f"{room} before {needed}" for room in order for needed in ROOMS[room] if order.index(needed) > order.index(room)
    ] == []


@pytest.mark.parametrize(("module", "allowed"), [("actrec.types", []), ("actrec.skeleton", ["actrec.types"])])
def test_what_all_depend_on_depends_on_nothing(module: str, allowed: list[str]) -> None:
    inside = {imported for imported in IMPORTS[module] if _within(imported, ["actrec"])}
    assert {imported for imported in inside if not _within(imported, allowed)} == set()


def test_no_two_modules_import_each_other() -> None:
    inside = {name: {imported for imported in IMPORTS[name] if imported in FILES} - {name} for name in FILES}
    assert [f"{a} and {b}" for a in inside for b in inside[a] if a < b and a in inside[b]] == []


# Each library, and the only modules that may import it.
OWNERS = {
    "lightning": [
        "actrec.training.module",
        "actrec.data.datamodule",
        "actrec.train",
        "actrec.training.callbacks",
        "actrec.evaluate",
        "actrec.training.loggers",
        "actrec.report.loggers",
        "actrec.training.checks",
        "actrec.training.history",
        "actrec.training.sync",
    ],
    "ultralytics": ["actrec.video.pose", "actrec.video.tracker"],
    "av": ["actrec.video.container", "actrec.video.decoding", "actrec.drawing.frames"],
    "matplotlib": ["actrec.report", "actrec.sweep.plots", "actrec.drawing.fonts", "actrec.serve.app_results"],
    "jinja2": ["actrec.report"],
    "fastapi": ["actrec.serve"],
    "uvicorn": ["actrec.serve"],
    "streamlit": ["actrec.serve.app"],
    "wandb": ["actrec.training.loggers", "actrec.report.loggers"],
    "optuna": ["actrec.sweep.search"],
    "beartype": [],
    "hypothesis": [],
    "pytest": [],
    "torchdiffeq": [],
}


@pytest.mark.parametrize(("library", "owners"), OWNERS.items())
def test_a_library_stays_in_its_own_file(library: str, owners: list[str]) -> None:
    users = {name for name in FILES if any(_within(imported, [library]) for imported in IMPORTS[name])}
    assert {name for name in users if not _within(name, owners)} == set()


LIGHTNING_FREE = ["actrec.types", "actrec.skeleton", "actrec.network", "actrec.model.folder", "actrec.online"]
LIGHTNING_FREE += ["actrec.pipeline.preprocess", "actrec.predict", "actrec.serve"]


# Rooms that compute and never draw.
WITHOUT_DRAWING = ["actrec.pipeline", "actrec.network", "actrec.video", "actrec.data", "actrec.model", "actrec.online"]
WITHOUT_DRAWING += ["actrec.evaluation", "actrec.training", "actrec.explain"]


@pytest.mark.parametrize("name", [name for name in FILES if _within(name, WITHOUT_DRAWING)])
def test_computing_does_not_import_what_draws(name: str) -> None:
    reached = _reached_from(name)
    drawing = ["matplotlib", "jinja2", "actrec.report", "actrec.drawing"]
    assert [f"{by} imports {what}" for what, by in reached.items() if _within(what, drawing)] == []


@pytest.mark.parametrize("name", [name for name in FILES if _within(name, LIGHTNING_FREE)])
def test_using_a_model_does_not_import_lightning(name: str) -> None:
    reached = _reached_from(name)
    assert [f"{by} imports {what}" for what, by in reached.items() if _within(what, ["lightning"])] == []


def test_public_api_is_short_and_importable() -> None:
    actrec = importlib.import_module("actrec")
    assert 1 <= len(actrec.__all__) <= 12
    assert len(set(actrec.__all__)) == len(actrec.__all__)
    assert [name for name in actrec.__all__ if not hasattr(actrec, name)] == []


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_importing_the_package_is_cheap() -> None:
    code = "import sys, time, actrec; print(time.process_time(), *sys.modules)"
    runs = [python("-c", code).stdout.split() for _ in range(3)]
    assert min(float(run[0]) for run in runs) <= 0.3  # seconds of CPU, those of Python's own start among them
    assert {"torch", "lightning", "scipy", "matplotlib", "hydra", "numpy"} & set(runs[0]) == set()


@pytest.mark.slow
def test_loading_a_model_is_typed(tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text("import actrec\nreveal_type(actrec.load_model)\nreveal_type(actrec.read_store)\n")
    done = python("-m", "mypy", "--config-file=", "--follow-imports=silent", str(tmp_path / "user.py"))
    assert "-> torch.nn.modules.module.Module" in done.stdout
    assert "-> list[actrec.types.SkeletonSequence]" in done.stdout


class TestCommands:
    def test_they_are_listed_with_one_line_each(self) -> None:
        done = python("-m", "actrec")
        assert done.returncode == 0
        configs = {file.stem for file in (ROOT / "conf").glob("*.yaml")}
        assert set(re.findall(r"^  actrec (\w+) +\w", done.stdout, re.MULTILINE)) == configs

    def test_they_run(self) -> None:
        done = python("-m", "actrec", "prepare", "dataset=csv", "raw=nowhere")
        assert (done.returncode, done.stderr) == (
            1,
            python("-m", "actrec.prepare", "dataset=csv", "raw=nowhere").stderr,
        )
        assert "error: raw=" in done.stderr

    def test_a_misspelt_one(self) -> None:
        done = python("-m", "actrec", "trian")
        assert done.returncode == 1
        assert done.stderr.startswith("error: There is no command 'trian'. Did you mean 'train'? Choose one of: ")

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("actrec ex", "export"),
            ("actrec train experiment=q", "experiment=quickstart"),
            ("actrec serve lim", "limits."),
        ],
    )
    def test_the_shell_completes_them(self, line: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COMP_LINE", line)
        assert words in python("-m", "actrec", "-sc", "query=bash").stdout.split()

    def test_hydra_s_script_for_the_shell_knows_the_console_script(self) -> None:
        code = "import sys; from actrec.__main__ import main; sys.argv = ['bin/actrec', '-sc', 'install=bash']; main()"
        assert python("-c", code).stdout.endswith("-F hydra_bash_completion actrec\n")


def test_every_package_is_in_the_base_or_in_the_extra_that_an_error_names() -> None:
    imported = {name.partition(".")[0] for names in IMPORTS.values() for name in names} - {"actrec", "__future__", ""}
    third_party = imported - set(sys.stdlib_module_names)
    assert third_party - {"jaxtyping", "numpy", "onnxruntime"} == {
        package for packages in EXTRAS.values() for package in packages if package not in ("lap", "tensorboard")
    }
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8").lower()
    for extra, packages in EXTRAS.items():
        part = re.search(rf"^{extra} = \[(.*?)\]\n(?=\w|\[|\n)", text, re.MULTILINE | re.DOTALL)
        assert part is not None
        names = {"av": '"av', "cv2": "opencv", "pil": "pillow", "pydantic": "fastapi", "starlette": "fastapi"}
        assert [each for each in packages if names.get(each.lower(), each.replace("_", "-")) not in part[1]] == []


@pytest.mark.slow
def test_the_base_installation_is_small_and_recognises_without_torch(noise_model: Path, tmp_path: Path) -> None:
    assert python("-m", "actrec.export", f"model={noise_model}", f"to={tmp_path / 'onnx'}").returncode == 0
    assert python("-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)).returncode == 0
    (wheel,) = tmp_path.glob("*.whl")
    assert python("-m", "venv", str(tmp_path / "venv")).returncode == 0
    installed = tmp_path / "venv" / "bin" / "python"
    subprocess.run([installed, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel], check=True)
    size = sum(file.stat().st_size for file in (tmp_path / "venv/lib").rglob("*") if file.is_file())
    assert size < 300e6
    code = f"""import sys, numpy, actrec
recognizer = actrec.OnlineRecognizer.from_pretrained({str(tmp_path / "onnx")!r})
frame = numpy.ones((recognizer.skeleton.n_joints, 3))
print([recognizer.push(frame, n / 30) for n in range(5)][-1].label)
shipped = actrec.OnlineRecognizer.from_pretrained("sport14")
assert shipped.push(numpy.ones((17, 3)), 0.0).repetitions == 0
assert not {{"torch", "hydra"}} & set(sys.modules)"""
    env = {"PATH": ""}  # without the PYTHONPATH of the tests
    done = subprocess.run([installed, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.stdout.strip() in ("squat", "push_ups", "pull_ups"), done.stderr
    train = [installed, "-m", "actrec", "train", "experiment=quickstart"]
    done = subprocess.run(train, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("which is not installed: pip install 'actrec[train]'\n")
    predict = [installed, "-m", "actrec.predict", "source=clip.mp4"]
    done = subprocess.run(predict, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.stderr.endswith("which is not installed: pip install 'actrec[video]'\n")


def test_a_missing_package_is_one_line_that_names_the_extra() -> None:
    hidden = "import sys; sys.modules['torch'] = None; "
    module = "sys.argv = ['-m', 'x']; import actrec, actrec.train"
    says = "This needs torch, which is not installed: pip install 'actrec[train]'\n"
    assert python("-c", hidden + module).stderr == f"error: {says}"
    done = python("-c", hidden + "import actrec; actrec.load_model")
    assert done.stderr.endswith(f"SetupError: {says}")


@pytest.mark.parametrize(
    ("line", "package", "extra"),
    [
        ("-m actrec.predict source=a.mp4", "hydra", "video"),
        ("/bin/actrec predict source=a.mp4", "PIL", "video"),
        ("-m actrec predict", "omegaconf", "video"),
        ("-m actrec.serve", "hydra", "serve"),
        ("-m actrec.serve", "av", "video"),
        ("-m actrec.train", "hydra", "train"),
        ("script.py", "hydra", "train"),
    ],
)
def test_the_extra_is_that_of_the_command(line: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["python", *line.split()])
    advice = advise_installation(ModuleNotFoundError(name=package))
    assert advice == f"This needs {package}, which is not installed: pip install 'actrec[{extra}]'"


def test_wheel_holds_configs_and_templates(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    package_files = [
        *FILES.values(),
        *(file for end in ("html", "js", "json") for file in ROOT.glob(f"actrec/**/*.{end}")),
    ]
    package_files += (ROOT / "actrec/model/shipped").glob("*/*")
    expected = {file.relative_to(ROOT).as_posix() for file in package_files}
    expected |= {f"actrec/{file.relative_to(ROOT).as_posix()}" for file in (ROOT / "conf").rglob("*.yaml")}
    assert expected - held == set()
    assert {name.split("/")[0].split("-")[0] for name in held} == {"actrec"}


def _without_encoding(call: ast.Call) -> bool:
    """Whether a call opens a file as text in whatever encoding the locale has."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    named = {keyword.arg for keyword in call.keywords}
    if name in ("read_text", "write_text"):
        return "encoding" not in named and len(call.args) <= (name == "write_text")
    if name == "FileHandler":
        return "encoding" not in named
    modes = call.args[0:1] if isinstance(function, ast.Attribute) else call.args[1:2]
    modes += [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    words = [str(mode.value) for mode in modes if isinstance(mode, ast.Constant)]
    is_of_a_path = len(words) == len(modes) and all(
        set(word) <= set("rwxabt+") for word in words
    )  # of something else, such as av, the first argument is what is opened
    return name == "open" and is_of_a_path and "encoding" not in named and not any("b" in word for word in words)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("p.read_text()", True),
        ("p.read_text(encoding='utf-8')", False),
        ("p.write_text(a)", True),
        ("p.open()", True),
        ("p.open('a')", True),
        ("p.open('rb')", False),
        ("p.open(newline='', encoding='utf-8')", False),
        ("open('a')", True),
        ("logging.FileHandler(p)", True),
        ("av.open(str(p))", False),
        ("Ledger.open(path, info)", False),
        ("archive.open('keypoints.npy')", False),
    ],
)
def test_a_text_file_without_an_encoding_is_found(text: str, wrong: bool) -> None:
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call)
    assert _without_encoding(call) == wrong


def test_text_files_are_utf8_whatever_the_locale() -> None:
    wrong = [
        f"{name}:{node.lineno}"
        for name, file in FILES.items()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _without_encoding(node)
    ]
    assert not wrong


@pytest.mark.parametrize(("error", "says"), [("KeyboardInterrupt", "interrupted\n"), ("ValueError(3)", "Traceback")])
def test_an_interrupt_while_a_command_imports_is_one_word(error: str, says: str) -> None:
    code = f"import sys; sys.argv = ['-m']; import actrec; raise {error}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stderr.startswith(says)
    assert ("Traceback" in done.stderr) == (says == "Traceback")
