"""The one Hydra wrapper of all entry points: finds `conf/`, and turns a user's mistakes into one clear sentence."""

from __future__ import annotations

import functools
import io
import os
import re
import sys
from argparse import Namespace
from collections.abc import Callable, Container, Iterator, Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra import compose, initialize_config_dir
from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, InstantiationException, MissingConfigException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import InterpolationKeyError, OmegaConfBaseException

from actrec.config_keys import can_be_added, check_keys, nearest, paths
from actrec.types import ActrecError

_VERSION_BASE = "1.3"
_OPTIONAL = ("experiment", "sweep")  # groups of which there need not be a choice
Task = Callable[[DictConfig], None]


def config_dir() -> Path:
    """Where the configs are: in the package when it was installed from a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    return package / "conf" if (package / "conf").is_dir() else package.parent / "conf"


def check_whole(cfg: DictConfig, name: str, least: int) -> None:
    """Raises an ActrecError where a top-level value is not a whole number of at least that."""
    if type(cfg[name]) is not int or cfg[name] < least:
        raise ActrecError(f"{name} is {cfg[name]!r}; expected a whole number of at least {least}.")


def no_value(config_name: str, *keys: str) -> ActrecError:
    """The error for keys that the user must give."""
    what = f"{', '.join(keys)} {'has' if len(keys) == 1 else 'have'} no value."
    return ActrecError(f"{what} Give {' '.join(f'{key}=…' for key in keys)}{_example(config_name)}")


def main(config_name: str) -> Callable[[Task], Callable[[], None]]:
    """Make a function of the composed config an entry point.

    The overrides of the command line are tried first. A user's mistake, there or in the function (`ActrecError`), is
    one sentence on stderr and exit status 1; an interrupt is exit status 130. HYDRA_FULL_ERROR=1 gives the traceback.

    Args:
        config_name: The root config in `conf/`, without its ending.
    """

    def decorate(task: Task) -> Callable[[], None]:
        @functools.wraps(task)
        def guarded(cfg: DictConfig) -> None:
            try:
                task(cfg)
            except (ActrecError, InstantiationException, OSError) as error:  # OSError: no such place, a full disk
                _fail(error)

        def entry() -> None:
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(errors="backslashreplace")  # a locale's encoding may lack …, λ and names
            try:
                sys.argv[1:] = [_quoted(argument) for argument in sys.argv[1:]]
                arguments = get_args_parser().parse_args()
                if not (arguments.config_path or arguments.config_dir or arguments.config_name):
                    _try_overrides(config_name, arguments)
                hydra.main(str(config_dir()), config_name, _VERSION_BASE)(guarded)()
            except ActrecError as error:
                _fail(error)
            except KeyboardInterrupt:
                print("interrupted", file=sys.stderr)
                sys.exit(130)

        return functools.wraps(task)(entry)

    return decorate


def _fail(error: Exception) -> None:
    if os.environ.get("HYDRA_FULL_ERROR") == "1":
        raise error
    print(f"error: {_sentence(error)}", file=sys.stderr)
    sys.exit(1)


def _sentence(error: BaseException) -> str:
    """An instantiation error as its root cause and the config key that it is about, a system error with its file."""
    if isinstance(error, OSError):
        return f"{error.strerror or error}: {error.filename}." if error.filename else str(error)
    if not isinstance(error, InstantiationException):
        return str(error)
    key = re.search(r"full_key: (\S+)", str(error))
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    text = str(cause) if isinstance(cause, ActrecError) else f"{type(cause).__name__}: {cause}"
    return f"{text.splitlines()[0] if cause is error else text}{f' (config key {key[1]})' if key else ''}"


def _try_overrides(config_name: str, arguments: Namespace) -> None:
    """Compose once, with the first value of each sweep, and say what is wrong.

    Raises:
        ActrecError: An override is misspelt or malformed, or a mandatory value is missing.
    """
    if arguments.hydra_help or arguments.shell_completion or arguments.info:
        return
    with initialize_config_dir(str(config_dir()), version_base=_VERSION_BASE):
        overrides = [_parse(text) for text in arguments.overrides]
        if arguments.help:  # Hydra's help composes, so a group that must be given takes its first option there
            sys.argv += _stand_ins(config_name, {override.key_or_group for override in overrides})
            return
        texts = [text for override in overrides for text in _first_value(override, arguments.multirun)]
        _check_groups(config_name, overrides)
        try:
            cfg = compose(config_name, texts, return_hydra_config=True)
        except (HydraException, OmegaConfBaseException) as error:
            raise ActrecError(_explain(error, config_name, texts)) from None
        chosen = {group: option for group, option in cfg.hydra.runtime.choices.items() if not group.startswith("hydra")}
        with open_dict(cfg):
            del cfg["hydra"]
        if chosen.get("experiment") or any(text[0] in "+~" for text in texts):
            groups = [f"{group}={option}" for group, option in chosen.items() if group != "experiment" and option]
            check_keys(_plain(cfg), _plain(compose(config_name, groups)), _groups())
    missing = [] if arguments.cfg else list(_missing(OmegaConf.to_container(cfg)))
    if missing:
        raise no_value(config_name, *missing)
    try:
        OmegaConf.to_container(cfg, resolve=True)
    except InterpolationKeyError as error:
        raise ActrecError(f"The config refers to a key that is not there: {' '.join(str(error).split())}") from None
    except OmegaConfBaseException:
        pass  # resolvers such as ${hydra:…} answer only once the run has begun


def _plain(cfg: DictConfig) -> dict[str, Any]:
    plain = OmegaConf.to_container(cfg)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def _check_groups(config_name: str, overrides: Sequence[Override]) -> None:
    """Raises an ActrecError for a config group with a +, as what the command reads is in its defaults, or without a
    value."""
    for override in overrides:
        group = override.key_or_group
        if group in _groups() and not override.is_delete() and override.value() is None and group not in _OPTIONAL:
            choices = "|".join(_options(group))
            raise ActrecError(f"{group}=null is no choice. Choose one: {group}={choices}")
        if override.is_add() and group in _groups():
            own = re.findall(r"^\s*-\s*/?(\w+):", _root(config_name), re.MULTILINE)
            reads = f"It reads {', '.join(own)}: leave +{group}=… out."
            what = f"Write {group}=… without the +." if group in own else reads
            raise ActrecError(f"+{group}=… adds a config group that actrec.{config_name} does not read anew. {what}")


def _quoted(argument: str) -> str:
    """Quotes about a value with letters beyond ASCII, such as a path may have and Hydra's grammar has not."""
    key, equals, value = argument.partition("=")
    return argument if argument.isascii() or re.search(r"['\"\[{(,]", value) else f"{key}{equals}'{value}'"


