"""Makes Lightning raise a plain KeyboardInterrupt on Ctrl-C, which the command reports in one word."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def plain_interrupts() -> Iterator[None]:
    """Raises KeyboardInterrupt where Lightning exits on Ctrl-C, and drops Lightning's messages about it."""

    def is_other(record: logging.LogRecord) -> bool:
        return "Detected KeyboardInterrupt" not in record.getMessage()

    logger = logging.getLogger("lightning.pytorch.utilities.rank_zero")
    logger.addFilter(is_other)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*does not have many workers.*")  # intended: see conf/hardware
            yield
    except SystemExit:
        raise KeyboardInterrupt from None
    finally:
        logger.removeFilter(is_other)
