"""Labels cover no face and no other label, and stay inside the picture."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from actrec.live.label_layout import Rectangle, face_of, place_labels
from actrec.skeleton import get_skeleton

COCO = get_skeleton("coco17")
AREA = (640.0, 440.0)


def shared(a: Rectangle, b: Rectangle) -> float:
    """The area that both cover, by a sum over pixels' edges."""
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    return width * height if width > 0 and height > 0 else 0.0


def test_a_label_is_above_its_box_where_there_is_room() -> None:
    ((place, _),) = place_labels([Rectangle(100, 100, 200, 400)], [(120.0, 20.0)], [], AREA)
    assert place == Rectangle(100, 77, 220, 97)


def test_a_label_without_room_above_is_below_or_beside_and_not_over_the_face() -> None:
    box, face = Rectangle(100, 0, 200, 300), Rectangle(130, 0, 170, 50)
    ((place, _),) = place_labels([box], [(120.0, 20.0)], [face], AREA)
    assert place == Rectangle(100, 303, 220, 323)
    ((place, _),) = place_labels([Rectangle(100, 0, 200, 440)], [(120.0, 20.0)], [face], AREA)
    assert place == Rectangle(203, 0, 323, 20)


def test_a_label_stays_where_it_was_until_a_better_place_is_free_by_a_margin() -> None:
    box, size = Rectangle(100, 100, 200, 300), [(120.0, 20.0)]
    ((_, below),) = place_labels([box], size, [Rectangle(80, 60, 220, 98)], AREA)
    near, far = Rectangle(80, 40, 220, 76), Rectangle(80, 20, 220, 60)
    assert place_labels([box], size, [near], AREA, [below])[0].rectangle.top == 303
    assert place_labels([box], size, [far], AREA, [below])[0].rectangle.top == 77


def test_two_people_side_by_side_have_labels_apart() -> None:
    boxes = [Rectangle(100, 100, 160, 400), Rectangle(150, 100, 210, 400)]
    (first, _), (second, _) = place_labels(boxes, [(200.0, 20.0)] * 2, [], AREA)
    assert first == Rectangle(100, 77, 300, 97)
    assert shared(first, second) == 0


people = st.lists(
    st.tuples(st.floats(0, 600), st.floats(0, 400), st.floats(20, 300), st.floats(40, 420), st.floats(60, 180)),
    min_size=1,
    max_size=5,
)


@settings(max_examples=200, deadline=None)
@given(people=people)
def test_labels_of_a_few_people_cover_no_face_and_no_other_label(people: list[tuple[float, ...]]) -> None:
    boxes = [Rectangle(x, y, min(x + w, 640), min(y + h, 480)) for x, y, w, h, _ in people]
    faces = [Rectangle(b.left, b.top, b.left + 30, b.top + 40) for b in boxes]
    places = [place for place, _ in place_labels(boxes, [(width, 22.0) for *_, width in people], faces, AREA)]
    for number, place in enumerate(places):
        assert place.left >= 0
        assert place.top >= 0
        assert place.right <= AREA[0] + 1e-9
        assert place.bottom <= AREA[1] + 1e-9
        for other in [*faces, *places[:number]]:
            assert shared(place, other) == 0


def test_labels_of_a_crowd_and_of_no_size_are_placed_somehow() -> None:
    boxes = [Rectangle(0, 0, 64, 40)] * 30
    places = place_labels(boxes, [(60.0, 18.0)] * 30, boxes, (64.0, 40.0))
    assert len(places) == 30
    assert place_labels([], [], [], AREA) == []


def test_a_face_is_about_the_joints_of_the_head() -> None:
    keypoints = np.zeros((17, 3), np.float32)
    box = np.array([100, 100, 200, 400], np.float32)
    assert face_of(keypoints, box, COCO) is None
    keypoints[COCO.joints.index("nose")] = 150, 120, 0.9
    left, top, right, bottom = face_of(keypoints, box, COCO) or Rectangle(0, 0, 0, 0)
    assert ((left + right) / 2, (top + bottom) / 2) == (150, 120)
    assert 20 <= right - left <= 40
    keypoints[COCO.joints.index("left_ear")] = 190, 120, 0.9
    keypoints[COCO.joints.index("right_ear")] = 110, 120, 0.9
    wide = face_of(keypoints, box, COCO)
    assert wide is not None
    assert wide.left <= 110
    assert wide.right >= 190
