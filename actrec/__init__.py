"""Trains, compares and runs online recognisers of human actions from 2D skeletons.

Importing the package is cheap: each public name is imported from its module on first use.
"""

from typing import TYPE_CHECKING, Any

from actrec import _startup as _startup

if TYPE_CHECKING:
    from actrec.data.store.reading import read_store
    from actrec.model.folder import load_model, save_model
    from actrec.model.spec import ModelSpec, load_spec
    from actrec.online.prediction import Prediction
    from actrec.online.recognizer import OnlineRecognizer
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

_MODULES = {
    "data.store.reading": ("read_store",),
    "model.folder": ("load_model", "save_model"),
    "model.spec": ("ModelSpec", "load_spec"),
    "online.prediction": ("Prediction",),
    "online.recognizer": ("OnlineRecognizer",),
    "skeleton": ("Skeleton", "get_skeleton", "map_keypoints"),
    "types": ("ActrecError", "SkeletonSequence"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return _startup.import_name(f"actrec.{module}", name)
    raise AttributeError(f"module 'actrec' has no attribute '{name}'")
