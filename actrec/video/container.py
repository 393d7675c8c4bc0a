"""Opens video files: the containers that are allowed, the choice of the stream, and its header.

The content of a file is not trusted: only containers that consist of one file are opened, and with the protocol `file`
only, so that a playlist or a script with the name of a video cannot open other files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from actrec.types import ActrecError
from actrec.video.limits import MOST_FPS, VideoLimits

# Demuxers of FFmpeg that read one file and never follow a name in it: not hls, dash, concat, imf, sdp, image2, lavfi.
CONTAINERS = (
    *("apng", "asf", "av1", "avi", "cine", "dhav", "dv", "flv", "gif", "gxf", "h261", "h263", "h264", "hevc", "ivf"),
    *("live_flv", "m4v", "matroska", "mjpeg", "mov", "mpeg", "mpegts", "mpegvideo", "mxf", "nut", "obu", "ogg", "rm"),
    *("vc1", "vvc", "wtv", "yuv4mpegpipe"),
)
_TS_DISCONT = 0x200  # AVFMT_TS_DISCONT of FFmpeg
_HELD = 2**26  # pixels that always fit into memory, so that an error can state the size of a picture
_MOST_SIDE = 2**15  # pixels, of what FFmpeg decodes


class Header(NamedTuple):
    """The header of a video stream.

    Attributes:
        rate: Frames per second; None if the header has no plausible rate.
        n_frames: Approximate number of frames; None if unknown.
        by_order: Whether the container has no presentation times, and frames follow one another at the rate (AVI).
        joins: Whether containers of this kind are cut and joined as bytes, so that times can jump (MPEG).
        promised: Number of packets that the header states; 0 if it states none.
    """

    rate: float | None = None
    n_frames: int | None = None
    by_order: bool = False
    joins: bool = False
    promised: int = 0


def opened(path: Path, limits: VideoLimits) -> Any:
    """Opens a file with PyAV, with a limit for pictures; raises an ActrecError if it is none of `CONTAINERS`."""
    import av

    safe = {"format_whitelist": ",".join(CONTAINERS), "protocol_whitelist": "file"}
    try:
        return av.open(f"file:{path.absolute()}", container_options=safe, options=codec_options(limits))
    except av.error.ArgumentError:
        raise ActrecError(
            "its content is not a supported kind of video file; playlists and scripts never are. Convert it to MP4."
        ) from None
    except (av.error.FFmpegError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error).strip()
        raise ActrecError(
            f"it cannot be opened as a video: cut short, damaged, or no video at all ({reason})."
        ) from None


def codec_options(limits: VideoLimits) -> dict[str, str]:
    """Returns decoder options that refuse pictures far beyond the limits, whatever the header states."""
    return {"max_pixels": f"{max(min(limits.side, _MOST_SIDE) ** 2, _HELD):.0f}"}


def video_stream(container: Any) -> Any:
    """Returns the first stream of moving pictures that FFmpeg can decode; an ActrecError if there is none."""
    from av.stream import Disposition

    covers = Disposition.attached_pic | Disposition.timed_thumbnails
    moving = [stream for stream in container.streams.video if not stream.disposition & covers]
    if not moving:
        only = "a cover picture" if container.streams.video else "sound" if container.streams.audio else "other data"
        raise ActrecError(f"it has no video, only {only}.")
    for stream in moving:
        if stream.codec_context is not None:
            return stream
    raise ActrecError("FFmpeg has no decoder for its codec. Convert it to H.264.")


def read_header(container: Any, stream: Any, limits: VideoLimits) -> Header:
    """Reads the header; raises TooMuchVideo if it is beyond the limits."""
    import av

    rates = [float(rate) for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate) if rate]
    rate = next((rate for rate in rates if 0 < rate <= MOST_FPS), None)
    seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
    if seconds is None and container.duration:
        seconds = container.duration / av.time_base
    codec = stream.codec_context
    limits.check(side=max(codec.width, codec.height), seconds=seconds, fps=rate, frames=stream.frames)
    about = round(seconds * rate) if seconds and rate and seconds > 0 else 0
    names = container.format.name.split(",")
    promised = stream.frames if "avi" in names or "mov" in names else 0
    if "mov" in names and (index := getattr(stream, "index_entries", None)):  # an edit list can leave out packets
        promised = min(promised, len(index))
    joins = bool(int(container.format.flags) & _TS_DISCONT)
    return Header(rate, stream.frames or about or None, "avi" in names, joins, promised)
