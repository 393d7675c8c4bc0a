"""The shipped model gives the same labels for the same clips, whichever tool found the keypoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from actrec.data.store.reading import read_store
from actrec.online.recognizer import OnlineRecognizer
from actrec.prepare import run
from actrec.types import SkeletonSequence

Labels = list[tuple[str | None, str | None]]


def labels(recognizer: OnlineRecognizer, clip: SkeletonSequence) -> Labels:
    """Returns the predicted and the held label after each frame; None where there is none."""
    stream = recognizer.fresh()
    found: Labels = []
    for number, frame in enumerate(clip.keypoints):
        last = stream.push(frame, number / clip.fps)
        found.append((None, None) if last is None else (stream.labels[int(last.probabilities.argmax())], last.held))
    return found


def test_movenet_and_mediapipe_agree(
    run_command: Callable[..., tuple[int, str, str]], test_data: Path, tmp_path: Path
) -> None:
    """Without an option; `pytest -s` prints the shares of all frames, of which a few have a body in one file alone."""
    store = tmp_path / "store"
    code, _, _ = run_command(run, "dataset=keypoints", f"raw={test_data / 'data/keypoint_files'}", f"store={store}")
    assert code == 0
    recognizer = OnlineRecognizer.from_pretrained("sport14", skeleton="coco17")
    clips = {clip.clip_id: labels(recognizer, clip) for clip in read_store(store)}
    pairs = [
        pair
        for name in ("push_ups_3", "push_ups_20")
        for pair in zip(clips[f"movenet_json_{name}"], clips[f"mediapipe_json_{name}"], strict=True)
    ]
    predicted = sum(a[0] == b[0] for a, b in pairs) / len(pairs)
    held = sum(a[1] == b[1] for a, b in pairs) / len(pairs)
    print(f"same label in {len(pairs)} frames: predicted {predicted:.3f}, held {held:.3f}")
    assert min(predicted, held) >= 0.9
