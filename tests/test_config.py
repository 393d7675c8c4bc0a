from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra._internal.utils import get_args_parser
from omegaconf import DictConfig, OmegaConf

import actrec.config
from actrec.config import config_dir
from actrec.config_keys import check_keys
from actrec.prepare import run
from actrec.types import ActrecError

Run = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["dataset=csv", "rw=/x"], "no config key 'rw'. Did you mean 'raw'?"),
        (["dataset=csv", "dataset.skeletn=ntu25", "raw=/x"], "'dataset.skeletn'. Did you mean 'dataset.skeleton'?"),
        (["dataset=csv", "dataset.importer.fpss=3", "raw=/x"], "Did you mean 'dataset.importer.fps'"),
        (["dataset=csv", "unmaped=skip", "raw=/x"], "Did you mean 'dataset.label_map.unmapped'?"),
        (["datset=csv", "raw=/x"], "no config key 'datset'. Did you mean 'dataset'?"),
        (["dataset=penn_acton", "raw=/x"], "no dataset 'penn_acton'. Did you mean 'penn_action'? Choose one of: csv,"),
        (["-m", "dataset=csv,sprt14", "raw=/x"], "no dataset 'sprt14'. Did you mean 'sport14'?"),
        (["raw=/x"], "dataset has no value. Choose one: dataset=csv|"),
        (["dataset=csv"], "raw has no value. Give raw=…, for instance:\n  python -m actrec.prepare"),
        (["dataset=csv", "raw"], "Error parsing override 'raw': missing EQUAL at"),
        (["dataset=csv", "raw=[a"], "no viable alternative at input '[a'"),
        (["dataset=csv", "--raw", "x"], "There is no option --raw. Settings are given without dashes: raw=x\n"),
        (["dataset=csv", "--raw=x"], "There is no option --raw=x. Settings are given without dashes: raw=x\n"),
        (["--config-dir=nowhere", "dataset=csv"], "There is no folder --config-dir=nowhere."),
        (["dataset=csv", "raw=a,b"], "Ambiguous value"),
        (["dataset=csv", "raw=/x", "store=${nme}/a"], "refers to a key that is not there: Interpolation key 'nme'"),
        (
            ["dataset=csv", "raw=/x", "+dataset.importer.foo=1"],
            "SkeletonTable takes no foo; it takes skeleton, ",
        ),
        (["dataset=csv", "raw=/", "dataset.label_map.unmapped=no"], "label_map.unmapped is 'no'; expected 'error'"),
    ],
)
def test_a_user_s_mistake_is_one_sentence(run_command: Run, overrides: list[str], message: str) -> None:
    code, out, err = run_command(run, *overrides)
    assert code == 1
    assert err.startswith("error: ")
    assert message in err
    assert out == ""


ENTRIES = [
    "benchmark",
    "check",
    "compare",
    "enroll",
    "evaluate",
    "export",
    "import_published",
    "predict",
    "prepare",
    "serve",
    "view",
]
NEEDED = {
    "compare": ["runs=[a,b]"],
    "enroll": ["label=l"],
    "evaluate": ["dataset=csv"],
    "export": ["model=m"],
    "import_published": ["checkpoint=c", "model=m"],
    "predict": ["model=m", "source=s"],
    "prepare": ["dataset=csv"],
    "serve": ["model=m"],
}


def try_overrides(entry: str, *overrides: str) -> None:
    arguments = get_args_parser().parse_intermixed_args([*NEEDED.get(entry, []), *overrides])
    actrec.config._check(actrec.config._groups(entry, arguments), arguments)


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_key_that_nothing_reads_is_an_error_in_every_command(entry: str) -> None:
    with pytest.raises(ActrecError, match=r"Nothing reads the config key 'trainer\.max_steps'"):
        try_overrides(entry, "+trainer.max_steps=3")


@pytest.fixture(scope="module")
def train_config() -> DictConfig:
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return compose("train", ["logger=csv", "sweep=optuna"])