def _parse(text: str) -> Override:
    try:
        return OverridesParser.create().parse_override(text)
    except HydraException as error:
        reason = str(error).splitlines()[0]
        raise ActrecError(
            f"The override '{text}' cannot be read: {reason}. Write key=value; put quotes about a value with spaces, "
            "commas or brackets: 'key=\"a, b\"'."
        ) from None


def _first_value(override: Override, multirun: bool) -> Iterator[str]:
    if not (multirun and override.is_sweep_override()):
        yield str(override.input_line)
    elif override.is_discrete_sweep():
        values = list(override.sweep_string_iterator())
        if override.key_or_group in _groups():
            for value in values:
                _check_option(override.key_or_group, value, _options(override.key_or_group))
        yield f"{override.get_key_element()}={values[0]}"


def _check_option(group: str, option: str, options: Sequence[str]) -> None:
    if option not in options:
        raise ActrecError(
            f"There is no {group} '{option}'.{nearest(option, options)} Choose one of: {', '.join(options)}."
        )


def _explain(error: Exception, config_name: str, texts: list[str]) -> str:
    message = str(error).strip()
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options is not None:
        group, _, option = error.missing_cfg_file.rpartition("/")
        _check_option(group, option, error.options)
    in_list = re.search(r"Could not load '(\w+)/(\w+)'", message)
    if in_list:
        _check_option(in_list[1], in_list[2], _options(in_list[1]))
    group_missing = re.search(r"You must specify '([^']+)'", message)
    key = re.search(r"Could not override '([^'@]+)", message)
    if group_missing or (key and _is_unknown(error)):
        known = _all_keys(config_name, texts)
        names = [text.split("=", 1)[0] for text in texts if "=" in text and text[0] not in "+~"]
        inside = re.search(r"Key '(\w+)' is not in struct", f"{error.__cause__ or ''}")  # of a value {…: …}
        full = f"{key[1]}.{inside[1]}" if key and inside and key[1] in known else key and key[1]
        for name in [full] if full else [name for name in names if name not in known]:
            return f"There is no config key '{name}'.{nearest(name, known)}{_how_to_add(name, config_name, texts)}"
    if group_missing:
        choices = "|".join(_options(group_missing[1]))
        return f"{group_missing[1]} has no value. Choose one: {group_missing[1]}={choices}{_example(config_name)}"
    cause = f" {str(error.__cause__).splitlines()[0]}" if error.__cause__ and str(error.__cause__) else ""
    return f"The config cannot be composed: {' '.join(message.split())}{cause}"


