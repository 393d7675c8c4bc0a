"""Runs a command with Hydra on the configs in `conf/`, and reports a user's mistakes in one sentence."""

from __future__ import annotations

import functools
import io
import os
import re
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra import compose, initialize_config_dir
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, InstantiationException, MissingConfigException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import InterpolationKeyError, OmegaConfBaseException

from actrec.config_groups import Groups
from actrec.config_keys import can_be_added, check_keys, nearest, paths
from actrec.skeleton import add_skeleton
from actrec.types import ActrecError

_VERSION_BASE = "1.3"
_RENAMED = {("evaluate", "part"): "split"}  # keys of earlier versions, by command
Task = Callable[[DictConfig], None]


def config_dir() -> Path:
    """Returns the folder of the configs: in the package when installed from a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    return package / "conf" if (package / "conf").is_dir() else package.parent / "conf"


def check_whole(cfg: DictConfig, name: str, least: int) -> None:
    """Raises an ActrecError where a top-level value is not an integer of at least `least`."""
    if type(cfg[name]) is not int or cfg[name] < least:
        raise ActrecError(f"{name} is {cfg[name]!r}; expected a whole number of at least {least}.")


def no_value(config_name: str, *keys: str) -> ActrecError:
    """Makes the error for keys that the user must give; it ends with the example of the command's help."""
    what = f"{', '.join(keys)} {'has' if len(keys) == 1 else 'have'} no value."
    example = OmegaConf.select(Groups(config_name, [config_dir()]).root, "hydra.help.footer")
    return ActrecError(f"{what} Give {' '.join(f'{key}=…' for key in keys)}, for instance:\n  {example.strip()}")


def main(config_name: str) -> Callable[[Task], Callable[[], None]]:
    """Makes a function of the config that is composed from `conf/<config_name>.yaml` the entry point of a command.

    The overrides of the command line are checked first. A user's mistake, there or in the function (`ActrecError`), is
    one sentence on stderr and exit status 1; an interrupt is exit status 130. HYDRA_FULL_ERROR=1 gives the traceback.
    """

    def decorate(task: Task) -> Callable[[], None]:
        @functools.wraps(task)
        def guarded(cfg: DictConfig) -> None:
            try:
                _add_skeletons(source.path for source in HydraConfig.get().runtime.config_sources)
                task(cfg)
            except (ActrecError, InstantiationException, OmegaConfBaseException, OSError) as error:
                _fail(error)

        def entry() -> None:
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(errors="backslashreplace")  # a locale's encoding may lack …, λ and names
            try:
                sys.argv[1:] = [_quoted(argument) for argument in sys.argv[1:]]
                arguments = _parse_arguments()
                own = arguments.config_path or arguments.config_name  # the user's own root config is Hydra's to check
                if not (own or arguments.hydra_help or arguments.shell_completion or arguments.info):
                    groups = _groups(config_name, arguments)
                    cfg = _check(groups, arguments)
                    if arguments.help:
                        return print(groups.help(OmegaConf.to_yaml(cfg)), flush=True)
                hydra.main(str(config_dir()), config_name, _VERSION_BASE)(guarded)()
            except ActrecError as error:
                _fail(error)
            except BrokenPipeError:  # the reader has ended, as in … --help | head; Python would complain at exit
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            except KeyboardInterrupt:
                print("interrupted", file=sys.stderr)
                sys.exit(130)

        return functools.wraps(task)(entry)

    return decorate


def _add_skeletons(sources: Iterator[str]) -> None:
    """Makes the joint layouts known that folders of configs have as `skeletons/<name>.yaml`."""
    for source in sources:
        for file in sorted((Path(source.removeprefix("file://")) / "skeletons").glob("*.yaml")):
            content: Any = OmegaConf.to_container(OmegaConf.load(file))
            if not isinstance(content, dict):
                raise ActrecError(f"{file} is no mapping; expected joints: […] and bones: [[…, …], …].")
            add_skeleton({"name": file.stem, **content})


def _fail(error: Exception) -> None:
    if os.environ.get("HYDRA_FULL_ERROR") == "1":
        raise error
    print(f"error: {_sentence(error)}", file=sys.stderr)
    sys.exit(1)


def _sentence(error: BaseException) -> str:
    """Formats an error: of an instantiation its root cause and config key, of the system its file."""
    if isinstance(error, OSError):
        return f"{error.strerror or error}: {error.filename}." if error.filename else str(error)
    if isinstance(error, OmegaConfBaseException):
        return f"The config has a wrong or missing key: {str(error).splitlines()[0]}."
    if not isinstance(error, InstantiationException):
        return str(error)
    key = str(error).partition("full_key: ")[2].strip()  # Hydra gives the key only in the text of the message
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    text = str(cause) if isinstance(cause, ActrecError) else f"{type(cause).__name__}: {cause}"
    return f"{text.splitlines()[0] if cause is error else text}{f' (config key {key})' if key else ''}"


def _quoted(argument: str) -> str:
    """Puts quotes around a value with letters beyond ASCII, which Hydra's grammar does not accept without."""
    key, equals, value = argument.partition("=")
    return argument if argument.isascii() or re.search(r"['\"\[{(,]", value) else f"{key}{equals}'{value}'"