def check_added(cfg: DictConfig, key: str, value: object = 1) -> None:
    declared, added = OmegaConf.to_container(cfg), cfg.copy()
    OmegaConf.update(added, key, value, force_add=True)
    check_keys(OmegaConf.to_container(added), declared, ["network"])


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("epoch", "'epoch': there is no epoch. Did you mean 'epochs'? Leave it out"),
        ("network.foo", "InfoGCN takes no foo; it takes dim, layers, heads, "),
        ("network.dims", "Did you mean 'network.dim'?"),
        ("network.n_classes", "the command itself sets n_classes of network"),
        ("hardware.bogus", "'hardware.bogus': there is no bogus in hardware"),
        ("callbacks.x.y", "'callbacks.x.y': there is no entry x in callbacks"),
        ("callbacks.best.save_topk", "RunCheckpoint takes no save_topk; it takes dirpath, filename, monitor, "),
        ("schedule.epochs", "the command itself sets epochs"),
        ("augmentation.jitter.rate", "Jitter takes no rate; it takes p, sigma"),
        ("dataset.foo", "there is no foo in dataset"),
        ("split.shares", "Split takes no shares; it takes protocol, "),
        ("sweep.foo", "there is no foo in sweep"),
        ("sweep.search.foo", "Search takes no foo; it takes metric, "),
    ],
)
def test_a_key_that_nothing_reads_is_an_error(train_config: DictConfig, key: str, message: str) -> None:
    with pytest.raises(ActrecError) as error:
        check_added(train_config, key)
    assert message in str(error.value)
    assert "write +" not in str(error.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("callbacks.best.save_top_k", 2),
        ("callbacks.lr", {"_target_": "lightning.pytorch.callbacks.LearningRateMonitor"}),
        ("network.window", 64),
        ("next_steps.look", "ls"),
        ("epochs", 3),
        ("dataset.label_map.labels.squat.mine", "knee_bends"),
        ("sweep.search.space.weight_decay", {"low": 1.0, "high": 2.0}),
        ("hardware.strategy", {"_target_": "lightning.pytorch.strategies.DDPStrategy", "find_unused_parameters": True}),
    ],
)
def test_a_key_that_something_reads_can_be_added(train_config: DictConfig, key: str, value: object) -> None:
    check_added(train_config, key, value)


def test_what_is_needed_cannot_be_removed(run_command: Run) -> None:
    assert run_command(run, "dataset=csv", "raw=/x", "~raw")[2].startswith("error: The config ")


def test_a_renamed_key_is_named_by_its_new_name() -> None:
    with pytest.raises(ActrecError, match=r"no config key 'part' any more: it is 'split' now\."):
        try_overrides("evaluate", "model=x", "dataset=csv", "part=val")


def test_what_is_added_where_nothing_reads_it_is_not_advised() -> None:
    for override in ("+optimizer=sgd", "optimizer=sgd"):
        with pytest.raises(ActrecError, match="does not read the config group optimizer; it reads dataset, hard"):
            try_overrides("evaluate", override)
    with pytest.raises(ActrecError, match=r"To set it, write \+callbacks\.best\.save_top_k=…"):
        try_overrides("train", "callbacks.best.save_top_k=2")
    with pytest.raises(ActrecError) as error:
        try_overrides("train", "max_epochs=3")
    assert str(error.value).startswith("There is no config key 'max_epochs'. Did you mean 'trainer.max_epochs'")
    with pytest.raises(ActrecError, match="Nothing reads the config key 'foo'"):
        try_overrides("train", "-m", "+foo=3,4")
    try_overrides("train", "++epochs=3", "~callbacks.progress", "~sweep")


@pytest.mark.parametrize("experiment", sorted(file.stem for file in (config_dir() / "experiment").glob("*.yaml")))
def test_every_key_of_an_experiment_is_read(experiment: str) -> None:
    try_overrides("train", f"experiment={experiment}")


class TestTheUsersOwnFolder:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> str:
        for group in ("experiment", "dataset", "mine", "skeletons"):
            (tmp_path / group).mkdir()
        (tmp_path / "experiment/long.yaml").write_text("# @package _global_\nepochs: 300\n")
        (tmp_path / "experiment/wrong.yaml").write_text("# @package _global_\nepoch: 3\n")
        (tmp_path / "dataset/dance.yaml").write_text("defaults: [csv]\nname: dance\n")
        (tmp_path / "mine/fast.yaml").write_text("# @package _global_\nbatch_size: 128\n")
        (tmp_path / "skeletons/stick.yaml").write_text("joints: [left_hip, right_hip]")
        return f"--config-dir={tmp_path}"

    def test_its_experiments_options_and_groups_are_found(self, folder: str) -> None:
        try_overrides("train", folder, "experiment=long", "dataset=dance", "+mine=fast")
        try_overrides("evaluate", folder, "dataset=dance")

    def test_a_misspelt_key_in_an_experiment_is_an_error(self, folder: str) -> None:
        with pytest.raises(ActrecError, match=r"'epoch': there is no epoch\. Did you mean 'epochs'"):
            try_overrides("train", folder, "experiment=wrong")

    def test_a_misspelt_option_is_an_error_that_lists_it(self, folder: str) -> None:
        with pytest.raises(ActrecError, match=r"no experiment 'logn'\. Did you mean 'long'\? Choose one of: few_s"):
            try_overrides("train", folder, "experiment=logn")
        with pytest.raises(ActrecError, match="no config key 'epoch'"):
            try_overrides("train", folder, "epoch=3")

    def test_a_skeleton_that_is_none_is_an_error(self, folder: str, run_command: Run) -> None:
        error = run_command(run, "dataset=dance", folder, "raw=/x")[2]
        assert error.startswith("error: Skeleton 'stick' cannot be made ('bones')")


