"""The worker process: a Huey consumer with the jobs of MusicConnect and its plugins."""

import logging
import signal
import threading
from types import FrameType

from appliance import chores
from appliance import clock
from appliance import database
from appliance import jobs
from appliance import monitoring
from appliance import node_processes
from appliance import plugin_settings
from appliance import startup
from appliance import supervisor
from appliance.jobs import consuming
from appliance.jobs import lanes
from appliance.jobs.rota import HANDS
from appliance.jobs.rota import Rota
from appliance.settings import Settings
from transcoder import demo
from transcoder import downloads
from transcoder import program
from transcoder import resealing
from transcoder import tasks

log = logging.getLogger(__name__)

REGISTERED = (chores, demo, downloads, resealing, tasks)
"""Modules whose import declares jobs."""
GRACE_S = 5


def run(settings: Settings, *, periodic: bool) -> bool:
    """Consume jobs until SIGTERM or SIGINT: running ones get a few seconds to end, then are handed back and go on later.

    SIGUSR1 lets it take nothing more on and end when all that it has in hand is done, however long that takes; true after that.
    With *periodic* it stands ready for the chores, which one of all such workers does.
    """
    taken = lanes.named(settings.worker_lanes)
    if settings.ffmpeg:
        program.require(settings.ffmpeg)
    threads = consuming.threads(taken, transcode=settings.worker_threads, others=settings.worker_lane_threads)
    # Each job has a heartbeat; beside them are the rota and the main thread.
    startup.start(settings, role="worker", connections=2 * sum(threads.values()) + HANDS + 2)
    monitoring.begin(settings)
    database.check()
    # What a worker of this host held when it was killed goes on at once, without waiting for its lease.
    jobs.sweep(clock.now())
    consumers = consuming.Consumers(threads)
    consumers.start()
    rota = Rota(lease_s=settings.job_lease_s) if periodic else None
    if rota:
        rota.start()
    stopped, hurried = threading.Event(), threading.Event()
    patience = threading.Timer(GRACE_S, jobs.interrupt_all)
    patience.daemon = True

    def stop(signum: int, frame: FrameType | None) -> None:
        stopped.set()
        if not hurried.is_set():
            hurried.set()
            patience.start()

    def leave(signum: int, frame: FrameType | None) -> None:
        stopped.set()

    # In place of Huey's own handlers: SIGTERM and SIGINT mean the same, an orderly stop within GRACE_S.
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, stop)
    signal.signal(signal.SIGUSR1, leave)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    node_processes.enter(
        "worker", plugins=plugin_settings.fingerprint(plugin_settings.merged(settings)), now=clock.now()
    )
    database.let_go()
    log.info(
        "worker ready",
        extra={"threads": sum(threads.values()), "lanes": ",".join(taken), "periodic": periodic},
    )
    supervisor.tell_ready()
    while not stopped.wait(1.0):
        consumers.look_after()
    if rota:
        rota.stop(within_s=GRACE_S)
    consumers.stop()
    patience.cancel()
    node_processes.leave()
    database.close_thread()
    startup.stop()
    return not hurried.is_set()