def _is_unknown(error: Exception) -> bool:
    text = f"{error} {error.__cause__ or ''}"
    return "not in struct" in text or "No match in the defaults list" in text or "append to your config" in text


def _options(group: str) -> list[str]:
    return sorted(file.stem for file in (config_dir() / group).glob("*.yaml"))


def _groups() -> list[str]:
    folders = (file.parent.relative_to(config_dir()).as_posix() for file in config_dir().glob("*/**/*.yaml"))
    return sorted({folder for folder in folders if not folder.startswith("hydra")})


def _root(config_name: str) -> str:
    return (config_dir() / f"{config_name}.yaml").read_text(encoding="utf-8")


def _stand_ins(config_name: str, given: Container[str]) -> list[str]:
    """The first option of each group that the root config leaves to the user."""
    wanted = re.findall(r"^\s*-\s*/?(\w+):\s*\?\?\?", _root(config_name), re.MULTILINE)
    return [f"{group}={_options(group)[0]}" for group in wanted if group not in given]


def _all_keys(config_name: str, texts: list[str]) -> list[str]:
    """Config groups and the dotted path of every key, under the groups that the overrides choose."""
    return [*_groups(), *paths(_chosen(config_name, texts))]


def _chosen(config_name: str, texts: list[str]) -> DictConfig | None:
    """The config of the groups that the overrides choose, without their values; None where that is wrong too."""
    groups = _groups()
    pairs = dict(text.lstrip("+").split("=", 1) for text in texts if "=" in text)
    chosen = [f"{group}={option}" for group, option in pairs.items() if group in groups and option in _options(group)]
    try:
        return compose(config_name, [*chosen, *_stand_ins(config_name, pairs)])
    except (HydraException, OmegaConfBaseException):  # the groups can be named all the same
        return None


def _how_to_add(name: str, config_name: str, texts: list[str]) -> str:
    """Advice to write +key=…, where something would read the key; else nothing."""
    cfg = _chosen(config_name, texts)
    return f" To set it, write +{name}=…" if cfg is not None and can_be_added(name, cfg) else ""


def _missing(node: Any, prefix: str = "") -> Iterator[str]:
    """The dotted paths of mandatory values that nobody gave; unlike OmegaConf's own, it resolves nothing."""
    for key, value in node.items() if isinstance(node, dict) else ():
        if value == "???":
            yield f"{prefix}{key}"
        yield from _missing(value, f"{prefix}{key}.")


def _example(config_name: str) -> str:
    """The example that the root config gives in `hydra.help.footer`."""
    root = OmegaConf.load(config_dir() / f"{config_name}.yaml")
    footer = OmegaConf.select(root, "hydra.help.footer")
    return f", for instance:\n  {footer.strip()}" if footer else "."
