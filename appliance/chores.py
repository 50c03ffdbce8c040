"""Periodic tasks, run by the worker whose turn it is (``jobs.rota``); each is a few lines and safe to run late or twice."""

import logging
import shutil
import time

from appliance import clock
from appliance import idempotency
from appliance import jobs
from appliance import processors
from appliance import revocations
from appliance import startup
from appliance.accounts import sessions
from appliance.backup import aftermath
from appliance.backup import schedule
from appliance.billing import draining
from appliance.billing import inbox
from appliance.billing import reconciling
from appliance.billing import refunding
from appliance.billing import undeliverable
from appliance.catalog import cleaning
from appliance.catalog import publishing
from appliance.catalog import rendition_keys
from appliance.catalog import tracks
from appliance.catalog import uploads
from appliance.collective import books
from appliance.collective import identity
from appliance.collective import storage_use
from appliance.downloads import keeping
from appliance.errors import MusicConnectError
from appliance.jobs.queue import crontab
from appliance.jobs.queue import huey
from appliance.mail import outbox
from appliance.memberships import subscription_closed
from appliance.memberships import subscription_doubles
from appliance.memberships import subscription_letters
from appliance.papers import issuing
from appliance.papers import letters as paper_letters
from appliance.payouts import requesting
from appliance.payouts import sending
from appliance.shop import gift_letters
from appliance.shop import orders
from appliance.shop.merchandise import articles
from appliance.shop.merchandise import parcels

log = logging.getLogger(__name__)

DECLARED = (draining, reconciling)
"""Modules whose import declares the jobs that chores send."""
SCRATCH_KEPT_S = 24 * 3600
JOBS = (sending,)
"""Modules whose import declares jobs, for the worker that imports these chores."""


@huey.periodic_task(crontab(minute="*"), name="sweep_jobs")  # type: ignore[untyped-decorator]
def sweep_jobs() -> None:
    """Every minute: requeue what no worker holds and send lost messages again."""
    jobs.sweep(clock.now())


@huey.periodic_task(crontab(minute="*"), name="publish_due")  # type: ignore[untyped-decorator]
def publish_due() -> None:
    """Every minute: publish the scheduled releases whose hour has come."""
    for job_id in publishing.publish_due(now=clock.now()):
        jobs.send(job_id)


@huey.periodic_task(crontab(minute="*"), name="write_membership_letters")  # type: ignore[untyped-decorator]
@aftermath.settled
def write_membership_letters() -> None:
    """Every minute: write what is due about memberships that are paid for, such as that a payment did not arrive."""
    collective = identity.current(startup.appliance().settings).name
    for job_id in subscription_letters.write_due(collective=collective, now=clock.now()):
        jobs.send(job_id)


@huey.periodic_task(crontab(minute="*"), name="write_paper_letters")  # type: ignore[untyped-decorator]
@aftermath.settled
def write_paper_letters() -> None:
    """Every minute: write the letters that receipts of memberships and credit notes go with."""
    collective = identity.current(startup.appliance().settings).name
    paper_letters.write_due(collective=collective, now=clock.now())


@huey.periodic_task(crontab(minute="*"), name="write_gift_letters")  # type: ignore[untyped-decorator]
@aftermath.settled
def write_gift_letters() -> None:
    """Every minute: write the letters that bring a gift, on the day that its giver chose."""
    gift_letters.write_due(now=clock.now())


@huey.periodic_task(crontab(minute="*"), name="process_payment_events")  # type: ignore[untyped-decorator]
def process_payment_events() -> None:
    """Every minute: process the events of payment providers whose next try has come."""
    for job_id in inbox.queue_due(now=clock.now()):
        jobs.send(job_id)


@huey.periodic_task(crontab(minute="*/5"), name="finish_uploads")  # type: ignore[untyped-decorator]
def finish_uploads() -> None:
    """Every five minutes: make a track of complete uploads whose server died before it did."""
    appliance = startup.appliance()
    for upload in uploads.unfinished():
        try:
            _, job_id = uploads.finish(
                upload,
                folder=appliance.staging,
                store=appliance.store,
                attempts=appliance.settings.job_attempts,
                now=clock.now(),
            )
        except MusicConnectError as error:
            log.info("upload not finished", extra={"upload": upload.id, "why": str(error)})
        else:
            jobs.send(job_id)


