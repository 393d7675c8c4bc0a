"""Tracks people from frame to frame with ByteTrack of Ultralytics."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from actrec.video.people import People
from actrec.video.pose import import_ultralytics


class Tracker:
    """Numbers the people of each frame (ByteTrack, Zhang et al. 2022); `lost` seconds without detection end a track."""

    def __init__(self, fps: float, lost: float = 1.0) -> None:
        import_ultralytics()
        from ultralytics.trackers.byte_tracker import BYTETracker
        from ultralytics.utils import IterableSimpleNamespace

        self._tracker = BYTETracker(
            IterableSimpleNamespace(
                track_high_thresh=0.1,
                track_low_thresh=0.05,
                new_track_thresh=0.4,
                track_buffer=max(round(lost * fps), 1),
                match_thresh=0.8,
                fuse_score=False,
            )
        )

    def __call__(self, people: People) -> Int[ndarray, " person"]:
        """Returns the track number of each person in the next frame, from 1; 0 for a person without a track."""
        from ultralytics.engine.results import Boxes

        rows = np.column_stack([people.boxes, people.scores, np.zeros(len(people))]).astype(np.float32)
        tracks = np.zeros(len(people), dtype=np.int64)
        for *_, number, _score, _class, index in self._tracker.update(Boxes(rows, (1, 1))):
            tracks[int(index)] = int(number)
        return tracks

    @property
    def followed(self) -> set[int]:
        """The numbers of tracks that have not ended; numbers are never used again."""
        return {int(track.track_id) for track in (*self._tracker.tracked_stracks, *self._tracker.lost_stracks)}
