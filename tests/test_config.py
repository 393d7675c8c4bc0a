from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import DictConfig

import actrec.config
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
        (["dataset=csv", "raw"], "override 'raw' cannot be read"),
        (["dataset=csv", "raw=[a"], "override 'raw=[a' cannot be read"),
        (["dataset=csv", "raw=a,b"], "Ambiguous value"),
        (["dataset=csv", "raw=/x", "store=${nme}/a"], "refers to a key that is not there: Interpolation key 'nme'"),
        (["dataset=csv", "raw=/x", "+dataset.importer.foo=1"], "keyword argument 'foo' (config key dataset.importer)"),
        (["dataset=csv", "raw=/", "dataset.label_map.unmapped=no"], "label_map.unmapped is 'no'; expected 'error'"),
    ],
)
def test_a_user_s_mistake_is_one_sentence(run_command: Run, overrides: list[str], message: str) -> None:
    code, out, err = run_command(run, *overrides)
    assert code == 1
    assert err.startswith("error: ")
    assert message in err
    assert out == ""


@pytest.mark.parametrize("arguments", [["--help"], ["--cfg", "job", "dataset=csv"], ["--hydra-help"]])
def test_hydra_s_own_flags_work(run_command: Run, arguments: list[str]) -> None:
    code, out, err = run_command(run, *arguments)
    assert code == 0
    assert err == ""
    assert "max_rejected: 0.05" in out or "--hydra-help" in arguments


def test_help_gives_the_example(run_command: Run) -> None:
    assert "python -m actrec.prepare dataset=penn_action raw=" in run_command(run, "--help")[1]


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
