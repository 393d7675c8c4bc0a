"""What each check finds, on clips with one fault each; and that sound clips have no fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from actrec.data.check.checks import check_clips, check_sample
from actrec.data.check.findings import NOTE, CheckResult, Finding
from actrec.data.check.similarity import Descriptor, mirrored, posed
from actrec.data.check.text import TEXTS, report_text, tell, warning
from actrec.data.check.traits import measure
from actrec.data.store.actions import actions_of
from actrec.data.synthetic.clips import Synthetic
from actrec.data.synthetic.sessions import SyntheticSessions
from actrec.types import SkeletonSequence
from tests.data.check import planting
from tests.data.check.planting import PLANTS

Make = Callable[..., list[SkeletonSequence]]
Run = Callable[..., tuple[int, str, str]]
Clips = list[SkeletonSequence]


# What is found by a comparison of clips with one another.
COMPARED = ("odd_y", "odd_xy", "odd_sides", "label_errors", "no_signal", "shortcut")


@pytest.fixture(scope="module")
def generated() -> Clips:
    """Perfect keypoints of 14 actions; every clip is of one frame rate."""
    clips = Synthetic(n_clips=168, any_view=0.0, faults=None).clips()
    return [replace(clip, fps=30.0) for clip in clips]


@pytest.fixture(scope="module")
def sessions() -> Clips:
    """Clips with several actions."""
    return SyntheticSessions(n_clips=24, seconds=(15, 20)).clips()


def grave(result: CheckResult) -> dict[str, Finding]:
    return {finding.kind: finding for finding in result.findings if finding.severity != NOTE}


def found_by_name(kind: str, clips: Clips) -> dict[str, Finding]:
    """Finds faults by the checks that the kind needs."""
    if kind in COMPARED or kind.startswith("copies"):
        return grave(check_clips(clips))
    return grave(check_sample(clips, len(clips), most=len(clips)))


def test_generated_clips_have_no_fault(generated: Clips) -> None:
    assert set(grave(check_clips(generated))) == set()


# Those whose faults show among perfect keypoints of 12 clips a class, all filmed from the usual side.
@pytest.mark.parametrize("kind", [kind for kind in PLANTS if kind not in ("shortcut", "odd_sides", "constant")])
def test_a_fault_is_found_by_its_name(kind: str, generated: Clips) -> None:
    clips, expected = PLANTS[kind](list(generated), np.random.default_rng(1))
    found = found_by_name(kind, clips)
    assert kind in found
    if expected:
        first = found[kind].clips[: max(len(expected) // 3, 3)]
        assert len(expected & set(first)) >= 0.8 * len(first)
    assert len(warning(found[kind])) > 60


def test_which_checks_are_short(generated: Clips) -> None:
    for kind in ("small", "upside_down", "swapped_axes", "reordered", "layout", "gaps", "alike", "rates_by_class"):
        clips, _ = PLANTS[kind](list(generated), np.random.default_rng(1))
        result = check_sample(clips, len(clips))
        assert kind in grave(result)
        assert (result.suspects, result.baseline) == ((), None)


def test_a_short_check_looks_at_the_keypoints_of_some_clips_and_the_labels_of_all(generated: Clips) -> None:
    clips, _ = PLANTS["alike"]([planting.shares(clip, np.random.default_rng(0)) for clip in generated], _rng())
    result = check_sample(clips, len(clips), most=40)
    assert (result.n_clips, sum(result.labels.values())) == (40, len(clips))
    assert set(grave(result)) == {"small", "alike"}
    assert len(grave(result)["small"].clips) == 40
    assert check_sample([], 0).n_clips == 0


def _rng() -> np.random.Generator:
    return np.random.default_rng(1)


def test_the_same_clip_under_two_labels_or_in_two_groups(make_sequences: Make) -> None:
    clips = make_sequences(n_labels=2, clips_per_label=8)
    clips = [replace(clip, split="") for clip in clips]
    assert not {kind for kind in grave(check_clips(clips)) if kind.startswith("copies")}
    twin = replace(clips[0], clip_id="twin")
    group = grave(check_clips([*clips, replace(twin, group="another")]))["copies_in_two_groups"]
    assert set(group.clips) == {clips[0].clip_id, "twin"}
    assert group.pairs["twin"] == clips[0].clip_id
    assert "copies_with_two_labels" in grave(check_clips([*clips, replace(twin, label=clips[-1].label)]))


@pytest.mark.parametrize(("clips_per_label", "severity"), [(5, "error"), (12, "warning"), (110, "note")])
def test_a_pair_with_two_labels_weighs_less_among_many(
    clips_per_label: int, severity: str, make_sequences: Make
) -> None:
    clips = make_sequences(n_labels=2, clips_per_label=clips_per_label)
    twin = replace(clips[0], clip_id="twin", label=clips[-1].label)
    found = {finding.kind: finding for finding in check_clips([*clips, twin]).findings}
    assert found["copies_with_two_labels"].severity == severity


@pytest.mark.parametrize(("copied", "severity"), [(2, "warning"), (6, "error")])
def test_copies_in_two_parts_weigh_by_their_share_of_the_test(copied: int, severity: str, make_sequences: Make) -> None:
    clips = make_sequences(n_labels=2, clips_per_label=20)
    test = [clip for clip in clips if clip.split == "test"]
    twins = [replace(clip, clip_id=f"{clip.clip_id}_twin", split="train") for clip in test[:copied]]
    found = grave(check_clips([*clips, *twins]))["copies_in_two_parts"]
    assert found.severity == severity
    assert found.values["share"] == pytest.approx(copied / sum(clip.split in ("test", "val") for clip in clips))
    assert f"They are {copied / len(test):.0%} of the clips of val and test." in tell(found).what


def test_confidences_that_are_all_one(generated: Clips) -> None:
    """A note where every joint is where a body has one; a warning where missing joints seem to be written so."""
    severities = {f.kind: f.severity for f in check_clips(generated).findings}
    assert severities["constant"] == NOTE

    def guessed(clip: SkeletonSequence) -> SkeletonSequence:
        keypoints = clip.keypoints.copy()
        keypoints[::4, 9, :2] = 1
        return replace(clip, keypoints=keypoints)

    assert "constant" in grave(check_clips([guessed(clip) for clip in generated]))


def test_small_people_are_not_shares_of_the_picture(generated: Clips) -> None:
    def far_away(clip: SkeletonSequence) -> SkeletonSequence:
        return planting.with_xy(clip, clip.keypoints[..., :2] * 0.005 + 200)

    found = grave(check_clips([*generated[:150], *map(far_away, generated[150:])]))
    assert set(found["tiny"].clips) == {clip.clip_id for clip in generated[150:]}
    assert "small" not in found


def test_trembling_frames_are_in_order(generated: Clips) -> None:
    rng = np.random.default_rng(0)
    still = [replace(clip, keypoints=np.repeat(clip.keypoints[:1], 40, axis=0), repetition=None) for clip in generated]
    noise = [rng.normal(0, 0.15 * measure(clip).scale, (40, 17, 2)) for clip in still]
    trembling = [
        planting.with_xy(clip, clip.keypoints[..., :2] + each) for clip, each in zip(still, noise, strict=True)
    ]
    assert "jumping" not in grave(check_clips(trembling))


class TestSessions:
    """Clips with several labels, as of `segments.csv`."""

    @staticmethod
    def relabelled(sessions: Clips, new: str, old: str) -> Clips:
        """Gives the first segment of a label another one."""
        done, made = False, []
        for clip in sessions:
            segments = list(clip.segments)
            for k, each in enumerate(segments):
                if each.label == old and not done:
                    segments[k], done = replace(each, label=new), True
            made.append(replace(clip, segments=tuple(segments)))
        return made

    @pytest.mark.parametrize(
        "change", [lambda s: f"{s.title()} ", lambda s: f"{s}s", lambda s: s[0] + s[2] + s[1] + s[3:]]
    )
    def test_a_mistyped_label_of_one_segment(self, sessions: Clips, change: Callable[[str], str]) -> None:
        counts = Counter(part.label for part in actions_of(sessions) if part.label != "none")
        label, number = counts.most_common(1)[0]
        assert number > 3
        assert "alike" not in grave(check_clips(actions_of(sessions)))
        found = check_clips(actions_of(self.relabelled(sessions, change(label), label))).findings
        (alike,) = [each for each in found if each.kind == "alike"]
        assert (alike.values["rare"], alike.values["frequent"], alike.severity) == (change(label), label, "warning")
        assert len(alike.clips) == 1
        assert change(label) not in "".join(str(each.values.get("listed")) for each in found)

    def test_what_is_said_of_clips_is_not_said_of_parts(self, sessions: Clips) -> None:
        result = check_clips(actions_of(sessions), window=300)
        kinds = {finding.kind for finding in result.findings}
        assert not kinds & {"short", "single"}
        assert result.baseline is not None
        assert "clip length" not in result.baseline.without
        assert all(
            "none" not in (f.values["most"], f.values["least"]) for f in result.findings if f.kind == "imbalance"
        )

    def test_a_sound_set_of_sessions(self, sessions: Clips) -> None:
        assert set(grave(check_clips(actions_of(sessions)))) <= {"few_groups"}  # some actions occur once or twice

    def test_parts_of_a_session_are_of_its_group(self, sessions: Clips) -> None:
        clips = [replace(clip, group="") for clip in sessions[:2]]
        assert {part.group for part in actions_of(clips)} == {clip.clip_id for clip in clips}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        *[
            ("squat", "sqaut", True),
            ("walk", "wlak", True),
            ("jump_rope", "jump_rpe", True),
            ("squat", "Squats ", True),
        ],
        *[("pull_ups", "push_ups", False), ("sit", "hit", False), ("clip_1", "clip_2", False), ("run", "squat", False)],
    ],
)
def test_a_rare_label_that_is_spelt_like_another(one: str, other: str, expected: bool, make_sequences: Make) -> None:
    clips = make_sequences(n_labels=1, clips_per_label=12)
    made = [replace(clip, label=other if k == 0 else one) for k, clip in enumerate(clips)]
    assert ("alike" in grave(check_clips(made))) == expected


def test_suspects_are_ranked_by_a_known_fault(generated: Clips) -> None:
    clips, wrong = planting.with_wrong_labels(generated, 0.05, np.random.default_rng(0))
    result = check_clips(clips)
    assert [each.margin for each in result.suspects] == sorted((each.margin for each in result.suspects), reverse=True)
    first = {each.clip_id for each in result.suspects[: len(clips) // 10]}
    assert len(first & wrong) >= 0.9 * len(wrong)


def test_the_baseline_is_what_a_double_loop_gives(make_sequences: Make) -> None:
    clips = make_sequences(n_labels=3, clips_per_label=8)
    baseline = check_clips(clips).baseline
    assert baseline is not None
    test = [clip for clip in clips if clip.split == "test"]
    train = [clip for clip in clips if clip.split == "train"]
    assert (baseline.protocol, baseline.n_clips) == ("official split", len(test))
    counts = {label: sum(clip.label == label for clip in train) for label in {clip.label for clip in clips}}
    most = min(label for label, count in counts.items() if count == max(counts.values()))
    assert baseline.majority == pytest.approx(np.mean([clip.label == most for clip in test]))
    data = posed([measure(clip) for clip in clips])
    assert data is not None
    describe = Descriptor(data)
    vectors = dict(zip((clip.clip_id for clip in clips), describe(data.poses), strict=True))
    images = dict(zip((clip.clip_id for clip in clips), describe(mirrored(data.poses, data.mirror_index)), strict=True))

    def distance(clip: SkeletonSequence, other: SkeletonSequence) -> float:
        own = (vectors[clip.clip_id], images[clip.clip_id])
        return min(float(np.linalg.norm(vector - vectors[other.clip_id])) for vector in own)

    right = [min(train, key=lambda other: distance(clip, other)).label == clip.label for clip in test]
    assert baseline.poses["nearest neighbour"] == pytest.approx(np.mean(right))


def test_a_shortcut_by_length(make_sequences: Make) -> None:
    clips = make_sequences(n_labels=4, clips_per_label=20)
    rng = np.random.default_rng(0)
    found = grave(check_clips(planting.with_length_by_class(clips, rng)))
    assert found["shortcut"].values["cue"] == "clip length"


class TestBadInput:
    def test_no_clips(self) -> None:
        result = check_clips([])
        assert (result.n_clips, result.exit_status, list(result.findings)) == (0, 3, [Finding("empty", "error", (), 0)])

    def test_unreadable_clips_are_named(self) -> None:
        result = check_clips([], unreadable=[("a", "It is cut short."), ("b", "It is empty.")])
        text = report_text(result, "command", "store")
        assert "a: It is cut short." in text
        assert "b: It is empty." in text

    def test_one_class(self, make_sequences: Make) -> None:
        result = check_clips(make_sequences(n_labels=1, clips_per_label=12))
        assert "one_class" in grave(result)
        assert result.baseline is None

    def test_one_clip(self, make_sequences: Make) -> None:
        result = check_clips(make_sequences(n_labels=1, clips_per_label=1))
        assert "one_class" in grave(result)

    def test_clips_without_joints(self, make_sequences: Make) -> None:
        clips = make_sequences(n_labels=2, clips_per_label=4)
        blind = [replace(clip, keypoints=np.zeros_like(clip.keypoints)) for clip in clips]
        assert "unseen" in grave(check_clips(blind))
        assert "unseen" in grave(check_clips([*clips, *(replace(clip, clip_id=f"{clip.clip_id}b") for clip in blind)]))

    def test_clips_of_one_frame(self, make_sequences: Make) -> None:
        clips = make_sequences(n_labels=2, clips_per_label=4)
        assert "single" in grave(check_clips([replace(clip, keypoints=clip.keypoints[:1]) for clip in clips]))

    def test_two_layouts(self, make_sequences: Make) -> None:
        penn = make_sequences(n_labels=2, clips_per_label=6, skeleton="penn13")
        penn = [replace(clip, clip_id=f"penn_{clip.clip_id}") for clip in penn]
        assert check_clips([*make_sequences(n_labels=2, clips_per_label=8), *penn]).n_clips == 28


def test_every_kind_has_words() -> None:
    source = "".join(file.read_text() for file in Path(planting.__file__).parents[3].glob("actrec/data/check/*.py"))
    assert [kind for kind in TEXTS if f'"{kind}"' not in source.replace(f'    "{kind}": Text(', "")] == []
    assert set(PLANTS) <= set(TEXTS)


def test_a_finding_in_words() -> None:
    told = tell(Finding("gaps", "warning", ("a",), 9, {"seconds": 1.26}))
    assert told.what.startswith("1 of 9 clips (a) has a stretch of more than half a second")
    assert told.what.endswith("(up to 1.3 s).")
    told = tell(Finding("single", "note", ("a", "b", "c", "d"), 9))
    assert told.what == "4 of 9 clips (a, b, c, …) have one frame, which shows no motion."
    assert told.do == "Leave such clips out."


def test_a_few_clips_of_one_view_do_not_tell_the_layout(generated: Clips) -> None:
    """The bones of people who lie towards the camera look long; the wrong layout's are longer still."""
    push_ups = [clip for clip in generated if clip.label == "push_ups"][:2]
    flat = [planting.with_xy(clip, clip.keypoints[..., :2] * [0.3, 1] + [200, 0]) for clip in push_ups]
    assert "layout" not in {each.kind for each in check_clips(flat).findings}