@huey.periodic_task(crontab(minute="17"), name="expire_uploads")  # type: ignore[untyped-decorator]
def expire_uploads() -> None:
    """Every hour: remove uploads whose time is up."""
    appliance = startup.appliance()
    uploads.expire(folder=appliance.staging, store=appliance.store, now=clock.now())


@huey.periodic_task(crontab(minute="23"), name="expire_keys")  # type: ignore[untyped-decorator]
def expire_keys() -> None:
    """Every hour: forget forms that were sent days ago."""
    idempotency.expire(now=clock.now())


@huey.periodic_task(crontab(minute="31"), name="expire_revocations")  # type: ignore[untyped-decorator]
def expire_revocations() -> None:
    """Every hour: forget revocations that no living permission can be older than."""
    revocations.expire(now=clock.now())


@huey.periodic_task(crontab(minute="37"), name="expire_mail")  # type: ignore[untyped-decorator]
def expire_mail() -> None:
    """Every hour: remove the texts of old messages, since they hold secret links."""
    outbox.expire(now=clock.now())


@huey.periodic_task(crontab(minute="39"), name="expire_sessions")  # type: ignore[untyped-decorator]
def expire_sessions() -> None:
    """Every hour: forget sessions and trusted devices whose time is up."""
    sessions.expire(now=clock.now())


@huey.periodic_task(crontab(minute="33"), name="expire_payment_events")  # type: ignore[untyped-decorator]
def expire_payment_events() -> None:
    """Every hour: forget the events of payment providers, and what was found out by asking them, after a season."""
    inbox.expire(now=clock.now())
    reconciling.expire(now=clock.now(), kept=inbox.KEPT)


@huey.periodic_task(crontab(minute="7", hour="*/6"), name="reconcile_payments")  # type: ignore[untyped-decorator]
def reconcile_payments() -> None:
    """Every six hours: ask each payment provider for the truth about all that changed, by a job, so that it is tried again."""
    for provider in processors.every():
        jobs.send(reconciling.ask(provider.name, actor=None, now=clock.now()))


@huey.periodic_task(crontab(minute="*/5"), name="finish_refunds")  # type: ignore[untyped-decorator]
@aftermath.settled
def finish_refunds() -> None:
    """Every five minutes: ask again for refunds whose asking did not come to an end."""
    refunding.carry_out_due(now=clock.now())


@huey.periodic_task(crontab(minute="41"), name="reseal_tracks")  # type: ignore[untyped-decorator]
def reseal_tracks() -> None:
    """Every hour: encrypt the tracks that became exclusive while nobody could, and decrypt those that no longer are."""
    for track_id in rendition_keys.unlike_their_tracks():
        for job_id in tracks.queue_reseal(track_id, now=clock.now()):
            jobs.send(job_id)


@huey.periodic_task(crontab(minute="47"), name="tend_downloads")  # type: ignore[untyped-decorator]
def tend_downloads() -> None:
    """Every hour: keep the files made for download within their budget, and forget those whose time is over."""
    appliance, now = startup.appliance(), clock.now()
    budget_bytes = appliance.settings.downloads_budget_mb * 1024 * 1024
    keeping.make_room(appliance.store, budget_bytes=budget_bytes, now=now)
    keeping.expire(now=now)


@huey.periodic_task(crontab(minute="51"), name="end_double_memberships")  # type: ignore[untyped-decorator]
@aftermath.settled
def end_double_memberships() -> None:
    """Every hour: end what somebody pays for twice, and give that money back."""
    subscription_doubles.end_all(now=clock.now())


@huey.periodic_task(crontab(minute="*/5"), name="cancel_of_closed_accounts")  # type: ignore[untyped-decorator]
@aftermath.settled
def cancel_of_closed_accounts() -> None:
    """Every five minutes: cancel what deactivated accounts would be charged for."""
    subscription_closed.cancel_all(now=clock.now())


