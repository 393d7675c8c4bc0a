"""Makes or updates a skeleton store: `python -m actrec.prepare dataset=penn_action raw=…/Penn_Action`."""

from __future__ import annotations

from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from actrec.config import main, no_value
from actrec.data.build_store import prepare
from actrec.data.sources.importer import ClipGenerator
from actrec.data.store.writing import Shard
from actrec.types import ActrecError


@main("prepare")
def run(cfg: DictConfig) -> None:
    """Constructs importer and label map from the config, and makes the store."""
    dataset, max_rejected = cfg.dataset, cfg.max_rejected
    if not isinstance(max_rejected, (int, float)) or not 0 <= max_rejected <= 1:
        raise ActrecError(f"max_rejected is {max_rejected!r}; expected a share from 0 to 1.")
    importer = instantiate(dataset.importer, _convert_="all")
    if cfg.raw is None and not isinstance(importer, ClipGenerator):
        raise no_value("prepare", "raw")
    prepare(
        dataset=dataset.name,
        raw=None if cfg.raw is None else Path(str(cfg.raw)),
        store=Path(str(cfg.store)).expanduser(),
        importer=importer,
        label_map=instantiate(dataset.label_map, _convert_="all"),
        skeleton=dataset.skeleton,
        max_rejected=float(max_rejected),
        pose_model=dataset.pose_model,
        options={
            "importer": OmegaConf.to_container(dataset.importer, resolve=True),
            "label_map": OmegaConf.to_container(dataset.label_map, resolve=True),
        },
        shard=None if cfg.shard is None else Shard.parse(str(cfg.shard)),
    )


if __name__ == "__main__":
    run()