def _parse_arguments() -> Namespace:
    arguments, unknown = get_args_parser().parse_known_args()
    dashed = [each for each in unknown if each.startswith("-")]
    if unknown and not dashed:  # settings after an option of Hydra, which argparse does not accept after others
        sys.argv[1:] = [*unknown, *(each for each in sys.argv[1:] if each not in unknown)]
        return get_args_parser().parse_args()
    if dashed:
        key, _, value = dashed[0].lstrip("-").partition("=")
        rest = sys.argv[sys.argv.index(dashed[0]) + 1 :]
        value = value or (rest[0] if rest and rest[0][0] != "-" and "=" not in rest[0] else "…")
        raise ActrecError(f"There is no option {dashed[0]}. Settings are given without dashes: {key}={value}")
    return arguments


def _groups(config_name: str, arguments: Namespace) -> Groups:
    own = [] if arguments.config_dir is None else [Path(arguments.config_dir).absolute()]
    if own and not own[0].is_dir():
        raise ActrecError(f"There is no folder --config-dir={arguments.config_dir}.")
    return Groups(config_name, [config_dir(), *own])


def _check(groups: Groups, arguments: Namespace) -> DictConfig:
    """Composes the config, with the first value of each sweep, and returns it.

    Raises:
        ActrecError: An override is misspelt or malformed, or a mandatory value is missing.
    """
    with initialize_config_dir(str(config_dir()), version_base=_VERSION_BASE):
        try:
            overrides = OverridesParser.create().parse_overrides(arguments.overrides)
        except HydraException as error:
            reason = ": ".join(str(error).splitlines()[:2])
            raise ActrecError(f"{reason}. Write key=value, or 'key=\"a, b\"'.") from None
        for override in overrides:
            groups.check_given(override)
        texts = [text for override in overrides for text in _first_value(override, arguments.multirun, groups)]
        missing = groups.missing({override.key_or_group for override in overrides})
        stand_ins = [f"{group}={groups.options(group)[0]}" for group in missing]  # so that other mistakes are found too
        cfg = _compose(groups, [*texts, *stand_ins])
    if missing and not arguments.help:
        choices = "|".join(groups.options(missing[0]))
        raise ActrecError(f"{missing[0]} has no value. Choose one: {missing[0]}={choices}")
    try:
        keys = sorted(OmegaConf.missing_keys(cfg))
    except InterpolationKeyError as error:
        raise ActrecError(f"The config refers to a key that is not there: {' '.join(str(error).split())}") from None
    except OmegaConfBaseException:  # resolvers such as ${hydra:…} answer only once the run has begun
        keys = []
    if keys and not (arguments.cfg or arguments.help):
        raise no_value(groups.config_name, *keys)
    return cfg


def _compose(groups: Groups, texts: list[str]) -> DictConfig:
    """Composes the config of a command and checks its keys."""
    search = f"hydra.searchpath=[{','.join(f'file://{folder}' for folder in groups.folders[1:])}]"
    try:
        cfg = compose(groups.config_name, [search, *texts], return_hydra_config=True)
    except (HydraException, OmegaConfBaseException) as error:
        pairs = [text.partition("=") for text in texts]
        chosen = [
            f"{group}={option}"
            for group, _, option in pairs
            if group in groups.all() and option in groups.options(group)
        ]
        raise ActrecError(_explain(error, groups, texts, [search, *chosen])) from None
    choices = {group: option for group, option in cfg.hydra.runtime.choices.items() if not group.startswith("hydra")}
    with open_dict(cfg):
        del cfg["hydra"]
    if choices.get("experiment") or any(text[0] in "+~" for text in texts):
        chosen = [
            f"{'' if group in groups.own else '+'}{group}={option}"
            for group, option in choices.items()
            if group != "experiment" and option
        ]
        check_keys(_plain(cfg), _plain(compose(groups.config_name, [search, *chosen])), groups.all())
    return cfg


def _plain(cfg: DictConfig) -> dict[str, Any]:
    plain = OmegaConf.to_container(cfg)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def _first_value(override: Override, multirun: bool, groups: Groups) -> Iterator[str]:
    if not (multirun and override.is_sweep_override()):
        yield str(override.input_line)
    elif override.is_discrete_sweep():
        values = list(override.sweep_string_iterator())
        if override.key_or_group in groups.all():
            for value in values:
                groups.check_option(override.key_or_group, value)
        yield f"{override.get_key_element()}={values[0]}"


def _explain(error: Exception, groups: Groups, texts: Sequence[str], chosen: list[str]) -> str:
    """Says why overrides cannot be composed; `chosen` are the choices of groups among them."""
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, option = error.missing_cfg_file.rpartition("/")
        groups.check_option(group, option)
    key = getattr(error.__cause__, "full_key", None)
    if key:
        declared = compose(groups.config_name, chosen)
        name = next((each for text in texts if (each := text.partition("=")[0]).startswith(f"{key}.")), key)
        if (groups.config_name, name) in _RENAMED:
            return f"There is no config key '{name}' any more: it is '{_RENAMED[groups.config_name, name]}' now."
        hint = f" To set it, write +{name}=…" if can_be_added(name, declared) else ""
        return f"There is no config key '{name}'.{nearest(name, [*groups.all(), *paths(declared)])}{hint}"
    cause = f" {str(error.__cause__).splitlines()[0]}" if error.__cause__ and str(error.__cause__) else ""
    return f"The config cannot be composed: {' '.join(str(error).split())}{cause}"
