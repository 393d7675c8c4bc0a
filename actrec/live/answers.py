"""The JSON of a frame's predictions, the same in `predictions.jsonl`, of uploads and of streams.

`actrec.serve.schema` describes it for OpenAPI.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.live.sets import set_answer
from actrec.live.tracking import TrackedPerson
from actrec.online.prediction import Prediction


def frame_answer(timestamp: float, people: Sequence[TrackedPerson | Prediction]) -> dict[str, Any]:
    """Converts the predictions of a frame to plain data.

    Args:
        timestamp: Time of the frame, in seconds; returned unchanged, since clients match answers to frames by it.
    """
    return {"timestamp": timestamp, "people": [_person_answer(each) for each in people]}


def _person_answer(person: TrackedPerson | Prediction) -> dict[str, Any]:
    """Converts a person to plain data: probabilities in the order of the labels, null for joints without a forecast."""
    prediction = person.prediction if isinstance(person, TrackedPerson) else person
    answer: dict[str, Any] = {
        "person": person.person,
        "label": prediction.label,
        "probability": round(float(prediction.probabilities.max()), 4),
        "held": prediction.held,
        "probabilities": np.round(prediction.probabilities.astype(float), 4).tolist(),
        "n_frames": prediction.n_frames,
        "action": round(prediction.action, 4),
        "phase": None if prediction.phase is None else round(prediction.phase, 3),
        "repetitions": prediction.repetitions,
        "set": None if prediction.set is None else set_answer(prediction.set),
    }
    if len(prediction.forecast):
        last = _rounded(prediction.forecast[-1], 1, prediction.forecast.shape[-1])
        answer["forecast"] = [None if any(map(math.isnan, joint)) else joint for joint in last]
    if isinstance(person, TrackedPerson):
        n_coordinates = person.keypoints.shape[1] - 1
        if n_coordinates == 2:
            answer["box"] = person.box.astype(float).round(1).tolist()
        answer["keypoints"] = _rounded(person.keypoints, 2, n_coordinates)
    return answer


def _rounded(joints: Float[ndarray, "joint _"], decimals: int, n_coordinates: int) -> list[list[float]]:
    """Rounds pixels to decimals, and in three dimensions, whose unit is not known, to five significant digits."""
    if n_coordinates == 2:
        return joints.astype(float).round(decimals).tolist()
    return [[float(f"{value:.5g}") for value in joint] for joint in joints.tolist()]


def person_lines(number: int, answer: dict[str, Any], labels: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Converts a frame's answer to lines of `predictions.jsonl`: one for each person, or one with `person` null.

    Args:
        number: Number of the frame, from 0.
        answer: See `frame_answer`.
        labels: The model's; probabilities are given by label.
    """
    frame = {"frame": number, "time": answer["timestamp"]}
    for each in answer["people"]:
        yield frame | each | {"probabilities": dict(zip(labels, each["probabilities"], strict=True))}
    if not answer["people"]:
        yield frame | {"person": None}


def to_json(answer: dict[str, Any]) -> str:
    """Converts an answer to JSON; unpaired surrogates in a client's names are escaped.

    Raises:
        ValueError: A number is NaN or infinite, which JSON cannot represent.
    """
    return json.dumps(answer, ensure_ascii=False, allow_nan=False).encode(errors="backslashreplace").decode()
