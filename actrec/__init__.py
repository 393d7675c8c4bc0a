"""actrec: train, compare and run online recognisers of human action from 2D skeletons."""

from actrec.checkpoint import ModelSpec, load_model, load_spec, save_model
from actrec.data.store import read_store
from actrec.skeleton import Skeleton, get_skeleton, map_keypoints
from actrec.types import ActrecError, NetworkOutput, SkeletonSequence

__all__ = [
    "ActrecError",
    "ModelSpec",
    "NetworkOutput",
    "Skeleton",
    "SkeletonSequence",
    "get_skeleton",
    "load_model",
    "load_spec",
    "map_keypoints",
    "read_store",
    "save_model",
]
