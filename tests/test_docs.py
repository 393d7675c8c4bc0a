"""What README and docs say to type is typed here."""

from __future__ import annotations

import importlib.util
import pkgutil
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser

import actrec.prepare
import actrec.train
from actrec.config import config_dir
from actrec.data.store.clip_source import ClipSource
from actrec.data.store.reading import read_store
from actrec.data.store.writing import write_store
from actrec.model.folder import save_model
from actrec.model.network import build_network
from actrec.model.spec import ModelSpec
from actrec.pipeline.features import Features
from actrec.pipeline.pipeline import Pipeline
from actrec.pipeline.preprocess import Preprocess
from actrec.pipeline.windows import ResizeWindows
from actrec.skeleton import COCO17, SKELETONS
from actrec.training.auto import check_given
from actrec.types import SkeletonSequence

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
Make = Callable[..., list[SkeletonSequence]]


def blocks(page: Path, *languages: str) -> list[str]:
    return [
        text for kind, text in re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(), re.M | re.S) if kind in languages
    ]


def commands(name: str) -> list[str]:
    """The overrides of each `actrec <name>` or `python -m actrec.<name>` without --config-dir, each once."""
    found: dict[str, None] = {}
    for page in PAGES:
        for block in blocks(page, "", "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                for overrides in re.findall(rf"(?:^|[ /])(?:python -m actrec\.|actrec ){name}\b(.*)", line):
                    if "--config-dir" in overrides:  # of the page on extending, which has a test of its own
                        continue
                    found[" ".join(overrides.partition("  #")[0].split(" # ")[0].split())] = None
    return list(found)


def overrides_of(command: str) -> list[str]:
    """Those that can be composed: no flags, no placeholders, of several values the first."""
    plain = []
    for word in shlex.split(re.sub(r"<[\w ]+>|…", "x", command)):
        if word.startswith(("-", "hydra/launcher=", "hydra.launcher.")) or "=" not in word:
            continue
        override = OverridesParser.create().parse_override(word)
        first = next(override.sweep_string_iterator()) if override.is_sweep_override() else None
        plain.append(f"{override.get_key_element()}={first}" if first is not None else word)
    return plain


def without_repetitions(found: list[str]) -> list[list[str]]:
    """The overrides of the commands that have a key, or a choice in a group, that no longer command has."""
    groups = {folder.name for folder in config_dir().iterdir() if folder.is_dir()}
    seen: set[str] = set()
    kept = []
    for words in sorted(map(overrides_of, found), key=len, reverse=True):
        new = {word if word.partition("=")[0] in groups else word.partition("=")[0] for word in words}
        if not new <= seen or not kept:
            kept.append(words)
            seen |= new
    return kept


@pytest.mark.parametrize(
    "entry", ["train", "evaluate", "prepare", "predict", "serve", "compare", "export", "benchmark", "view"]
)
def test_every_command_composes(entry: str) -> None:
    found = commands(entry)
    assert found
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        for given in without_repetitions(found):
            if entry in ("prepare", "evaluate") and not any(word.startswith("dataset=") for word in given):
                given.append("dataset=csv")
            cfg = compose(entry, given, return_hydra_config=True)
            if entry == "train":
                check_given(cfg)


@pytest.mark.slow
@pytest.mark.parametrize("command", [each for each in commands("train") if "launcher=submitit_slurm" not in each])
def test_every_training_runs(
    command: str, make_sequences: Make, tmp_path: Path, run_command: Callable[..., tuple[int, str, str]]
) -> None:
    given = [
        word
        for word in overrides_of(command)
        if not word.startswith(("init=", "sweep=", "trial=", "store=", "output_dir="))
    ]
    if any(word.startswith("hardware=multi") for word in given):
        pytest.skip("there is one device")
    if "logger.wandb.mode=online" in given:
        pytest.skip("there is no network")
    generated = any("synthetic" in word or "quickstart" in word for word in given)
    clips = [_named(clip) for clip in make_sequences(3, 12)]
    write_store(tmp_path / "store", clips, {"dataset": "generated", "raw": "none"})
    given += ["dataset.importer.n_clips=140"] if generated else [f"store={tmp_path / 'store'}"]
    given += [] if any("windows.stride" in word for word in given) else ["windows.length=8"]
    given += ["hardware=cpu", "batch_size=8", "fast_dev_run=true", f"output_dir={tmp_path / 'run'}"]
    given += [] if any("transformer" in word for word in given) else ["network=tiny"]
    code, _, err = run_command(actrec.train.run, *given)
    assert code == 0, err


def _named(clip: SkeletonSequence) -> ClipSource:
    label = ("squat", "push_ups", "pull_ups")[int(clip.label[-1])]
    return ClipSource(clip.clip_id, clip.source, clip.clip_id, lambda: replace(clip, label=label))


def test_the_config_reference_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "config.md").read_text() == module.reference(), "run: make docs"


