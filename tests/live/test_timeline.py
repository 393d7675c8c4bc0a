"""Which sets are shown when, and that an endless stream's timeline does not grow."""

from __future__ import annotations

from actrec.live.timeline import Timeline
from actrec.online.prediction import Set


def squat(start: float, end: float, repetitions: int | None = None, label: str = "squat") -> Set:
    return Set(label, start, end, repetitions, 0.5)


def test_a_set_grows_until_another_begins_or_the_person_goes() -> None:
    timeline = Timeline(10.0, rows=3)
    for frame in range(50):
        time = frame / 10
        now = squat(0.5, time, frame // 5) if frame < 20 else squat(2.0, time, 0, "lunge")
        timeline.update(time, [*([("1", now)] if 5 <= frame < 40 else []), ("2", None)])
    assert timeline.span == (0.0, 10.0)
    assert timeline.sets == {"2": [], "1": [squat(0.5, 1.9, 3), squat(2.0, 3.9, 0, "lunge")]}


def test_a_whole_video_shows_its_first_people_and_a_live_stream_its_last() -> None:
    whole, live = Timeline(100.0, rows=2), Timeline(None, rows=2)
    for frame in range(40):
        for timeline in (whole, live):
            timeline.update(float(frame), [(str(frame // 10 + 1), squat(frame // 10 * 10.0, float(frame)))])
    assert list(whole.sets) == ["1", "2"]
    assert live.span == (9.0, 39.0)
    assert list(live.sets) == ["3", "4"]


def test_a_live_stream_that_never_ends_is_remembered_for_30_seconds() -> None:
    timeline, sizes = Timeline(None, rows=3), []
    for frame in range(4000):
        person = str(frame // 50 + 1)  # another person every 5 seconds, with another set every second
        time = frame / 10
        timeline.update(time, [(person, squat(float(frame // 10), time)), ("0", squat(float(frame // 10), time))])
        sizes.append((len(timeline._people), sum(len(row.sets) for row in timeline._people.values())))
    assert max(people for people, _ in sizes) <= 9
    assert max(sets for _, sets in sizes) < 100
    assert timeline.sets["80"][0].start == 395.0


def test_a_set_that_is_longer_than_is_shown_is_shown_from_the_first_moment() -> None:
    timeline = Timeline(None, rows=3)
    for frame in range(1000):
        timeline.update(frame / 10, [("1", squat(0.0, frame / 10))])
    assert timeline.sets == {"1": [squat(99.9 - 30.0, 99.9)]}
