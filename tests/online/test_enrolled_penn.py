"""Enrols Penn Action's classes that no shipped model knows, and prints the figures of docs/enroll.md.

python -m pytest -m slow -s tests/online/test_enrolled_penn.py
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy import ndarray

from actrec.data.sources.penn_action import PennAction
from actrec.model.spec import ModelSpec, find_model, load_spec
from actrec.online.engine import Engine, EngineOutput
from actrec.online.enrolled import Enrolled
from actrec.online.enrolment import Enrolment, enroll, start_enrolled
from actrec.online.onnx_backend import load_engine
from actrec.online.recognizer import OnlineRecognizer
from actrec.types import SkeletonSequence

SHOTS, SEEDS = 5, (5, 6, 7)
RENAMED = {"pullup": "pull_ups", "pushup": "push_ups", "situp": "sit_ups", "strumming_guitar": "strum_guitar"}
Answers = dict[str, tuple[str, bool]]  # by clip: the label at its end; whether its own label is held near the end


class Recorded:
    """An engine that records the network's outputs for each person and frame, so that they are computed once."""

    def __init__(self, engine: Engine, kept: dict[str, list[tuple[ndarray, ...]]]) -> None:
        self.engine, self.kept, self.number = engine, kept, dict[str, int]()

    def push(self, people: Sequence[str], frames: ndarray) -> EngineOutput:
        numbers = [self.number.get(person, 0) for person in people]
        if any(number >= len(self.kept.get(person, ())) for person, number in zip(people, numbers, strict=True)):
            new = self.engine.push(people, frames)
            assert new.phase is not None
            assert new.embedding is not None
            for person, *row in zip(people, new.logits, new.phase, new.embedding, strict=True):
                self.kept.setdefault(person, []).append(tuple(row))
        self.number.update((person, number + 1) for person, number in zip(people, numbers, strict=True))
        rows = [self.kept[person][number] for person, number in zip(people, numbers, strict=True)]
        logits, phase, embedding = (np.stack(each) for each in zip(*rows, strict=True))
        return EngineOutput(logits, np.zeros((len(people), 0, frames.shape[1], 2), np.float32), phase, embedding)

    def forget(self, person: str) -> None:
        self.number.pop(person, None)
        self.engine.forget(person)

    def fresh(self) -> Recorded:
        return Recorded(self.engine.fresh(), self.kept)

    def state(self, person: str) -> dict[str, ndarray]:
        return self.engine.state(person)

    def restore(self, person: str, state: Mapping[str, ndarray]) -> None:
        self.engine.restore(person, state)


def streamed(recognizer: OnlineRecognizer, clips: Sequence[SkeletonSequence]) -> Answers:
    """Streams the clips through the recogniser, 48 at a time."""
    found: Answers = {}
    clips = sorted(clips, key=len)
    for part in (clips[first : first + 48] for first in range(0, len(clips), 48)):
        stream, last, held = recognizer.fresh(), dict[str, str](), {clip.clip_id: list[str | None]() for clip in part}
        for t in range(len(part[-1])):
            there = {clip.clip_id: clip.keypoints[t] for clip in part if t < len(clip)}
            for ended in set(stream.people) - set(there):
                stream.forget(ended)
            for name, prediction in stream.push_all(there, t / 30).items():
                last[name] = recognizer.labels[int(prediction.probabilities.argmax())]
                held[name].append(prediction.held)
        found |= {clip.clip_id: (last.get(clip.clip_id, ""), clip.label in held[clip.clip_id][-15:]) for clip in part}
    return found


def penn_action(raw: Path) -> list[SkeletonSequence]:
    """All clips of Penn Action, with sport14's names of its classes."""
    clips = (source.load() for source in PennAction()(raw))
    return [replace(clip, label=RENAMED.get(clip.label, clip.label)) for clip in clips]


def with_new_classes(
    empty: Enrolled, engine: Engine, spec: ModelSpec, clips: Sequence[SkeletonSequence], seed: int
) -> tuple[Enrolled, set[str], list[Enrolment]]:
    """Enrols each class that the model does not know from `SHOTS` training clips; returns the names of these too."""
    rng, enrolled, used, found = np.random.default_rng(seed), empty, set[str](), []
    for label in sorted({clip.label for clip in clips} - set(spec.labels)):
        those = [clip for clip in clips if clip.label == label and clip.split == "train"]
        picked = [those[number] for number in rng.choice(len(those), SHOTS, replace=False)]
        used |= {clip.clip_id for clip in picked}
        enrolled, made = enroll(enrolled, engine, spec, label, picked)
        found.append(made)
    return enrolled, used, found


def draws(
    raw: Path, seeds: Sequence[int]
) -> Iterator[tuple[list[SkeletonSequence], Answers, Enrolled, list[Enrolment]]]:
    """Yields for each draw the clips that were streamed and what was answered; first, without enrolled classes."""
    folder = find_model("sport14")
    spec, clips = load_spec(folder), penn_action(raw)
    engine = load_engine(folder, spec)
    recorded, empty = Recorded(engine, {}), start_enrolled(engine, spec)
    yield clips, streamed(OnlineRecognizer(spec, recorded, skeleton="penn13"), clips), empty, []
    for seed in seeds:
        enrolled, used, found = with_new_classes(empty, engine, spec, clips, seed)
        others = [clip for clip in clips if clip.clip_id not in used]
        recognizer = OnlineRecognizer(spec, recorded, skeleton="penn13", enrolled=enrolled)
        yield others, streamed(recognizer, others), enrolled, found


@pytest.mark.slow
def test_new_classes_of_five_clips_each(test_data: Path) -> None:
    raw = test_data / "data/Penn_Action"
    if not raw.is_dir():
        pytest.skip(f"there is no {raw}")
    spec, means = load_spec("sport14"), []
    for draw, (clips, answers, _, _) in zip(("before", *SEEDS), draws(raw, SEEDS), strict=True):
        right = {clip.clip_id: (answers[clip.clip_id][0] == clip.label, answers[clip.clip_id][1]) for clip in clips}
        new = np.array([right[clip.clip_id] for clip in clips if clip.label not in spec.labels])
        known = np.array([right[clip.clip_id] for clip in clips if clip.label in spec.labels])
        both = np.concatenate([new, known])
        print(
            f"\ndraw {draw}: right at the end, held: new classes {new[:, 0].mean():.3f}, {new[:, 1].mean():.3f} "
            f"({len(new)} clips); known {known[:, 0].mean():.3f}, {known[:, 1].mean():.3f} ({len(known)}); "
            f"all 15 {both[:, 0].mean():.3f}, {both[:, 1].mean():.3f}",
            end="",
        )
        for label in sorted({clip.label for clip in clips}) if draw != "before" else ():
            those = [answers[clip.clip_id][0] for clip in clips if clip.label == label]
            print(f"\n  {label} {np.mean([each == label for each in those]):.3f} of {len(those)}", end="")
        if draw != "before":
            means.append((new[:, 0].mean(), known[:, 0].mean(), both[:, 0].mean()))
    print("\nmean of the draws: new {:.3f}, known {:.3f}, all {:.3f}".format(*np.mean(means, 0)))
    assert np.mean(means, 0)[0] >= 0.75
