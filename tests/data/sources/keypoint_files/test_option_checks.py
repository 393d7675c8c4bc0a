from __future__ import annotations

import pytest

from actrec.data.sources.keypoint_files.importer import KeypointFiles
from actrec.data.sources.keypoint_files.option_checks import check_options
from actrec.types import ActrecError


def test_wrong_options() -> None:
    with pytest.raises(ActrecError, match=r"format is 'kinect'; expected one of: openpose, mmpose"):
        KeypointFiles(format="kinect")
    with pytest.raises(ActrecError, match=r"person is 'first'"):
        KeypointFiles(person="first")
    with pytest.raises(ActrecError, match=r"fps is 0"):
        KeypointFiles(fps=0)
    with pytest.raises(ActrecError, match=r"no skeleton 'body24'"):
        KeypointFiles(layout="body24")
    with pytest.raises(ActrecError, match=r"settle is 3; expected 0 to 2, seconds"):
        KeypointFiles(settle=3)
    with pytest.raises(ActrecError, match=r"width is -5; expected a whole number of pixels"):
        KeypointFiles(width=-5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("width", "wide"), ("height", 1.5), ("height", True), ("padded", "maybe"), ("settle", None)),
        *(("settle", -0.1), ("min_presence", 1.1), ("gap", float("nan")), ("gap", "long")),
    ],
)
def test_values_that_an_option_cannot_have(name: str, value: object) -> None:
    options = {"width": 0, "height": 0, "padded": False, "settle": 0.2, "min_presence": 0.5, "gap": 1}
    check_options(options)
    with pytest.raises(ActrecError, match=rf"^{name} is .*; expected "):
        check_options({**options, name: value})
