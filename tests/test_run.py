from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf

from actrec.run import open_run
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
