"""The figures of docs/check.md, on whole data sets: `pytest -m slow -rP tests/data/check/test_whole_sets.py`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from actrec.data.check.checks import check_clips, check_sample
from actrec.data.check.text import tell
from actrec.data.store.actions import actions_of
from actrec.data.store.reading import read_store
from actrec.data.synthetic.clips import Synthetic
from actrec.data.synthetic.sessions import SyntheticSessions
from actrec.prepare import run
from actrec.types import SkeletonSequence
from tests.data.check.planting import PLANTS, with_wrong_labels
from tests.data.check.test_checks import found_by_name, grave

Clips = list[SkeletonSequence]
Run = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.slow


@pytest.fixture
def load(test_data: Path, tmp_path: Path, run_command: Run) -> Callable[[str], Clips]:
    def loaded(name: str) -> Clips:
        if name == "generated clips":
            return Synthetic(n_clips=2800).clips()
        if name == "generated sessions":
            return SyntheticSessions(n_clips=1200).clips()
        if name == "NW-UCLA":
            return nw_ucla(test_data / "data/nw_ucla")
        store = tmp_path / "store"
        assert (
            run_command(run, "dataset=penn_action", f"raw={test_data / 'data/Penn_Action'}", f"store={store}")[0] == 0
        )
        return read_store(store)

    return loaded


def nw_ucla(folder: Path) -> Clips:
    """Northwestern-UCLA (`shared/data/README.md`): x and y in hundredths of a metre, y down; view 3 is the test."""
    clips = []
    for file in sorted(folder.glob("*.json")):
        xyz = np.array(json.loads(file.read_text())["skeletons"])
        keypoints = np.stack([500 + 100 * xyz[..., 0], 500 - 100 * xyz[..., 1], np.ones(xyz.shape[:2])], axis=-1)
        action, subject, _, view = file.stem.split("_")
        names = {"label": action, "group": f"{subject}_{view}", "split": "test" if view == "v03" else "train"}
        clips.append(
            SkeletonSequence(keypoints.astype(np.float32), 30.0, "nwucla20", clip_id=file.stem, source="ucla", **names)
        )
    return clips


@pytest.mark.parametrize("name", ["Penn Action", "generated clips", "generated sessions", "NW-UCLA"])
def test_a_sound_set_has_one_warning_at_most(name: str, load: Callable[[str], Clips]) -> None:
    clips, start = load(name), time.perf_counter()
    result = check_clips(actions_of(clips))
    print(f"{name}: {result.n_clips} clips in {time.perf_counter() - start:.0f} s")
    for finding in result.findings:
        print(f"{finding.severity}: {tell(finding).what}")
    assert len(grave(result)) <= 1
    assert len(grave(check_sample(clips, len(clips)))) <= 1


@pytest.mark.parametrize("name", ["Penn Action", "generated clips"])
def test_planted_faults_are_named(name: str, load: Callable[[str], Clips]) -> None:
    clips, rng = load(name), np.random.default_rng(2)
    missed = [kind for kind, plant in PLANTS.items() if kind not in found_by_name(kind, plant(list(clips), rng)[0])]
    print(f"{name}: {len(PLANTS) - len(missed)} of {len(PLANTS)} faults are named, without {missed}")
    assert len(missed) <= 0.1 * len(PLANTS)


@pytest.mark.parametrize("name", ["Penn Action", "generated clips"])
def test_planted_label_errors_come_first(name: str, load: Callable[[str], Clips]) -> None:
    train = [clip for clip in load(name) if clip.split == "train"]
    recalls: dict[float, list[float]] = {0.1: [], 0.05: []}
    for seed in range(3):
        changed, wrong = with_wrong_labels(train, 0.05, np.random.default_rng(seed))
        suspects = [each.clip_id for each in check_clips(changed).suspects]
        for share, found in recalls.items():
            found.append(len(wrong & set(suspects[: round(share * len(train))])) / len(wrong))
    for share, found in recalls.items():
        print(f"{name}: {np.mean(found):.3f} of {len(wrong)} wrong labels are in the first {share:.0%} of the ranking")
    assert np.mean(recalls[0.1]) >= 0.9
