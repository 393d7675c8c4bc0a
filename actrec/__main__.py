"""Lists the commands and runs them: `python -m actrec`, or `actrec` from the shell."""

from __future__ import annotations

import difflib
import os
import runpy
import sys

from actrec._startup import report_in_one_line

COMMANDS = {
    "prepare": "makes a skeleton store from videos, annotations or arrays",
    "check": "checks the data and says what is wrong with it",
    "train": "trains a recogniser on a skeleton store",
    "evaluate": "evaluates one model, or several as an ensemble, on a data set",
    "compare": "compares runs on the clips of one test split",
    "predict": "recognises the actions in videos or from a camera",
    "enroll": "adds a class to a model from a few clips, without training",
    "serve": "serves a model: an API and a live page",
    "view": "draws skeletons over a video, or a store's clips on contact sheets",
    "export": "converts a model to ONNX, which runs without PyTorch",
    "import_published": "converts the published checkpoint to a model folder",
    "benchmark": "measures the speed of a network, or of extracting skeletons from videos",
}


def _list_commands() -> str:
    lines = "\n".join(f"  actrec {name:<17} {what}" for name, what in COMMANDS.items())
    return (
        "Trains, compares and runs online recognisers of human actions from 2D skeletons.\n\n"
        f"{lines}\n\n"
        "Settings are given as key=value, for instance: actrec train experiment=quickstart\n"
        "actrec <command> --help shows a command's settings; python -m actrec.<command> runs it as well.\n"
        'eval "$(actrec -sc install=bash)" turns on the completion of commands and settings.'
    )


def _complete(arguments: list[str]) -> None:
    """Answers Hydra's shell completion, which knows nothing of commands: it runs `actrec -sc query=bash`."""
    words = os.environ.get("COMP_LINE", "").split(" ")
    if "query" in arguments[1] and len(words) < 3:
        print(*COMMANDS)
        return
    command = words[1] if len(words) > 1 and words[1] in COMMANDS else "train"
    os.environ["COMP_LINE"] = " ".join([words[0], *words[2:]])
    from actrec.config import main as hydra_main

    hydra_main(command)(lambda cfg: None)()  # the configs suffice: the command itself would import PyTorch


def main() -> None:
    """Runs the command that is the first argument; without one, lists the commands."""
    sys.excepthook = report_in_one_line
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help"):
        print(_list_commands())
    elif name in ("-sc", "--shell-completion") and arguments:
        _complete(sys.argv[1:])
    elif name in COMMANDS:
        if "" not in sys.path:
            sys.path.insert(0, os.getcwd())  # as python -m does: the user's own classes are found
        sys.argv[1:] = arguments
        runpy.run_module(f"actrec.{name}", run_name="__main__", alter_sys=True)
    else:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        sys.exit(f"error: There is no command '{name}'.{hint} Choose one of: {', '.join(COMMANDS)}.")


if __name__ == "__main__":
    main()
