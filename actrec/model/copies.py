"""Chooses the folder that a changed model is written to: a model that comes with actrec is copied first."""

from __future__ import annotations

import shutil
from pathlib import Path

from actrec.files import replace_folder
from actrec.model.spec import SHIPPED
from actrec.types import ActrecError

ENROLLED = "enrolled.npz"  # the enrolled classes in a model folder, see `actrec.online.enrolled`


def writable_folder(model: Path, to: Path | None = None) -> Path:
    """Returns the folder to write a changed model to: `to`, or its own, or ./<name> if it comes with actrec.

    Raises:
        ActrecError: The folder is not the model's own, and exists already.
    """
    folder = to if to is not None else Path(model.name) if model.is_relative_to(SHIPPED) else model
    if folder.exists() and folder.resolve() != model.resolve():
        raise ActrecError(
            f"'{folder}' exists already. Give to=… a new folder, or model={folder} to add the class to it."
        )
    return folder


def writable_copy(model: Path, to: Path | None = None) -> Path:
    """Returns `writable_folder`; if it is not there, it is made as a copy, without `onnx` and the enrolled classes.

    Raises:
        ActrecError: The folder to be made exists already.
    """
    folder = writable_folder(model, to)
    if not folder.exists():
        with replace_folder(folder) as made:
            shutil.copytree(model, made, dirs_exist_ok=True, ignore=shutil.ignore_patterns("onnx", ENROLLED))
    return folder
