"""Untrusted files, and limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from actrec.types import ActrecError
from actrec.video.limits import TooMuchVideo, VideoLimits
from actrec.video.video import open_video
from tests.data.clips import HEIGHT, WIDTH, N, joined, write


class TestUntrusted:
    """Content that would open other files, under a video's name."""

    @pytest.fixture
    def other(self, tmp_path: Path) -> Path:
        return write(tmp_path / "other.ts")

    @pytest.mark.parametrize("ending", [".mp4", ".m3u8", ".ts", ""])
    @pytest.mark.parametrize("what", ["playlist", "script", "metadata", "description"])
    def test_is_never_followed(self, what: str, ending: str, other: Path, tmp_path: Path) -> None:
        content = {
            "playlist": f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:2,\nfile://{other}\n#EXT-X-ENDLIST\n",
            "script": f"ffconcat version 1.0\nfile {other.name}\n",
            "metadata": ";FFMETADATA1\ntitle=x\n",
            "description": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
        }
        path = tmp_path / f"upload{ending}"
        path.write_text(content[what])
        with pytest.raises(ActrecError, match=r"not a supported kind of video file|no video at all"):
            open_video(path)

    def test_names_are_no_protocols(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        write(tmp_path / "x.mp4").rename(tmp_path / "concat:a|b.mp4")
        assert len(open_video(Path("concat:a|b.mp4")).times) == N


class TestLimits:
    @pytest.mark.parametrize(
        ("limits", "message"),
        [
            (VideoLimits(side=95), "is 96 pixels a side; at most 95"),
            (VideoLimits(seconds=0.5), r"lasts 0\.8 seconds; at most 0\.5"),
            (VideoLimits(fps=24), "has 25 frames a second; at most 24"),
            (VideoLimits(frames=19), "has 20 frames; at most 19"),
        ],
    )
    def test_are_looked_at_before_a_picture_is_decoded(
        self, limits: VideoLimits, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write(tmp_path / "x.mp4")
        assert len(open_video(path, limits=VideoLimits(seconds=1, fps=25, side=96, frames=20)).times) == N
        monkeypatch.setattr("actrec.video.decoding._decoded", None)
        with pytest.raises(TooMuchVideo, match=message):
            open_video(path, limits=limits)

    @pytest.mark.parametrize(
        ("limits", "message"),
        [
            (VideoLimits(seconds=0.5), "lasts"),
            (VideoLimits(frames=15), "has 16 frames"),
            (VideoLimits(side=100), "is 192 pixels a side"),
        ],
    )
    def test_are_looked_at_again_where_the_header_says_less(
        self, limits: VideoLimits, message: str, tmp_path: Path
    ) -> None:
        """The second half of a joined recording is not in the header: it is as long, or has larger pictures."""
        size = (2 * WIDTH, 2 * HEIGHT) if limits.side == 100 else (WIDTH, HEIGHT)
        parts = [write(tmp_path / "a.ts", n=10), write(tmp_path / "b.ts", n=10, size=size)]
        opened = open_video(joined(tmp_path / "x.ts", *parts), limits=limits)
        frames = opened.frames()
        assert next(frames)[0] == 0
        with pytest.raises(TooMuchVideo, match=message):
            list(frames)

    @pytest.mark.parametrize("value", [0, -1, float("nan")])
    def test_are_numbers_above_0(self, value: float) -> None:
        with pytest.raises(ActrecError, match="limit seconds"):
            VideoLimits(seconds=value)
