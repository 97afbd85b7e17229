"""A pytest plugin around nbval 0.11.0, loaded by `-p tests.nbval_guard`. It mends two habits:

- nbval waits out the whole cell timeout when the kernel has died; here the kernel is looked at once a second.
- nbval runs on after a failed cell, and every later cell fails for the same reason; here they are skipped.
"""

from __future__ import annotations

import time
from queue import Empty

import pytest
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell

POLL_SECONDS = 1.0
nbval_await_reply = RunningKernel.await_reply  # kept whole: called once per slice of the wait


def await_reply(kernel: RunningKernel, msg_id: str, timeout: float | None = None) -> None:
    """Wait as nbval does, in slices of a second; a kernel found dead between two slices ends the wait."""
    deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
    while True:
        remaining = max(0.0, deadline - time.monotonic())
        try:
            return nbval_await_reply(kernel, msg_id, timeout=min(POLL_SECONDS, remaining))
        except Empty:
            if not kernel.is_alive():
                raise RuntimeError("the kernel died while this cell ran (out of memory, os._exit or a crash)") from None
            if remaining <= POLL_SECONDS:
                raise


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip the cells that stand below a failed one."""
    failed = getattr(item.parent, "first_failed_cell", None)
    if isinstance(item, IPyNbCell) and failed is not None:
        pytest.skip(f"an earlier cell failed ({failed})")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> object:
    """Remember the first cell of a notebook that failed."""
    report = yield
    if isinstance(item, IPyNbCell) and report.failed and not hasattr(item.parent, "first_failed_cell"):
        item.parent.first_failed_cell = item.name
    return report


def pytest_configure(config: pytest.Config) -> None:
    RunningKernel.await_reply = await_reply


def pytest_unconfigure(config: pytest.Config) -> None:
    RunningKernel.await_reply = nbval_await_reply