@huey.periodic_task(crontab(minute="*/5"), name="expire_orders")  # type: ignore[untyped-decorator]
@aftermath.settled
def expire_orders() -> None:
    """Every five minutes: give up orders that were not paid in time, and with them the stock and the codes they keep."""
    orders.expire(now=clock.now())


@huey.periodic_task(crontab(hour="3", minute="35"), name="forget_addresses")  # type: ignore[untyped-decorator]
def forget_addresses() -> None:
    """Every night: erase where merchandise went that was sent long ago."""
    parcels.forget(now=clock.now())


@huey.periodic_task(crontab(minute="*"), name="refund_sold_out")  # type: ignore[untyped-decorator]
@aftermath.settled
def refund_sold_out() -> None:
    """Every minute: give money back that came for merchandise when nothing was left."""
    undeliverable.give_back(now=clock.now())


@huey.periodic_task(crontab(minute="*"), name="back_up")  # type: ignore[untyped-decorator]
def back_up() -> None:
    """Every minute: see whether a backup is due, which is taken by a job."""
    job_id = schedule.ask_if_due(startup.appliance().settings, now=clock.now())
    if job_id is not None:
        jobs.send(job_id)


@huey.periodic_task(crontab(minute="*"), name="settle_restore")  # type: ignore[untyped-decorator]
def settle_restore() -> None:
    """Every minute: after a restore, ask payment providers what happened since the backup, and go on when they have told."""
    for job_id in aftermath.look(now=clock.now()):
        jobs.send(job_id)


@huey.periodic_task(crontab(minute="43"), name="sweep_scratch")  # type: ignore[untyped-decorator]
def sweep_scratch() -> None:
    """Every hour: remove what killed workers left in the scratch folder."""
    folder = startup.appliance().scratch
    for path in folder.iterdir() if folder.is_dir() else ():
        if time.time() - path.stat().st_mtime > SCRATCH_KEPT_S:
            shutil.rmtree(path, ignore_errors=True)


@huey.periodic_task(crontab(day_of_week="0", hour="2", minute="0"), name="clean_store")  # type: ignore[untyped-decorator]
def clean_store() -> None:
    """Sunday 02:00 (UTC): remove the bytes of removed tracks, older runs, former covers and forgotten downloads."""
    appliance = startup.appliance()
    kept = identity.kept_folders(appliance.settings) + articles.folders()
    removed = cleaning.remove_orphans(appliance.store, now=clock.now(), kept=kept)
    removed += keeping.sweep(appliance.store, now=clock.now())
    log.info("store cleaned", extra={"objects": removed})


# Three days, since a node may be down on the first; whoever was paid by then is not paid again.
@huey.periodic_task(crontab(day="1-3", hour="4", minute="0"), name="pay_out")  # type: ignore[untyped-decorator]
@aftermath.settled
def pay_out() -> None:
    """The first of the month, 04:00 (UTC), and the two days after it: pay the artists who want that and are owed enough, once."""
    if aftermath.month_may_be_paid(now=clock.now()):
        log.error(
            "artists are not paid by themselves: this node was restored, and may have paid them for this month already"
        )
        return
    minimum = startup.appliance().settings.payout_minimum
    for job_id in requesting.request_due(minimum=minimum, now=clock.now()):
        jobs.send(job_id)


@huey.periodic_task(crontab(hour="2", minute="45"), name="complete_papers")  # type: ignore[untyped-decorator]
@aftermath.settled
def complete_papers() -> None:
    """Every night 02:45 (UTC): write the receipts and credit notes that payments lack, such as those from before there were any."""
    issuing.catch_up(now=clock.now())


@huey.periodic_task(crontab(hour="3", minute="0"), name="check_books")  # type: ignore[untyped-decorator]
def check_books() -> None:
    """Every night 03:00 (UTC): check the books, by a job, so that it is tried again; a difference is an alarm."""
    jobs.send(books.ask(now=clock.now()))


@huey.periodic_task(crontab(hour="3", minute="30"), name="count_storage")  # type: ignore[untyped-decorator]
def count_storage() -> None:
    """Every night 03:30 (UTC): count how much room folders and artists take, by a job, so that it is tried again."""
    jobs.send(storage_use.ask(now=clock.now()))
