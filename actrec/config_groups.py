"""The config groups that a command can read: the package's, and those of the user's `--config-dir`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from actrec.config_keys import nearest
from actrec.types import ActrecError


@dataclass(frozen=True)
class Groups:
    """The config groups of a command: its root config's name, and the folders of configs, the package's first."""

    config_name: str
    folders: Sequence[Path]

    @cached_property
    def root(self) -> DictConfig:
        """The command's root config, as it is written."""
        root = OmegaConf.load(self.folders[0] / f"{self.config_name}.yaml")
        assert isinstance(root, DictConfig)
        return root

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        defaults: Any = OmegaConf.to_container(self.root.defaults)
        return {key: option for each in defaults if isinstance(each, dict) for key, option in each.items()}

    @property
    def own(self) -> list[str]:
        """The groups that the command reads."""
        return [group for group in self._defaults if not group.startswith("override ")]

    def missing(self, given: Iterable[str]) -> list[str]:
        """Returns the groups that the user must choose and that are not given."""
        return [group for group, option in self._defaults.items() if option == "???" and group not in given]

    def all(self, folders: Sequence[Path] | None = None) -> list[str]:
        """Returns the groups of all commands, in all folders or some."""
        found = {
            file.parent.relative_to(folder).as_posix()
            for folder in (folders or self.folders)
            for file in folder.glob("*/**/*.yaml")
        }
        return sorted(group for group in found if group.partition("/")[0] not in ("hydra", "skeletons"))

    def options(self, group: str) -> list[str]:
        """Returns the options of a group."""
        return sorted({file.stem for folder in self.folders for file in (folder / group).glob("*.yaml")})

    def check_given(self, override: Override) -> None:
        """Raises an ActrecError for a group of other commands, or for null, which Hydra does not take.

        The user's own groups may be added.
        """
        group = override.key_or_group
        if group not in self.own and group in self.all(self.folders[:1]):
            reads = f"it reads {', '.join(self.own)}" if self.own else "it reads none"
            raise ActrecError(
                f"actrec.{self.config_name} does not read the config group {group}; {reads}. Leave it out."
            )
        if group in self.all() and not override.is_delete() and override.value() is None:
            raise ActrecError(f"{group}=null is no choice. Choose one: {group}={'|'.join(self.options(group))}")

    def check_option(self, group: str, option: str) -> None:
        """Raises an ActrecError for an option that a group does not have."""
        options = self.options(group)
        if option not in options:
            near, listed = nearest(option, options), ", ".join(options)
            raise ActrecError(f"There is no {group} '{option}'.{near} Choose one of: {listed}.")

    def help(self, config: str) -> str:
        """Formats the help of the command, with its composed config as YAML."""
        text = OmegaConf.select(self.root, "hydra.help")
        groups = "\n".join(f"{group}: {', '.join(self.options(group))}" for group in self.own)
        return (
            f"{text.header}\n\n== Config groups: group=option ==\n{groups or 'none'}\n\n== Config: key=value ==\n"
            f"{config}\n{text.footer}\n--hydra-help lists Hydra's own options, such as --config-dir and --multirun."
        )
