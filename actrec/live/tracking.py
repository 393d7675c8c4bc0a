"""Tracks the people in a stream of pictures and recognises their actions."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from actrec.online.inputs import check_takes_pictures
from actrec.online.prediction import Prediction
from actrec.online.recognizer import OnlineRecognizer
from actrec.video.people import People, scaled_keypoints
from actrec.video.tracker import Tracker


class TrackedPerson(NamedTuple):
    """A person in a picture, with the prediction.

    Attributes:
        person: "1" for the first person of the stream, "2" for the second …
        box: Left, top, right and bottom, in pixels.
        keypoints: Coordinates and confidence; 0 where a joint is not observed.
    """

    person: str
    box: Float[ndarray, " 4"]
    keypoints: Float[ndarray, "joint value"]
    prediction: Prediction

    def scaled(self, scale: float) -> TrackedPerson:
        """Scales box, keypoints and forecast to the pixels of a picture of another size."""
        prediction = replace(self.prediction, forecast=self.prediction.forecast * np.float32(scale))
        return TrackedPerson(
            self.person, self.box * np.float32(scale), scaled_keypoints(self.keypoints, scale, scale), prediction
        )


class TrackingRecognizer:
    """Recognises the actions of the people in one stream of pictures.

    Args:
        recognizer: A recogniser that is used for this stream only.
        fps: Approximate frame rate of the stream.

    Raises:
        ActrecError: The recogniser takes three dimensions.
    """

    def __init__(self, recognizer: OnlineRecognizer, fps: float) -> None:
        check_takes_pictures(recognizer.spec)
        self.recognizer, self._tracker = recognizer, Tracker(fps, recognizer.max_gap)
        self._names, self._n_named = dict[int, str](), 0  # names by track number

    def __call__(self, people: People, time: float) -> list[TrackedPerson]:
        """Takes the people in the next picture, in pixels, and returns those who are followed, ordered by number."""
        tracks = self._tracker(people).tolist()
        followed = self._tracker.followed
        self._names = {track: name for track, name in self._names.items() if track in followed}
        present = {}
        for index, track in sorted(enumerate(tracks), key=lambda pair: pair[1]):
            if track:
                if track not in self._names:
                    self._n_named += 1
                    self._names[track] = str(self._n_named)
                present[self._names[track]] = index
        present = dict(sorted(present.items(), key=lambda pair: int(pair[0])))
        keypoints = {person: people.keypoints[index] for person, index in self._within_limit(present).items()}
        predictions = self.recognizer.push_all(keypoints, time)
        return [
            TrackedPerson(person, people.boxes[index], people.keypoints[index], predictions[person])
            for person, index in present.items()
            if person in predictions
        ]

    def _within_limit(self, present: dict[str, int]) -> dict[str, int]:
        """Selects the people who are already followed, and new ones up to the recogniser's `max_people`."""
        followed = set(self.recognizer.people)
        others = [person for person in present if person not in followed]
        left_out = set(others[max(self.recognizer.max_people - len(followed), 0) :])
        return {person: index for person, index in present.items() if person not in left_out}
