"""Chooses the folder that a changed model is written to: a model that comes with actrec is copied first."""

from __future__ import annotations

import shutil
from pathlib import Path

from actrec.files import replace_folder
from actrec.model.spec import SHIPPED
from actrec.types import ActrecError

ENROLLED = "enrolled.npz"  # the enrolled classes in a model folder, see `actrec.online.enrolled`


def writable_copy(model: Path, to: Path | None = None) -> Path:
    """Returns a folder of this model that may be written: `to`, or its own, or ./<name> if it comes with actrec.

    A folder other than its own is made as a copy, without `onnx` and the enrolled classes.

    Raises:
        ActrecError: The folder to be made exists already.
    """
    folder = to if to is not None else Path(model.name) if model.is_relative_to(SHIPPED) else model
    if folder.resolve() == model.resolve():
        return folder
    if folder.exists():
        raise ActrecError(
            f"'{folder}' exists already. Give to=… a new folder, or model={folder} to add the class to it."
        )
    with replace_folder(folder) as made:
        shutil.copytree(model, made, dirs_exist_ok=True, ignore=shutil.ignore_patterns("onnx", ENROLLED))
    return folder
