from __future__ import annotations

import numpy as np
import pytest

from actrec.types import ActrecError
from actrec.video.people import People, PeopleBuffer
from actrec.video.tracks import choose, collect

FPS = 10.0
Place = tuple[float, float, float]  # left, top, size


def people(*places: Place, score: float = 0.9, confidence: float = 1.0) -> People:
    """Each 0.4 as wide as high, with joints on its diagonal."""
    left, top, size = np.array(places, dtype=np.float32).reshape(-1, 3).T
    boxes = np.stack([left, top, left + 0.4 * size, top + size], 1)
    along = np.linspace(0, 1, 17, dtype=np.float32)[:, None]
    keypoints = np.full((len(boxes), 17, 3), confidence, dtype=np.float32)
    keypoints[..., :2] = boxes[:, None, :2] * (1 - along) + boxes[:, None, 2:] * along
    return People(boxes, np.full(len(boxes), score, dtype=np.float32), keypoints)


def scene(tracks: dict[int, dict[int, Place]], n_frames: int) -> tuple[list[People], list[np.ndarray]]:
    """From track number, frame and place to what pose model and tracker would give."""
    frames, numbers = [], []
    for frame in range(n_frames):
        here = [(number, places[frame]) for number, places in tracks.items() if frame in places]
        frames.append(people(*(place for _, place in here)))
        numbers.append(np.array([number for number, _ in here], dtype=np.int64))
    return frames, numbers


def still(frames: range, place: Place = (10.0, 10.0, 100.0)) -> dict[int, Place]:
    return dict.fromkeys(frames, place)


def tracks_of(tracks: dict[int, dict[int, Place]], n_frames: int, gap: float = 1.0) -> list[list[int]]:
    return [track.frames.tolist() for track in collect(*scene(tracks, n_frames), FPS, gap)]


def test_pieces_on_both_sides_of_a_short_gap_are_one_person_with_the_gap_left_open() -> None:
    pieces = {1: still(range(10)), 2: still(range(15, 25))}
    assert tracks_of(pieces, 25) == [[*range(10), *range(15, 25)]]
    assert len(tracks_of(pieces, 25, gap=0.3)) == 2


def test_pieces_that_are_far_apart_are_two_people() -> None:
    assert len(tracks_of({1: still(range(10)), 2: still(range(12, 20), (300.0, 10.0, 100.0))}, 20)) == 2


def test_two_people_side_by_side_stay_two() -> None:
    beside = {1: still(range(20)), 2: still(range(5, 20), (35.0, 10.0, 100.0))}
    assert len(tracks_of(beside, 20)) == 2


def test_a_body_that_was_found_twice_is_one_person() -> None:
    twice = {1: still(range(10)), 2: still(range(8, 20), (11.0, 11.0, 100.0))}
    assert tracks_of(twice, 20) == [list(range(20))]


def main(tracks: dict[int, dict[int, Place]], n_frames: int, presence: float = 0.5) -> np.ndarray:
    frames, numbers = scene(tracks, n_frames)
    (keypoints,) = choose(collect(frames, numbers, FPS, 1.0), frames, "main", FPS, presence)
    return keypoints


def swaying(frames: range, place: Place, by: float) -> dict[int, Place]:
    """Grows and shrinks: the joints move in the box's own frame."""
    left, top, size = place
    return {frame: (left, top, size * (1 + by * (frame % 2))) for frame in frames}


@pytest.mark.parametrize(
    ("wanted", "other"),
    [
        (still(range(20)), still(range(11), (200.0, 10.0, 100.0))),
        (still(range(20), (10.0, 10.0, 160.0)), still(range(20), (200.0, 10.0, 100.0))),
        (swaying(range(20), (10.0, 10.0, 100.0), 0.4), still(range(20), (200.0, 10.0, 110.0))),
    ],
    ids=["longer", "larger", "moving"],
)
def test_main_is_who_is_there_longer_is_larger_or_moves(wanted: dict, other: dict) -> None:
    for tracks in ({1: wanted, 2: other}, {1: other, 2: wanted}):
        assert main(tracks, 20)[0, 0, 0] == 10


def test_main_must_be_there_often_enough() -> None:
    assert (main({1: still(range(10))}, 20)[..., 2] > 0).any(1).sum() == 10
    with pytest.raises(ActrecError, match="found in 9 of its 20 frames at most; expected 50% or more"):
        main({1: still(range(9))}, 20)
    with pytest.raises(ActrecError, match="no person was found in any of its 20 frames"):
        main({}, 20)


def test_all_are_those_who_stay_a_while() -> None:
    frames, numbers = scene({1: still(range(20)), 2: still(range(3), (200.0, 10.0, 100.0))}, 20)
    found = choose(collect(frames, numbers, FPS, 1.0), frames, "all", FPS, 0.5)
    assert [keypoints[0, 0, 0] for keypoints in found] == [10]


def crowd(counts: list[int]) -> list[People]:
    return [people(*[(100.0 * n, 10.0, 80.0) for n in range(count)]) for count in counts]


def test_single_takes_frames_with_one_person() -> None:
    frames = crowd([1] * 10 + [2] * 9 + [1] * 10 + [0] * 3 + [1] * 10)
    (keypoints,) = choose([], frames, "single", FPS, 0.5)
    assert ((keypoints[..., 2] > 0).all(1) == [len(here) == 1 for here in frames]).all()


@pytest.mark.parametrize("count", [0, 2])
def test_single_rejects_ten_frames_in_a_row_with_another_count(count: int) -> None:
    with pytest.raises(ActrecError, match="frames 16 to 25 do not have one person each"):
        choose([], crowd([1] * 15 + [count] * 10 + [1] * 30), "single", FPS, 0.5)


def test_a_crowd_gives_back_what_it_was_given() -> None:
    frames = [*crowd([0, 1, 3, 0, 2] * 300)]
    kept = PeopleBuffer(frames)
    assert len(kept) == 1500
    for before, after in zip(frames, kept, strict=True):
        for name in ("boxes", "scores", "keypoints"):
            np.testing.assert_array_equal(getattr(before, name), getattr(after, name))
