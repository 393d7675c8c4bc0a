from __future__ import annotations

import logging
from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf

from actrec.training.run import kept_log, log_to, open_run
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
    assert (open_run(config()).folder / "config.yaml").exists()


@pytest.mark.parametrize(
    "rank",
    [{"LOCAL_RANK": "1"}, {"NODE_RANK": "1"}, {"RANK": "2", "LOCAL_RANK": "0"}, {"SLURM_PROCID": "3"}],
)
def test_the_others_take_the_one_that_there_is(rank: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in rank.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ActrecError, match="need one folder: give output_dir"):
        open_run(config())
    assert open_run(config("shared")).folder == Path("shared")
    assert not Path("shared").exists()
    monkeypatch.setenv("ACTREC_RUN_FOLDER", "opened")  # by the first process of this machine
    assert open_run(config()).folder == Path("opened")


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
