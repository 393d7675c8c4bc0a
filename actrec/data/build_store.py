"""Makes the skeleton store of a data set: imports clips, maps labels and joints, writes, and logs a summary.

`actrec.prepare` is the command.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from actrec.data.clips import conform
from actrec.data.quick_check import log_warnings
from actrec.data.sources.importer import ClipGenerator, Importer
from actrec.data.sources.labels import LabelMap
from actrec.data.store.clip_source import ClipSource
from actrec.data.store.ranges import ranges_line
from actrec.data.store.reading import iterate_store, read_segments
from actrec.data.store.summary import StoreSummary
from actrec.data.store.writing import REJECTED, Shard, write_store
from actrec.skeleton import get_skeleton
from actrec.types import ActrecError, Segment

log = logging.getLogger(__name__)


def prepare(
    dataset: str,
    raw: Path | None,
    store: Path,
    importer: Importer | ClipGenerator,
    label_map: LabelMap,
    skeleton: str,
    max_rejected: float = 0.05,
    pose_model: str | None = None,
    options: dict[str, Any] | None = None,
    shard: Shard | None = None,
) -> StoreSummary:
    """Makes or updates the skeleton store of a data set.

    Args:
        raw: Folder or file that the importer reads; None for a data set that is generated.
        importer: Lists the clips in `raw`.
        skeleton: Joint layout of the store; clips of another layout are mapped to it.
        max_rejected: Share of bad clips above which the run fails.
        pose_model: The pose model of clips that are stored with their joints, if it is known.
        options: The options of importer and label map, for `store.json`.
        shard: The part of the clips that this worker makes.

    Raises:
        ActrecError: There is nothing to import, a label is unknown, or too many clips are bad.
    """
    get_skeleton(skeleton)
    raw, clips = _listed(dataset, raw, importer)
    wanted, skipped = _wanted(clips, label_map)
    poses = sorted({clip.pose for clip in wanted if clip.pose})
    if pose_model and any(clip.pose is None for clip in wanted):
        poses = [(pose_model, ""), *poses]
    info = {
        "dataset": dataset,
        "raw": str(raw) if raw else None,
        "skeleton": skeleton,
        "pose_model": ", ".join(name for name, _ in poses),
        "pose_model_version": ", ".join(version for _, version in poses if version),
        "options": options or {},
    }
    accept = partial(conform, label_map=label_map, skeleton=skeleton)
    summary = write_store(store, wanted, info, accept, max_rejected, shard)
    summary.skipped.update(skipped)
    present = {clip.source for clip in clips}
    absent = [source for source in label_map.sources if source not in present]
    segments = {} if summary.missing else read_segments(store, summary.rows)
    log.info("%s", describe(summary, store, label_map.names, absent, segments))
    if not summary.missing:
        log.info("%s", ranges_line(summary.measures))
        log_warnings(iterate_store(store), len(summary.rows), store)
    log.info("%s", outcome(summary, store))
    return summary


def _listed(dataset: str, raw: Path | None, importer: Importer | ClipGenerator) -> tuple[Path | None, list[ClipSource]]:
    """Lists the clips of the data set, and resolves the path `raw`."""
    if isinstance(importer, ClipGenerator):
        if raw is not None:
            raise ActrecError(f"raw={raw} would not be read: dataset={dataset} is generated. Leave it out.")
        return None, importer()
    if raw is None or not (raw := raw.expanduser().resolve()).exists():
        raise ActrecError(f"raw={raw} does not exist. Give the folder (or file) of the data set.")
    return raw, importer(raw)


def _wanted(clips: list[ClipSource], label_map: LabelMap) -> tuple[list[ClipSource], Counter[tuple[str, str]]]:
    """Returns the clips that the label map accepts, and the number of clips left out by source and label."""
    wanted: list[ClipSource] = []
    skipped: Counter[tuple[str, str]] = Counter()
    for clip in clips:
        if clip.label is None or label_map(clip.source, clip.label) is not None:
            wanted.append(clip)
        else:
            skipped[clip.source, clip.label] += 1
    return wanted, skipped


def describe(
    summary: StoreSummary,
    store: Path,
    labels: tuple[str, ...] = (),
    absent: list[str] | None = None,
    segments: Mapping[str, Sequence[Segment]] | None = None,
) -> str:
    """Describes the store: a table of clips by label and source, and the clips and sources that are left out."""
    names = labels or tuple(sorted({row["label"] for row in summary.rows}))
    lines = _table(summary, names)
    splits = Counter(row["split"] for row in summary.rows)
    by_split = ", ".join(
        f"{splits[split]} {split or 'without a split'}" for split in ("train", "val", "test", "") if splits[split]
    )
    frames = sum(int(row["n_frames"]) for row in summary.rows)
    lines.append(f"{len(summary.rows)} clips ({by_split}), {frames} frames, {summary.observed:.1%} of joints observed.")
    if summary.unseen:
        lines.append(f"Clips without an observed joint, which are kept: {', '.join(summary.unseen)}.")
    if absent:
        lines.append(f"Sources that are absent: {', '.join(absent)}.")
    if segments:
        lines.append(segments_line(segments))
    found = {row["label"] for row in summary.rows} | {each.label for rows in (segments or {}).values() for each in rows}
    without = [name for name in names if name not in found]
    if without:
        lines.append(f"Labels without clips: {', '.join(without)}.")
    if summary.nobody:
        more = ", …" if len(summary.nobody) > 3 else ""
        lines.append(f"Skipped {len(summary.nobody)} without a body: {', '.join(summary.nobody[:3])}{more}.")
    if summary.skipped:
        skipped = ", ".join(f"{label} ({source}) {n}" for (source, label), n in sorted(summary.skipped.items()))
        lines.append(f"Left out, as the label map does not have their labels: {skipped}.")
    return "\n".join(lines + _rejections(summary, store))


def segments_line(segments: Mapping[str, Sequence[Segment]]) -> str:
    """Describes the segments of a store's clips."""
    counts = Counter(each.label for rows in segments.values() for each in rows)
    repetitions = Counter[str]()
    for each in (each for rows in segments.values() for each in rows):
        repetitions[each.label] += each.repetitions or 0
    parts = [
        f"{count} {label or 'that nobody has labelled'}"
        + (f" ({repetitions[label]} repetitions)" * (label in +repetitions))
        for label, count in counts.most_common()
    ]
    return f"Segments in {len(segments)} clips: {', '.join(parts)}."


