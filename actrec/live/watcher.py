"""Follows the people in a stream of pictures and recognises what each does: the tracker and the recogniser together."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from numpy import ndarray

from actrec.online.recognizer import OnlineRecognizer, Prediction
from actrec.video.people import People
from actrec.video.tracker import Tracker


class Watched(NamedTuple):
    """A person in a picture, with the prediction.

    Attributes:
        person: "1" for the first who was followed, "2" for the next …
        box: Left, top, right and bottom, in pixels.
        keypoints: x, y and confidence; 0 where a joint is not observed.
        prediction: What the person does.
    """

    person: str
    box: Float[ndarray, " 4"]
    keypoints: Float[ndarray, "joint 3"]
    prediction: Prediction


class Watcher:
    """Follows the people of one stream of pictures.

    Args:
        recognizer: Used by this watcher alone.
        fps: Frames a second, about.
    """

    def __init__(self, recognizer: OnlineRecognizer, fps: float) -> None:
        self.recognizer, self._tracker = recognizer, Tracker(fps, recognizer.max_gap)
        self._names, self._named = dict[int, str](), 0

    def __call__(self, people: People, time: float) -> list[Watched]:
        """Takes the people in the next picture, and returns those who are followed in the order of their numbers.

        Args:
            people: In the pixels of the stream's pictures.
            time: Of the picture, in seconds.
        """
        tracks = self._tracker(people).tolist()
        followed = self._tracker.followed
        self._names = {track: name for track, name in self._names.items() if track in followed}
        present = {}
        for index, track in sorted(enumerate(tracks), key=lambda pair: pair[1]):
            if track:
                if track not in self._names:
                    self._named += 1
                    self._names[track] = str(self._named)
                present[self._names[track]] = index
        present = dict(sorted(present.items(), key=lambda pair: int(pair[0])))
        keypoints = {person: people.keypoints[index] for person, index in self._with_room(present).items()}
        predictions = self.recognizer.push_all(keypoints, time)
        return [
            Watched(person, people.boxes[index], people.keypoints[index], predictions[person])
            for person, index in present.items()
            if person in predictions
        ]

    def _with_room(self, present: dict[str, int]) -> dict[str, int]:
        """Returns the people who are followed already, and as many others as the recogniser has room for."""
        followed = set(self.recognizer.people)
        others = [person for person in present if person not in followed]
        left_out = set(others[max(self.recognizer.max_people - len(followed), 0) :])
        return {person: index for person, index in present.items() if person not in left_out}
