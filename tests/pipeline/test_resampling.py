from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from actrec.pipeline.resampling import resample
from tests.pipeline.sequences import growing_sequence

few = settings(max_examples=25, deadline=None)


@given(n_frames=st.integers(1, 30), seed=st.integers(0, 99))
@few
def test_resample_is_numpys_and_a_joint_is_what_it_is_in_all_frames_drawn_on(n_frames: int, seed: int) -> None:
    sequence = growing_sequence(n_frames, seed)
    rng = np.random.default_rng(seed)
    positions = np.concatenate([rng.uniform(0, n_frames - 1, 10), rng.integers(n_frames, size=5)])
    resampled = resample(sequence, positions)
    for row, position in enumerate(positions):
        needed = sorted({int(np.floor(position)), int(np.ceil(position))})
        np.testing.assert_array_equal(resampled.observed[row], sequence.observed[needed].all(0))
        np.testing.assert_array_equal(resampled.known[row], sequence.known[needed].all(0))
        for joint in range(17):
            for channel in range(3):
                expected = np.interp(position, np.arange(n_frames), sequence.keypoints[:, joint, channel])
                if channel < 2 and not resampled.known[row, joint]:
                    expected = 0  # half-way from nowhere is nowhere
                np.testing.assert_allclose(resampled.keypoints[row, joint, channel], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(resampled.keypoints[10:], sequence.keypoints[positions[10:].astype(int)])
