"""Which label was held when, and that an endless stream's timeline does not grow."""

from __future__ import annotations

from actrec.live.timeline import Stretch, Timeline


def test_stretches_end_where_the_label_changes_or_the_person_goes() -> None:
    timeline = Timeline(10.0, rows=3)
    for frame in range(50):
        held = [("1", "squat" if frame < 20 else "lunge")] if frame < 40 else []
        timeline.update(frame / 10, [*held, ("2", None)])
    assert timeline.span == (0.0, 10.0)
    assert timeline.stretches == {"1": [Stretch(0.0, 2.0, "squat"), Stretch(2.0, 3.9, "lunge")], "2": []}


def test_a_whole_video_shows_its_first_people_and_a_live_stream_its_last() -> None:
    whole, live = Timeline(100.0, rows=2), Timeline(None, rows=2)
    for frame in range(40):
        for timeline in (whole, live):
            timeline.update(float(frame), [(str(frame // 10 + 1), "squat")])
    assert list(whole.stretches) == ["1", "2"]
    assert live.span == (9.0, 39.0)
    assert list(live.stretches) == ["3", "4"]


def test_a_live_stream_that_never_ends_is_remembered_for_30_seconds() -> None:
    timeline, sizes = Timeline(None, rows=3), []
    for frame in range(4000):
        person = str(frame // 50 + 1)  # another person every 5 seconds
        timeline.update(frame / 10, [(person, f"label {frame % 2}"), ("0", "squat")])
        sizes.append((len(timeline._held), sum(len(row.changes) for row in timeline._held.values())))
    assert max(people for people, _ in sizes) <= 9
    assert max(changes for _, changes in sizes) < 400
    assert timeline.stretches["80"][0].start == 395.0


def test_a_label_held_for_longer_than_is_shown_is_shown_from_the_first_moment() -> None:
    timeline = Timeline(None, rows=3)
    for frame in range(1000):
        timeline.update(frame / 10, [("1", "squat")])
    assert timeline.stretches == {"1": [Stretch(99.9 - 30.0, 99.9, "squat")]}
