"""How far a download is."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from appliance import jobs
from appliance.downloads import files
from appliance.downloads.models import Download
from appliance.downloads.models import DownloadItem
from appliance.downloads.models import FileState
from appliance.jobs import Job


class Stage(StrEnum):
    """What its person can do: wait, fetch it, try again, or ask again because its day or its files are over."""

    PREPARING = "preparing"
    READY = "ready"
    FAILED = "failed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Progress:
    """The stage, how much is made (0 to 1), how large it is so far, and what went wrong."""

    stage: Stage
    made: float
    size_bytes: int
    problem: str = ""


def of(
    items: Mapping[str, Sequence[DownloadItem]], rows: Sequence[Download], *, now: datetime
) -> dict[str, Progress]:
    """How far each of *rows* is, whose *items* are known, by its id; by one query."""
    waiting = {
        item.file_id for some in items.values() for item in some if item.file.state == FileState.WAITING
    }
    work = jobs.latest(files.MAKE, waiting)
    return {row.id: told(row, items[row.id], work, now=now) for row in rows}


def told(
    download: Download, items: Sequence[DownloadItem], work: Mapping[str, Job], *, now: datetime
) -> Progress:
    """Pure: how far a download of these *items* is, with the jobs at work on their files."""
    size_bytes = sum(item.file.size_bytes for item in items)
    made = sum(_made(item, work) for item in items) / len(items) if items else 0.0
    problem = next((item.file.problem for item in items if item.file.state == FileState.FAILED), "")
    if download.expires_at <= now or any(item.file.state == FileState.GONE for item in items) or not items:
        return Progress(Stage.ENDED, made, size_bytes)
    if problem:
        return Progress(Stage.FAILED, made, size_bytes, problem)
    ready = all(item.file.state == FileState.READY for item in items)
    return Progress(Stage.READY if ready else Stage.PREPARING, made, size_bytes)


def _made(item: DownloadItem, work: Mapping[str, Job]) -> float:
    if item.file.state == FileState.READY:
        return 1.0
    job = work.get(item.file_id)
    return job.progress if job else 0.0
