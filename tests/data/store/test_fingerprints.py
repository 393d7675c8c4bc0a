from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np

from actrec.data.store import fingerprints


def test_a_copy_has_the_same_content_and_a_change_of_the_same_size_and_time_has_not(tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    file.write_bytes(b"x" * 1000)
    status, seen, held = file.stat(), fingerprints.file_status(file), fingerprints.content(file)
    shutil.copy(file, tmp_path / "b.npy")
    assert fingerprints.content(tmp_path / "b.npy") == held
    assert fingerprints.file_status(file) == seen

    file.write_bytes(b"x" * 500 + b"y" + b"x" * 499)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert fingerprints.file_status(file) != seen
    assert fingerprints.content(file) != held


def test_a_large_file_is_sampled_from_end_to_end(tmp_path: Path) -> None:
    file = tmp_path / "long.mp4"
    with file.open("wb") as stream:
        stream.truncate(100 << 20)
    held = fingerprints.content(file)
    for place in (0, 50 << 20, (100 << 20) - 1):  # the middle one lies in no block, and a re-encoded file is not so
        with file.open("r+b") as stream:
            stream.seek(place)
            stream.write(b"!")
        assert (fingerprints.content(file) == held) == (place == 50 << 20)
        with file.open("r+b") as stream:
            stream.seek(place)
            stream.write(b"\0")
    assert fingerprints.content(file) == held


def test_a_folder_of_pictures_is_what_is_in_it(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(bytes([number]))
    seen, held = fingerprints.file_status(tmp_path), fingerprints.content(tmp_path)
    (tmp_path / "2.jpg").rename(tmp_path / "3.jpg")
    assert fingerprints.file_status(tmp_path) != seen
    assert fingerprints.content(tmp_path) != held


def test_nothing_there_is_an_empty_stamp(tmp_path: Path) -> None:
    assert fingerprints.file_status(tmp_path / "none") == fingerprints.content(tmp_path / "none") == ""


def test_values_are_hashed_with_their_arrays(tmp_path: Path) -> None:
    annotation = {"frame_dir": "a", "keypoint": np.zeros((1, 1000, 17, 2)), "total_frames": 1000}
    held = fingerprints.values(annotation, without=("frame_dir",))
    assert fingerprints.values({**annotation, "frame_dir": "b"}, without=("frame_dir",)) == held
    changed = annotation["keypoint"].copy()
    changed[0, 500, 3, 1] = 1e-9  # where repr would have dots
    assert fingerprints.values({**annotation, "keypoint": changed}, without=("frame_dir",)) != held
    assert fingerprints.values({**annotation, "total_frames": 999}, without=("frame_dir",)) != held