def test_missing_joints_that_are_written_as_zeros(make_sequences: Make) -> None:
    def at_the_corner(clip: SkeletonSequence) -> SkeletonSequence:
        keypoints = clip.keypoints.copy()
        keypoints[::3, 9, :2] = 0
        return replace(clip, keypoints=keypoints)

    found = grave(check_clips([at_the_corner(clip) for clip in make_sequences(n_labels=2, clips_per_label=12)]))
    assert found["marked"].values["share"] == pytest.approx(1 / 3 / 17, rel=0.05)


def test_rates_sizes_and_numbers_of_clips(make_sequences: Make) -> None:
    clips = make_sequences(n_labels=2, clips_per_label=24)
    slow = [replace(clip, fps=1.0) for clip in clips]
    assert len(grave(check_clips(slow))["rate"].clips) == 48
    small = [replace(clip, width=40, height=30) for clip in clips]
    assert len(grave(check_clips(small))["outside"].clips) == 48
    few = [clip for clip in clips if clip.label == "label_0"][:2] + [c for c in clips if c.label == "label_1"]
    assert grave(check_clips(few))["imbalance"].values["ratio"] == 12


def deep(clip: SkeletonSequence) -> SkeletonSequence:
    """The clip in metres, y up, 3 m away, as of a sensor that gives no confidences."""
    xy, n = clip.keypoints[..., :2] / 300 * np.array([1, -1]), clip.keypoints[..., :1]
    keypoints = np.concatenate([xy, np.full_like(n, 3), np.ones_like(n)], -1)
    return replace(clip, keypoints=keypoints.astype(np.float32), width=0, height=0)


def test_three_dimensions_are_looked_at_in_the_plane_of_x_and_y(generated: Clips) -> None:
    flat, solid = check_clips(generated), check_clips(list(map(deep, generated)))
    assert set(grave(solid)) == set()
    assert "in_plane" in {finding.kind for finding in solid.findings}
    assert "in_plane" not in {finding.kind for finding in flat.findings}
    assert solid.baseline is not None
    assert flat.baseline is not None
    for rule, accuracy in flat.baseline.poses.items():
        assert solid.baseline.poses[rule] == pytest.approx(accuracy, abs=0.02)
    assert "x, y and z: poses and motion" in report_text(solid, "", "data/x")


def test_a_fault_in_three_dimensions_is_found(generated: Clips) -> None:
    clips = list(map(deep, generated))
    still = [replace(clip, keypoints=clip.keypoints[[0] * len(clip)]) for clip in clips[:40]]
    assert "constant_clips" in grave(check_sample([*still, *clips[40:]], len(clips)))
    upside_down = [replace(clip, keypoints=clip.keypoints * np.array([1, -1, 1, 1], np.float32)) for clip in clips]
    assert not grave(check_sample(upside_down, len(clips)))