def test_the_site_builds_strictly_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > 15
    for file in [*pages, *tmp_path.rglob("*.css")]:
        text = file.read_text()
        assert not re.findall(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//[^>]*", text), file
        assert not re.findall(r"url\([\"']?(?:https?:)?//|@import", text), file


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_in_commands_exist(page: Path) -> None:
    for path in re.findall(r"(?<![\w/.…-])(?:tests|actrec)/[\w/.]+\.(?:py|yaml|md)\b", page.read_text()):
        assert (ROOT / path).exists(), path


def test_python_names_exist() -> None:
    pages = [page for page in PAGES if page.name not in ("CHANGELOG.md", "extend.md")]
    names = {name for page in pages for name in re.findall(r"(?<![\w/.-])actrec(?:\.\w+)+", page.read_text())}
    for name in names - {"actrec.networks"}:  # the group of an entry point
        pkgutil.resolve_name(name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.M)
            slugs = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
            assert anchor in slugs, target


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the files of the page on extending, and recordings for them."""
    text = (ROOT / "docs" / "extend.md").read_text()
    for name, content in re.findall(r"^`([\w/]+\.\w+)`:\n\n```\w+\n(.*?)^```", text, re.M | re.S):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "recordings").mkdir()
    rng = np.random.default_rng(0)
    for number in range(24):
        keypoints = np.concatenate([rng.uniform(100, 300, (20, 8, 2)), np.ones((20, 8, 1))], axis=-1)
        label, person = ("wave", "nod")[number % 2], "abcdef"[number // 4]
        np.save(tmp_path / f"recordings/{label}_{person}_{number}.npy", keypoints.astype(np.float32))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    SKELETONS.pop("arms", None)
    sys.modules.pop("gestures", None)


class TestThePageOnExtending:
    commands = re.findall(r"^actrec (\w+) (--config-dir.*)$", (ROOT / "docs" / "extend.md").read_text(), re.M)

    @pytest.mark.parametrize("command", [1, 2])
    def test_its_settings_are_right(self, command: int, own_folder: Path) -> None:
        sys.path.insert(0, str(own_folder))
        try:
            entry, given = self.commands[command]
            arguments = get_args_parser().parse_args(given.split())
            cfg = actrec.config._check(actrec.config._groups(entry, arguments), arguments)
            assert cfg.dataset.importer["_target_"] == "gestures.Recordings"
        finally:
            sys.path.remove(str(own_folder))

    def test_its_store_can_be_read_anywhere(
        self, own_folder: Path, run_command: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.syspath_prepend(str(own_folder))
        _, given = self.commands[0]
        code, _, err = run_command(actrec.prepare.run, *given.split())
        assert code == 0, err
        SKELETONS.pop("arms")
        assert len(read_store("data/gestures")) == 24
        assert SKELETONS["arms"].n_joints == 8

    @pytest.mark.slow
    def test_it_runs_against_the_installed_wheel(
        self, own_folder: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        built = tmp_path_factory.mktemp("wheel")

        def python(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
            return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, **options)

        python("-m", "hatchling", "build", "-t", "wheel", "-d", str(built), cwd=ROOT, check=True)
        (wheel,) = built.glob("*.whl")
        install = ["-m", "pip", "install", "-q", "--no-deps", "--target", str(built / "site"), str(wheel)]
        python(*install, check=True)
        env = {"PATH": "", "PYTHONPATH": str(built / "site"), "HOME": str(built)}
        for entry, given in self.commands:
            done = python("-m", "actrec", entry, *given.split(), env=env)
            assert done.returncode == 0, done.stderr
        (block,) = [each for each in blocks(ROOT / "docs" / "extend.md", "python") if "load_model" in each]
        assert python("-c", block + f"assert actrec.__file__.startswith({str(built)!r})", env=env).returncode == 0
        (own_folder / "my_conf").rename(own_folder / "gone")
        done = python("-c", block.replace(', trust="gestures"', ""), env=env)
        assert "If you trust that package, allow it: load_model(folder, trust='gestures')" in done.stderr


def test_using_a_model_as_the_readme_says(
    make_sequences: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"skeleton": "coco17", "in_channels": 3, "n_classes": 3, "dim": 8, "layers": 1, "heads": 2}
    spec = ModelSpec(
        "InfoGCN", options, Pipeline(COCO17, Preprocess("causal"), ResizeWindows(8), Features()), ("a", "b", "c")
    )
    model = save_model(tmp_path / "model", build_network(spec), spec)
    block = next(block for block in blocks(ROOT / "README.md", "python") if "spec.pipeline.batch" in block)
    keypoints = make_sequences(1, 1)[0].keypoints
    exec(re.sub(r'"sport14"', repr(str(model)), block), {"keypoints": keypoints})
    assert capsys.readouterr().out.strip() in spec.labels