def test_every_key_of_a_root_config_is_read() -> None:
    conf, package = (Path(actrec.config.__file__).parents[1] / name for name in ("conf", "actrec"))
    texts = [file.read_text(encoding="utf-8") for file in (*conf.rglob("*.yaml"), *package.rglob("*.py"))]
    for entry in (*ENTRIES, "train"):
        for key in set(OmegaConf.load(conf / f"{entry}.yaml")) - {"defaults", "hydra"}:
            read = re.compile(rf"cfg\.{key}\b|\$\{{{key}[.}}]|oc\.select:{key},|\"{key}\"")
            assert any(read.search(text) for text in texts), f"Nobody reads {key} of {entry}."


@pytest.mark.parametrize("arguments", [["--help"], ["--cfg", "job", "dataset=csv"], ["--hydra-help"]])
def test_hydra_s_own_flags_work(run_command: Run, arguments: list[str]) -> None:
    code, out, err = run_command(run, *arguments)
    assert code == 0
    assert err == ""
    assert "max_rejected: 0.05" in out or "--hydra-help" in arguments


def test_help_gives_the_example_and_the_groups_of_the_command_alone(run_command: Run) -> None:
    out = run_command(run, "--help")[1]
    assert "python -m actrec.prepare dataset=penn_action raw=" in out
    groups = out.partition("group=option ==\n")[2].partition("\n\n")[0]
    assert [line.partition(":")[0] for line in groups.splitlines()] == ["dataset", "extractor", "variants"]


def test_a_process_of_its_own_leaves_no_traceback_and_no_files(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "actrec.prepare", "dataset=csv", "raw=nowhere"]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(root)}, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: raw=")
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def call(task: Callable[[DictConfig], None], monkeypatch: pytest.MonkeyPatch, *overrides: str) -> None:
    monkeypatch.setattr(sys, "argv", ["prepare", *overrides, "dataset=csv", "raw=/x"])
    actrec.config.main("prepare")(task)()


@pytest.fixture
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_in_an_empty_folder", "keep_logging")
class TestTask:
    def test_it_gets_the_config(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        seen: list[DictConfig] = []
        call(seen.append, monkeypatch, "max_rejected=0.5")
        assert (seen[0].raw, seen[0].max_rejected, seen[0].store) == ("/x", 0.5, "data/csv")
        assert list(tmp_path.iterdir()) == []

    def test_a_sweep_runs_each(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        seen: list[DictConfig] = []
        call(seen.append, monkeypatch, "-m", "max_rejected=0.1,0.2", "csv=choice(a,b)")
        assert [(cfg.max_rejected, cfg.csv) for cfg in seen] == [(0.1, "a"), (0.1, "b"), (0.2, "a"), (0.2, "b")]
        assert {path.name for path in tmp_path.iterdir()} <= {"outputs"}

    def test_an_actrec_error(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        def task(cfg: DictConfig) -> None:
            raise ActrecError("It rains. Take an umbrella.")

        with pytest.raises(SystemExit) as end:
            call(task, monkeypatch)
        assert end.value.code == 1
        assert capsys.readouterr().err == "error: It rains. Take an umbrella.\n"

    def test_the_traceback_can_be_had(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def task(cfg: DictConfig) -> None:
            raise ActrecError("It rains.")

        monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
        with pytest.raises(ActrecError, match="It rains"):
            call(task, monkeypatch)

    def test_a_bug_keeps_its_traceback(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def task(cfg: DictConfig) -> None:
            raise ZeroDivisionError

        with pytest.raises(SystemExit):
            call(task, monkeypatch)
        assert "Traceback" in capsys.readouterr().err

    def test_an_interrupt(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def task(cfg: DictConfig) -> None:
            raise KeyboardInterrupt

        with pytest.raises(SystemExit) as end:
            call(task, monkeypatch)
        assert end.value.code == 130


def test_help_may_be_cut_off_by_its_reader() -> None:
    command = [sys.executable, "-m", "actrec.compare", "--help"]
    root = Path(__file__).parents[1]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