def _table(summary: StoreSummary, names: tuple[str, ...]) -> list[str]:
    sources = sorted({row["source"] for row in summary.rows})
    counts = Counter((row["label"], row["source"]) for row in summary.rows)
    width = max(len(name) for name in (*names, "label"))
    lines = [f"{'label':<{width}}" + "".join(f"  {source:>12}" for source in sources)]
    return lines + [
        f"{name:<{width}}" + "".join(f"  {counts[name, source]:>12}" for source in sources) for name in names
    ]


def _rejections(summary: StoreSummary, store: Path) -> list[str]:
    lines = []
    if summary.rejected:
        lines.append(f"Rejected {len(summary.rejected)}, listed in {store / REJECTED}:")
        lines += [f"  {origin}: {reason}" for origin, reason in summary.rejected.items()]
    if summary.unexpected:
        lines.append(
            f"{summary.unexpected} of them by unexpected errors; the next run tries them again, and "
            "hydra.verbose=actrec shows their tracebacks."
        )
    if summary.adopted:
        lines.append(
            f"{summary.adopted} clips are of a version that wrote no sources.csv. Their sources are not newer than the "
            "clips, so they are assumed to be their sources."
        )
    return lines


def outcome(summary: StoreSummary, store: Path) -> str:
    """Formats what the run did, for the last line of the output."""
    if not summary.missing:
        return summary.outcome(store)
    return (
        f"Clips that other shards have still to make: {summary.missing}; the last shard finishes the store.\n"
        f"{summary.written} clips written to {store} by this shard."
    )
