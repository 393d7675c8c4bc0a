"""Reports an interrupt or a missing package in one line while a command is being imported.

`actrec` imports this module before anything else, so it imports only the standard library.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import TracebackType
from typing import Any

# The extra that installs each package which is not in the base installation.
EXTRAS = {
    "train": [
        "einops",
        "hydra",
        "jinja2",
        "lightning",
        "matplotlib",
        "omegaconf",
        "PIL",
        "safetensors",
        "scipy",
        "torch",
        "tqdm",
    ],
    "video": ["av", "cv2", "lap", "ultralytics"],
    "serve": ["fastapi", "fastapi_offline", "prometheus_client", "pydantic", "starlette", "streamlit", "uvicorn"],
    "export": ["onnxscript"],
    "search": ["optuna"],
    "track": ["tensorboard", "wandb"],
}

# The extra of a command, which has these packages too, where it is not "train".
_OF_COMMAND = {"predict": "video", "view": "video", "serve": "serve"}
_SHARED = ("hydra", "omegaconf", "PIL")


def _command() -> str:
    """Returns the command that this process runs: "predict" for `python -m actrec.predict` and `actrec predict`."""
    words = [word.removeprefix("actrec.") for word in sys.orig_argv[1:4]]
    return next((word for word in words if word in _OF_COMMAND), "")


def advise_installation(error: ImportError) -> str | None:
    """Returns a sentence that names the extra which installs a missing package; None where no extra does."""
    package = (error.name or "").partition(".")[0]
    own = _OF_COMMAND.get(_command()) if package in _SHARED else None
    for extra, packages in EXTRAS.items():
        if package in packages and isinstance(error, ModuleNotFoundError):
            return f"This needs {package}, which is not installed: pip install 'actrec[{own or extra}]'"
    return None


def import_name(module: str, name: str) -> Any:
    """Imports a name from a module; raises a SetupError that names the extra with a package that is missing."""
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if advice := advise_installation(error):
            from actrec.types import SetupError

            raise SetupError(advice) from None
        raise


def report_in_one_line(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Prints an uncaught exception: an interrupt or a missing package as one line, any other with its traceback."""
    if issubclass(kind, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
    elif isinstance(error, ImportError) and (advice := advise_installation(error)):
        print(f"error: {advice}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)


if sys.argv[:1] == ["-m"]:  # python -m actrec.…, whose own module has not been found yet
    sys.excepthook = report_in_one_line
