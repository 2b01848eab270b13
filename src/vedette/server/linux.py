"""What only Linux offers: children that share the parent's memory until they write, and that die with it.

The one module of the project that is particular to a system; elsewhere its functions do the nearest portable thing.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
from multiprocessing.context import BaseContext

IS_LINUX = sys.platform == "linux"

_PR_SET_PDEATHSIG = 1


def process_context() -> BaseContext:
    """How to start child processes: forked from a parent that has imported what they share, else spawned afresh."""
    return multiprocessing.get_context("fork" if IS_LINUX else "spawn")


def web_process_limit(wanted: int) -> int:
    """Several processes can accept on one port only where the kernel balances between their sockets."""
    return wanted if IS_LINUX else 1


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when `parent` is gone, even if that was killed without warning."""
    if not IS_LINUX:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)
