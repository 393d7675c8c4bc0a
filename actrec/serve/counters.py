"""Prometheus metrics of one server, which `/metrics` returns."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Counters:
    """The metrics of one server, in a registry of their own, so that a process can run several servers."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.frames = Counter("actrec_frames", "Frames answered", ["kind"], registry=self._registry)
        self.errors = Counter("actrec_bad_frames", "Invalid frames", registry=self._registry)
        self.failures = Counter(
            "actrec_failures", "Streams and uploads ended by an internal error", ["kind"], registry=self._registry
        )
        for kind in ("stream", "video"):
            self.failures.labels(kind)  # exports 0 before the first failure
        self.shed = Counter("actrec_shed_frames", "Frames dropped from full queues", registry=self._registry)
        self.sessions = Gauge("actrec_sessions", "Current streams and uploads", registry=self._registry)
        self.latency = Histogram(
            "actrec_frame_seconds",
            "Time from a frame's arrival to its answer",
            buckets=_BUCKETS,
            registry=self._registry,
        )

    def text(self) -> bytes:
        """Returns the metrics in the text format of Prometheus."""
        return generate_latest(self._registry)
