from __future__ import annotations

import platform
import subprocess
import sys

import pytest

SCRIPT = """
import numpy as np
from actrec.training.malloc import keep_freed_memory
if {keep}: keep_freed_memory()
def faults():
    import resource
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
held = np.ones(8 << 20)
del held
before = faults()
held = np.ones(8 << 20)
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc alone can be told")
def test_freed_memory_is_used_again_without_the_system() -> None:
    faults = {
        keep: int(
            subprocess.run([sys.executable, "-c", SCRIPT.format(keep=keep)], capture_output=True, check=True).stdout
        )
        for keep in (False, True)
    }
    assert faults[True] < 10
    assert faults[False] > 25  # pages that were mapped anew; 32 where they are huge ones
