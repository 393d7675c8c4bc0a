"""People who are followed keep their numbers, come in their order, and are forgotten when they have gone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from actrec.live.tracking import TrackingRecognizer
from actrec.online.prediction import Prediction
from actrec.online.recognizer import OnlineRecognizer
from actrec.video.people import SKELETON, People

FPS = 10.0


@pytest.fixture
def watcher(noise_model: Path) -> TrackingRecognizer:
    return TrackingRecognizer(OnlineRecognizer.from_pretrained(noise_model, skeleton=SKELETON), FPS)


def people(places: list[float], scores: list[float] | None = None) -> People:
    """Somebody at each of these x."""
    boxes = np.array([[x, 100, x + 80, 300] for x in places], np.float32).reshape(-1, 4)
    keypoints = np.ones((len(places), 17, 3), np.float32)
    keypoints[..., 0] = np.array(places, np.float32)[:, None] + np.linspace(5, 70, 17, dtype=np.float32)
    keypoints[..., 1] = np.linspace(110, 290, 17, dtype=np.float32)
    return People(boxes, np.array(scores or [0.9] * len(places), np.float32), keypoints)


def test_people_come_in_the_order_of_their_numbers_whatever_the_detectors(watcher: TrackingRecognizer) -> None:
    rng, places = np.random.default_rng(0), np.array([100.0, 300.0, 500.0])
    watcher(people([100.0, 300.0, 500.0]), 0.0)
    names = {}
    for frame in range(1, 15):
        order = rng.permutation(3)
        seen = watcher(people((places + frame)[order].tolist()), frame / FPS)
        assert [each.person for each in seen] == ["1", "2", "3"]
        for each in seen:
            names.setdefault(each.person, set()).add(round(float(each.box[0]) - frame))
    assert sorted(map(tuple, names.values())) == [(100,), (300,), (500,)]


def test_ten_people_are_in_the_order_of_numbers_not_of_letters(watcher: TrackingRecognizer) -> None:
    places = [100.0 * number for number in range(11)]
    for frame in range(3):
        seen = watcher(people(places), frame / FPS)
    assert [each.person for each in seen] == [str(number) for number in range(1, 12)]


def test_an_endless_stream_of_passers_by_is_forgotten_and_numbered_on(
    watcher: TrackingRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Prediction(0.0, "", np.ones(3, np.float32) / 3, "squat", None, np.zeros((0, 13, 2), np.float32), 1, True)
    monkeypatch.setattr(watcher.recognizer, "push_all", lambda people, _: dict.fromkeys(people, nothing))
    sizes, last = [], 0
    for frame in range(400):
        walker, step = divmod(frame, 10)  # somebody walks in every second, and is 300 px away from the last
        places = [1000.0] if step >= 4 else [1000.0, 100.0 + 300 * (walker % 3) + 3 * step]
        seen = watcher(people(places), frame / FPS)
        assert seen[0].person == "1" or frame < 2
        last = max(last, *(int(each.person) for each in seen))
        sizes.append(len(watcher._names))
    assert last >= 40
    assert max(sizes) <= 4


def test_of_a_crowd_as_many_are_followed_as_there_is_room_for(noise_model: Path) -> None:
    watcher = TrackingRecognizer(OnlineRecognizer.from_pretrained(noise_model, skeleton=SKELETON, max_people=2), FPS)
    watched = [watcher(people([200.0 * number for number in range(4)]), frame / FPS) for frame in range(5)]
    assert [[each.person for each in seen] for seen in watched] == [["1", "2"]] * 5
