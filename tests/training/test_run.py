from __future__ import annotations

import logging
from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf

from actrec.data.saved_split import SavedSplit
from actrec.training.run import find_run, kept_log, log_to, open_run, recorded
from actrec.types import ActrecError

NAMES = ("RANK", "SLURM_PROCID", "LOCAL_RANK", "NODE_RANK", "ACTREC_RUN_FOLDER")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "")  # so that what open_run sets goes again
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def config(output_dir: str | None = None) -> DictConfig:
    return OmegaConf.create({"name": "a", "resume": None, "output_dir": output_dir})


@pytest.mark.parametrize(
    "rank", [{}, {"RANK": "0", "LOCAL_RANK": "0"}, {"SLURM_PROCID": "0"}, {"LOCAL_RANK": "0", "NODE_RANK": "0"}]
)
def test_the_first_process_makes_the_folder(rank: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in rank.items():
        monkeypatch.setenv(name, value)
    run = find_run(cfg := config())
    assert not run.folder.exists()
    open_run(run, cfg, SavedSplit({}))
    assert cfg.output_dir == str(run.folder)
    assert (run.folder / "config.yaml").exists()


@pytest.mark.parametrize(
    "rank",
    [{"LOCAL_RANK": "1"}, {"NODE_RANK": "1"}, {"RANK": "2", "LOCAL_RANK": "0"}, {"SLURM_PROCID": "3"}],
)
def test_the_others_take_the_one_that_there_is(rank: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in rank.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ActrecError, match="need a common folder: give output_dir"):
        find_run(config())
    assert find_run(config("shared")).folder == Path("shared")
    assert not Path("shared").exists()
    monkeypatch.setenv("ACTREC_RUN_FOLDER", "opened")  # by the first process of this machine
    assert find_run(config()).folder == Path("opened")


def test_the_config_is_kept_without_what_is_derived_from_it() -> None:
    cfg = OmegaConf.create({"a": 1, "b": "${a}", "trainer": {"c": "${a}", "d": "${output_dir}"}, "output_dir": "x"})
    assert recorded(cfg) == {"a": 1, "b": 1, "trainer": {"c": "${a}", "d": "${output_dir}"}}


def test_a_run_s_log_has_what_was_said_before_it_had_its_folder(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = logging.getLogger("actrec.data.split")
    with caplog.at_level(logging.INFO, "actrec"):
        with kept_log() as earlier:
            log.info("Split: drawn by %s", "group")
        log.info("between")
        with log_to(tmp_path / "train.log", earlier):
            log.info("then")
    lines = (tmp_path / "train.log").read_text(encoding="utf-8").splitlines()
    assert [line.partition("split: ")[2] for line in lines] == ["Split: drawn by group", "then"]
