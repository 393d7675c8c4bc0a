"""actrec: train, compare and run online recognisers of human action from 2D skeletons."""

from typing import Any

from actrec import _interrupts as _interrupts
from actrec.data.store.reading import read_store
from actrec.model.spec import ModelSpec, load_spec
from actrec.online.recognizer import OnlineRecognizer, Prediction
from actrec.skeleton import Skeleton, get_skeleton, map_keypoints
from actrec.types import ActrecError, SkeletonSequence

__all__ = [
    "ActrecError",
    "ModelSpec",
    "OnlineRecognizer",
    "Prediction",
    "Skeleton",
    "SkeletonSequence",
    "get_skeleton",
    "load_model",
    "load_spec",
    "map_keypoints",
    "read_store",
    "save_model",
]


def __getattr__(name: str) -> Any:
    """Imports what needs torch when it is asked for."""
    if name in ("load_model", "save_model"):
        from actrec.model import folder

        return getattr(folder, name)
    raise AttributeError(f"module 'actrec' has no attribute '{name}'")
