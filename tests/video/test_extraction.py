from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

from actrec.types import ActrecError
from actrec.video.augmentation import Flip, Tempo
from actrec.video.extraction import Extractor
from actrec.video.video import open_video
from tests.data.blobs import Blobs, walker, write_blobs


def extractor(**options: object) -> Extractor:
    return Extractor(Blobs("yolo11n"), **options)


def left_edges(keypoints: np.ndarray) -> np.ndarray:
    return keypoints[:, 0, 0]


def test_a_video_s_person_frame_by_frame(tmp_path: Path) -> None:
    video = write_blobs(tmp_path / "a.mp4", walker)
    (sequence,) = extractor()(video)
    assert (len(sequence), sequence.fps, sequence.width, sequence.height) == (20, 25.0, 64, 48)
    assert np.abs(left_edges(sequence.keypoints) - (4 + np.arange(20))).max() <= 1.5
    assert (sequence.keypoints[..., 2] == 1).all()


def test_keypoints_are_in_pixels_of_the_source_however_it_was_decoded(tmp_path: Path) -> None:
    big = write_blobs(tmp_path / "big.mp4", lambda n: [(40 + n, 80, 200 + n, 320)], size=(640, 480))
    (sequence,) = extractor()(big)  # decoded at 64 pixels
    assert (sequence.width, sequence.height) == (640, 480)
    assert np.abs(sequence.keypoints[:, 0, :2] - np.stack([40 + np.arange(20), np.full(20, 80)], 1)).max() <= 15
    assert np.abs(sequence.keypoints[:, 16, 1] - 320).max() <= 15


def test_pictures_are_given_in_the_model_s_batches(tmp_path: Path) -> None:
    video = write_blobs(tmp_path / "a.mp4", walker, n_frames=10)
    Blobs.seen.clear()
    list(extractor().people(open_video(video)))
    assert Blobs.seen == [4, 4, 2]


def test_frames_in_which_nobody_is_found_stay_as_unobserved_frames(tmp_path: Path) -> None:
    video = write_blobs(tmp_path / "a.mp4", lambda n: [None] if 8 <= n < 13 else walker(n))
    (sequence,) = extractor()(video)
    seen = (sequence.keypoints[..., 2] > 0).all(1)
    assert (~seen).nonzero()[0].tolist() == [8, 9, 10, 11, 12]
    assert abs(left_edges(sequence.keypoints)[13] - 17) <= 1.5


def test_a_variable_rate_is_put_on_a_constant_one_by_its_times(tmp_path: Path) -> None:
    frames = [*range(10), *range(16, 26)]  # six frames were dropped
    video = write_blobs(
        tmp_path / "a.mp4", lambda n: walker(frames[n]), times=[n / 25 for n in frames], n_frames=len(frames)
    )
    (sequence,) = extractor()(video)
    assert abs(sequence.fps - 25) < 0.01
    assert len(sequence) == 26
    seen = (sequence.keypoints[..., 2] > 0).any(1)
    assert (~seen).nonzero()[0].tolist() == [10, 11, 12, 13, 14, 15]
    assert np.abs(left_edges(sequence.keypoints) - (4 + np.arange(26)))[seen].max() <= 1.5


def test_times_that_cannot_be_are_an_error(tmp_path: Path) -> None:
    times = [*(n / 25 for n in range(19)), 3600.0]
    with pytest.raises(ActrecError, match="20 frames last 3600 s by their times"):
        extractor()(write_blobs(tmp_path / "a.mp4", walker, times=times))


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_tempo_changes_the_number_of_frames_and_not_their_rate(tmp_path: Path, factor: float) -> None:
    video = write_blobs(tmp_path / "a.mp4", walker, n_frames=30)
    tempo = Tempo((factor, factor)).draw(np.random.default_rng(0))
    (sequence,) = extractor()(video, tempo)
    assert sequence.fps == 25.0
    assert len(sequence) == round(29 / factor) + 1
    assert (sequence.keypoints[..., 2] == 1).all()
    assert np.abs(left_edges(sequence.keypoints) - (4 + factor * np.arange(len(sequence)))).max() <= 2


def test_a_flipped_video_has_flipped_keypoints(tmp_path: Path) -> None:
    video = write_blobs(tmp_path / "a.mp4", walker)
    (plain,), (flipped,) = extractor()(video), extractor()(video, Flip().draw(np.random.default_rng(0)))
    assert np.abs(flipped.keypoints[:, 16, 0] - (64 - left_edges(plain.keypoints))).max() <= 1.5


def test_all_people_are_kept_from_their_first_frame_to_their_last(tmp_path: Path) -> None:
    def boxes(number: int) -> list:
        return [(2, 8, 14, 40), (44, 8, 58, 40) if number >= 25 else None]

    sequences = extractor(person="all")(write_blobs(tmp_path / "a.mp4", boxes, n_frames=60))
    assert [len(sequence) for sequence in sequences] == [60, 34]  # a newcomer is one when seen twice


def test_main_is_the_larger_of_two(tmp_path: Path) -> None:
    (main,) = extractor()(write_blobs(tmp_path / "a.mp4", lambda n: [(2, 30, 8, 44), (30, 4, 56, 44)]))
    assert abs(main.keypoints[0, 0, 0] - 30) <= 1.5


@pytest.mark.parametrize("n_frames", [1, 2])
def test_very_short_videos(tmp_path: Path, n_frames: int) -> None:
    (sequence,) = extractor()(write_blobs(tmp_path / "a.mp4", walker, n_frames=n_frames))
    assert len(sequence) == n_frames


def test_a_video_with_nobody_in_it_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ActrecError, match="no person was found in any of its 20 frames"):
        extractor()(write_blobs(tmp_path / "a.mp4", lambda n: [None]))
    with pytest.raises(ActrecError, match=r"found in 8 of its 20 frames at most; expected 50% or more"):
        extractor()(write_blobs(tmp_path / "b.mp4", lambda n: walker(n) if n < 8 else [None]))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"person": "mian"}, "person is 'mian'"), ({"min_presence": 1.5}, "min_presence"), ({"gap": -1.0}, "gap is -1.0")],
)
def test_options_are_checked(options: dict, message: str) -> None:
    with pytest.raises(ActrecError, match=message):
        extractor(**options)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length_of_the_video(tmp_path: Path) -> None:
    """A minute and twenty minutes, at 30 frames a second."""

    def resident() -> float:  # MiB
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 2**20

    after = []
    for n_frames in (1_800, 36_000):
        video = write_blobs(
            tmp_path / f"{n_frames}.mp4", lambda n: walker(abs(n % 40 - 20)), n_frames=n_frames, fps=30.0
        )
        assert len(extractor()(video)[0]) == n_frames
        after.append(resident())
    assert after[1] - after[0] < 100
