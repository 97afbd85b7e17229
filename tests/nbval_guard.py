"""A pytest plugin around nbval 0.11.0, loaded by `-p tests.nbval_guard`. It mends four habits:

- nbval waits out the whole cell timeout when the kernel has died; here the kernel is looked at once a second.
- nbval gives up if a kernel dies while it starts, as one does whose port another process took first; here it is
  started again;
- nbval runs on after a failed cell, and every later cell fails for the same reason; here they are skipped;
- pytest counts cells; here the last line counts lessons, and names those that failed.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import PurePosixPath
from queue import Empty

import nbval.kernel
import pytest
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell

from musegen_lib.lessons.notebooks import STARTS

POLL_SECONDS = 1.0
nbval_start_new_kernel = nbval.kernel.start_new_kernel
nbval_await_reply = RunningKernel.await_reply  # kept whole: called once per slice of the wait


def start_new_kernel(stderr: object, **options: object) -> tuple[object, object]:
    """Start a kernel as nbval does, up to three times; its messages go nowhere, without a file that stays open."""
    stderr.close()
    for _ in range(STARTS - 1):
        try:
            return nbval_start_new_kernel(stderr=subprocess.DEVNULL, **options)
        except RuntimeError:  # it died before it answered
            continue
    return nbval_start_new_kernel(stderr=subprocess.DEVNULL, **options)


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
    nbval.kernel.start_new_kernel = start_new_kernel


def count_lessons(stats: dict[str, list]) -> str:
    """'8 lessons passed, 1 failed: 06b_listeners', from the reports of cells; an error counts as a failure.

    A lesson that could not even be read stands among the errors; whatever is no notebook is left out.
    """
    reports = [(kind, report) for kind in ("passed", "failed", "error") for report in stats.get(kind, [])]
    files = [(kind, PurePosixPath(report.nodeid.split("::")[0] or report.location[0])) for kind, report in reports]
    lessons = {file.stem for _, file in files if file.suffix == ".ipynb"}
    failed = {file.stem for kind, file in files if file.suffix == ".ipynb" and kind != "passed"}
    parts = [f"{len(lessons - failed)} lesson{'s' * (len(lessons - failed) != 1)} passed"]
    return ", ".join(parts + [f"{len(failed)} failed: {', '.join(sorted(failed))}"] * bool(failed))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Write the last line of all, after pytest's own; under xdist only the process that collects the reports does."""
    RunningKernel.await_reply = nbval_await_reply
    nbval.kernel.start_new_kernel = nbval_start_new_kernel
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and not hasattr(config, "workerinput"):
        reporter.write_line(count_lessons(reporter.stats))
