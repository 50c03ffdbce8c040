"""Where a restore goes and where not; and what must not go on where it stood, since the world went on."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import pytest
from playhouse.migrations import Runner

from appliance import chores
from appliance import clock
from appliance import database
from appliance import jobs
from appliance import mail
from appliance import node_processes
from appliance import processors
from appliance import revocations
from appliance import startup
from appliance.accounts import sessions
from appliance.accounts.factor_models import AccountSession
from appliance.backup import aftermath
from appliance.backup import mending
from appliance.backup import repository
from appliance.backup import restoring
from appliance.backup import runs
from appliance.backup import schedule
from appliance.backup import schema
from appliance.backup import taking
from appliance.backup.models import BackupRun
from appliance.billing import reconciling
from appliance.downloads.models import DownloadFile
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.jobs import Job
from appliance.jobs import leases
from appliance.jobs import process
from appliance.jobs import rota
from appliance.ledger import payments
from appliance.ledger.payments import Sale
from appliance.mail import outbox
from appliance.mail.models import Message
from appliance.monitoring import backup_figures
from appliance.payments import Feature
from appliance.payments import PaymentFact
from appliance.payments import PayoutFact
from appliance.payments import PayoutRequest
from appliance.payments import PayoutState
from appliance.payouts import requesting
from appliance.payouts.models import Payout
from appliance.payouts.models import PayoutAccount
from appliance.settings import Settings
from appliance.startup import Appliance
from tests.appliance.backup import nodes
from tests.appliance.backup.nodes import KEY
from tests.makers import NOW
from tests.makers import make_artist
from tests.makers import make_user


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


class Provider:
    """It pays, and tells what it did since."""

    name, label = "teller", "Teller"
    features = frozenset({Feature.PAYOUTS})

    def __init__(self) -> None:
        self.paid: list[str] = []
        self.told: list[PayoutFact] = []
        self.fails = False

    def pay_out(self, request: PayoutRequest) -> PayoutFact:
        self.paid.append(request.mark)
        return PayoutFact(f"po_{request.mark}", request.mark, PayoutState.IN_TRANSIT, clock.now())

    def changed_since(self, since: datetime) -> list[PayoutFact]:
        if self.fails:
            raise Unavailable("Teller does not answer.")
        return self.told


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    one = Provider()
    monkeypatch.setattr(processors, "every", lambda: (one,))
    return one


def requested(now: datetime = NOW) -> Payout:
    """A payout whose job waits."""
    artist = make_artist()
    payments.note(
        PaymentFact(artist.id, "mark", 5000, "EUR", NOW, fee_minor=0),
        Sale(artist.id, "", 0, []),
        provider="teller",
        now=NOW,
    )
    PayoutAccount.create(
        payee=artist.id, provider="teller", account="acct", payable=True, as_of=NOW, created_at=NOW
    )
    return requesting.request(artist, currency="EUR", minimum=10, now=now)[0]


def come_back(node: Appliance, target: Settings) -> Appliance:
    """The node out of its last backup, started."""
    nodes.restored(target, secret=node.secret)
    return startup.start(replace(target, secret_key=node.secret), immediate=True)


# Where to


def test_a_database_that_is_there_is_not_replaced_without_force(node: Appliance, target: Settings) -> None:
    taking.take(node)
    nodes.restored(target, secret=node.secret)
    before = nodes.rows(startup.database_url(target))
    with pytest.raises(Conflict, match="a database already"):
        nodes.restored(target, secret=node.secret)
    assert nodes.rows(startup.database_url(target)) == before
    done = nodes.restored(target, secret=node.secret, force=True)
    assert done.objects_there == done.objects == 13
    if not target.database_url:
        assert list(target.data.glob("musicconnect.sqlite3.before-*"))


def test_media_that_are_there_are_not_mixed_without_force(node: Appliance, target: Settings) -> None:
    taking.take(node)
    nodes.put(nodes.store_of(target), "originals/mine.flac", b"mine")
    with pytest.raises(Conflict, match="media already"):
        nodes.restored(target, secret=node.secret)
    nodes.restored(target, secret=node.secret, force=True)


def test_nothing_is_restored_below_a_server_that_runs(node: Appliance, target: Settings) -> None:
    taking.take(node)
    node_processes.enter("web", plugins="", now=clock.now())
    here = replace(node.settings, backup_url=target.backup_url)
    with pytest.raises(Conflict, match=r"runs here \(web\)"):
        nodes.restored(here, secret=node.secret, force=True)


def test_nothing_is_restored_below_a_worker_of_another_machine(
    appliance: Appliance, elsewhere: Settings, folder: Path
) -> None:
    nodes.fill(appliance, tracks=1)
    node = nodes.with_backup(appliance, str(folder))
    here = replace(node.settings, backup_url=str(folder))
    leases.take(rota.DUTY, "away.example:17:4711", lasts_s=600)
    taking.take(node)
    with pytest.raises(Conflict, match=r"A worker on away\.example runs on this database"):
        nodes.restored(here, secret=node.secret, force=True)
    # It stopped; one of this machine that was killed holds nobody up.
    startup.start(node.settings, immediate=True)
    leases.release(rota.DUTY, "away.example:17:4711")
    leases.take(rota.DUTY, f"{process.identity().rsplit(':', 2)[0]}:999999999:1", lasts_s=600)
    nodes.restored(here, secret=node.secret, force=True)


def test_a_restore_that_stopped_in_the_middle_lets_nobody_start(node: Appliance, target: Settings) -> None:
    taking.take(node)
    target.data.mkdir()
    (target.data / startup.RESTORING).write_text("{}")
    with pytest.raises(Unavailable, match="did not come to its end"):
        startup.start(target, immediate=True)
    nodes.restored(target, secret=node.secret)
    startup.start(target, immediate=True)


def test_a_snapshot_that_is_not_there_is_not_found(node: Appliance, target: Settings) -> None:
    taking.take(node)
    with pytest.raises(NotFound):
        nodes.restored(target, "20260501T120000.000Z")


def test_a_database_of_the_other_engine_is_refused(node: Appliance, target: Settings) -> None:
    taking.take(node)
    other = "" if node.settings.database_url.startswith("postgres") else "postgresql://nobody@127.0.0.1:1/x"
    with pytest.raises(Invalid, match="'database_url' names one of"):
        nodes.restored(replace(target, database_url=other), secret=node.secret)


# Versions


def test_a_backup_of_an_older_version_is_brought_up_to_date(
    appliance: Appliance, target: Settings, folder: Path
) -> None:
    before = [name for name in schema.known() if name < "0033"][-1]
    Runner(database.proxy.obj, str(database.MIGRATIONS)).down("0033_backups")
    make_user("from-before@example.com")
    taken = taking.take(nodes.with_backup(appliance, str(folder)))
    assert taken.snapshot.migrations[-1] == before
    done = nodes.restored(target, secret=appliance.secret)
    assert "0033_backups" in done.migrated
    startup.start(target, immediate=True)
    database.check()


def test_a_backup_of_a_newer_version_is_refused(
    node: Appliance, target: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    taking.take(node)
    monkeypatch.setattr(schema, "known", lambda: ["0001_initial"])
    with pytest.raises(Invalid, match="newer version"):
        nodes.restored(target, secret=node.secret)
    assert not (target.data / "musicconnect.sqlite3").exists()


# The secret key and the settings


def test_without_the_secret_key_nothing_is_restored_by_mistake(
    node: Appliance, target: Settings, tmp_path: Path
) -> None:
    taking.take(node)
    with pytest.raises(Invalid, match="does not hold the secret key"):
        nodes.restored(target)
    wrong = tmp_path / "wrong"
    wrong.write_text("x" * 64)
    with pytest.raises(Invalid, match="not the one of this backup"):
        nodes.restored(target, secret_file=wrong)
    right = tmp_path / "right"
    right.write_text(node.secret + "\n")
    nodes.restored(target, secret_file=right)
    assert startup.secret_key(target) == node.secret
    assert (target.data / "secret_key").stat().st_mode & 0o077 == 0


def test_a_node_can_go_on_with_a_new_secret_key(node: Appliance, target: Settings) -> None:
    taking.take(node)
    nodes.restored(target, fresh_secret=True)
    assert startup.secret_key(target) != node.secret


def test_the_settings_file_of_an_encrypted_backup_comes_back(
    appliance: Appliance, elsewhere: Settings, folder: Path
) -> None:
    path = appliance.settings.data / "musicconnect.toml"
    path.write_text('collective_name = "Harbour"\n')
    taking.take(nodes.with_backup(appliance, str(folder), key=KEY))
    target = replace(elsewhere, backup_url=str(folder), backup_key=KEY)
    done = nodes.restored(target)
    assert done.settings_file == target.data / "musicconnect.toml"
    assert done.settings_file.read_text() == 'collective_name = "Harbour"\n'
    assert done.settings_file.stat().st_mode & 0o077 == 0


def test_a_settings_file_that_leads_to_the_old_machine_is_put_beside(
    appliance: Appliance, elsewhere: Settings, folder: Path
) -> None:
    path = appliance.settings.data / "musicconnect.toml"
    path.write_text('store_url = "/old/media"\n')
    taking.take(nodes.with_backup(appliance, str(folder), key=KEY))
    done = nodes.restored(replace(elsewhere, backup_url=str(folder), backup_key=KEY))
    assert done.settings_file is not None and done.settings_file.name == "musicconnect.toml.restored"


@pytest.mark.parametrize(
    "content", [b'collective_name = "Harb', b"collective_name = 'Caf\xe9'\n"], ids=["half", "latin-1"]
)
def test_a_settings_file_that_nobody_can_read_is_put_beside_to_the_byte(
    appliance: Appliance, elsewhere: Settings, folder: Path, content: bytes
) -> None:
    (appliance.settings.data / "musicconnect.toml").write_bytes(content)
    taking.take(nodes.with_backup(appliance, str(folder), key=KEY))
    done = nodes.restored(replace(elsewhere, backup_url=str(folder), backup_key=KEY))
    assert done.settings_file is not None and done.settings_file.name == "musicconnect.toml.restored"
    assert done.settings_file.read_bytes() == content


@pytest.mark.parametrize(
    ("told_here", "name"), [(False, "musicconnect.toml.restored"), (True, "musicconnect.toml")]
)
def test_a_trial_does_not_go_on_in_the_backup_of_the_old_machine(
    appliance: Appliance, elsewhere: Settings, folder: Path, told_here: bool, name: str
) -> None:
    path = appliance.settings.data / "musicconnect.toml"
    path.write_text(f'backup_url = "{folder}"\nbackup_key = "{KEY}"\n')
    taking.take(nodes.with_backup(appliance, str(folder), key=KEY))
    startup.stop()
    settings = replace(elsewhere, backup_url=str(folder) if told_here else "", backup_key=KEY)
    opened = repository.open_repository(str(folder), KEY)
    done = restoring.restore(settings, opened, repository.LATEST, now=clock.now())
    assert done.settings_file is not None and done.settings_file.name == name
    assert (settings.data / "musicconnect.toml").exists() == told_here


# What does not go on where it stood


def test_everybody_is_signed_out(node: Appliance, target: Settings) -> None:
    user = make_user()
    sessions.begin(user, browser="x", address="::1", remembered=True, way="password", now=NOW)
    taking.take(node)
    assert AccountSession.select().count() == 1
    come_back(node, target)
    assert AccountSession.select().count() == 0


def test_letters_that_waited_are_held_and_can_be_sent(node: Appliance, target: Settings) -> None:
    job_id = mail.send("test", "a@example.com", facts={"collective": "Harbour"}, locale="en", now=NOW)
    taking.take(node)
    come_back(node, target)
    [message] = Message.select()
    assert (message.state, message.problem) == ("kept", mending.HELD)
    jobs.sweep(clock.now())
    job = Job.get_by_id(job_id)
    assert job.state == "failed" and job.last_error == mending.HELD
    again = outbox.send_again(message.id, now=clock.now())
    assert Job.get_by_id(again).state == "queued"


def test_payouts_wait_until_their_provider_told_what_became_of_them(
    node: Appliance, target: Settings, provider: Provider
) -> None:
    paid, open_ = requested(), requested()
    taking.take(node)
    come_back(node, target)
    assert Job.select().where(Job.kind == requesting.JOB, Job.state == "queued").count() == 2
    # One of them was paid after the backup.
    provider.told = [PayoutFact("po", paid.id, PayoutState.PAID, clock.now())]
    jobs.sweep(clock.now())
    assert provider.paid == []
    assert aftermath.unsettled() is not None
    chores.settle_restore.call_local()
    assert Payout.get_by_id(paid.id).state == "paid"
    assert provider.paid == []
    chores.settle_restore.call_local()
    assert aftermath.unsettled() is None
    assert provider.paid == [open_.id]


def test_a_provider_that_does_not_answer_keeps_payouts_and_letters_back_until_a_person_says_so(
    node: Appliance, target: Settings, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = requested()
    taking.take(node)
    come_back(node, target)
    provider.fails = True
    for _ in range(3):
        chores.settle_restore.call_local()
    assert Job.select().where(Job.kind == reconciling.JOB).count() == 1
    found = aftermath.unsettled()
    assert found is not None and aftermath.outstanding(found) == ["teller"]
    asked: list[int] = []
    monkeypatch.setattr(requesting, "request_due", lambda **named: asked.append(1) or [])
    chores.pay_out.call_local()
    assert asked == []
    for job_id in aftermath.settle(now=clock.now()):
        jobs.send(job_id)
    assert provider.paid == [waiting.id]
    assert aftermath.look(now=clock.now()) == []


def test_a_month_that_may_be_paid_already_is_left_to_people(appliance: Appliance) -> None:
    first = datetime(2026, 6, 1, 4, tzinfo=NOW.tzinfo)

    def came_out_of(taken_at: datetime, restored_at: datetime) -> None:
        mending.mend("x", taken_at=taken_at, now=restored_at)
        aftermath.settle(now=restored_at)

    came_out_of(first - timedelta(days=3), first - timedelta(days=2))
    assert not aftermath.month_may_be_paid(now=first)
    came_out_of(first - timedelta(minutes=10), first + timedelta(minutes=20))
    assert aftermath.month_may_be_paid(now=first + timedelta(days=1))
    assert not aftermath.month_may_be_paid(now=datetime(2026, 7, 1, 4, tzinfo=NOW.tzinfo))


def test_a_permission_signed_since_the_backup_can_be_revoked(node: Appliance, target: Settings) -> None:
    revocations.revoke("listener:a", now=NOW)
    taking.take(node)
    for _ in range(5):
        revocations.revoke("listener:b", now=NOW)
    revocations.forget()
    signed_at = revocations.epoch()
    come_back(node, target)
    revocations.forget()
    assert revocations.epoch() > signed_at
    assert not revocations.ended(["listener:c"], since=signed_at)
    revocations.revoke("listener:c", now=NOW)
    revocations.forget()
    assert revocations.ended(["listener:c"], since=signed_at)
    revocations.forget()


def test_files_made_for_download_are_made_again(node: Appliance, target: Settings) -> None:
    names = set(DownloadFile._meta.fields)
    assert {"state", "key"} <= names
    taking.take(node)
    come_back(node, target)
    assert DownloadFile.select().where(DownloadFile.state == "ready").count() == 0


def test_processes_and_runs_of_the_old_machine_are_forgotten(node: Appliance, target: Settings) -> None:
    node_processes.NodeProcess.create(id="old:1:1", kind="web", plugins="", started_at=NOW)
    taking.take(node)
    good = runs.last_good()
    taking.take(node)
    come_back(node, target)
    assert node_processes.NodeProcess.select().count() == 0
    # The run that made the snapshot was not over in it.
    assert runs.last_good() == good
    assert runs.last() is not None


# By the clock


def test_a_backup_is_due_when_the_last_began_so_long_ago(node: Appliance) -> None:
    settings = replace(node.settings, backup_every_min=15)
    now = clock.now()
    job_id = schedule.ask_if_due(settings, now=now)
    assert job_id is not None
    assert schedule.ask_if_due(settings, now=now) == job_id
    taking.take(node)
    assert schedule.ask_if_due(settings, now=clock.now() + timedelta(minutes=14)) is None
    assert schedule.ask_if_due(settings, now=clock.now() + timedelta(minutes=15)) is not None
    assert schedule.ask_if_due(replace(settings, backup_every_min=0), now=now + timedelta(days=9)) is None
    assert schedule.ask_if_due(replace(settings, backup_url=""), now=now + timedelta(days=9)) is None


def test_the_chore_takes_a_backup_by_a_job(node: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "_appliance", node)
    chores.back_up.call_local()
    assert len(repository.open_repository(node.settings.backup_url, "").names()) == 1
    [job] = Job.select().where(Job.kind == schedule.JOB)
    assert job.state == "done"


def test_an_old_last_backup_is_told(node: Appliance) -> None:
    settings = replace(node.settings, backup_every_min=15)
    assert schedule.told(replace(settings, backup_url=""), now=NOW).startswith("none is taken")
    assert schedule.told(settings, now=NOW) == "none was taken yet"
    taking.take(node)
    assert "not encrypted" in schedule.told(settings, now=clock.now())
    with pytest.raises(Unavailable, match="The last good backup: 2"):
        schedule.told(settings, now=clock.now() + timedelta(minutes=46))


def test_what_keeps_backups_from_being_taken_is_told(node: Appliance, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    broken = nodes.with_backup(node, str(tmp_path / "file" / "backup"))
    with pytest.raises(Unavailable):
        taking.take(broken)
    with pytest.raises(Unavailable, match="never"):
        schedule.told(broken.settings, now=clock.now())
    assert os.listdir(tmp_path)


def test_a_backup_to_elsewhere_is_not_taken_for_one_of_those_that_are_wanted(
    node: Appliance, tmp_path: Path
) -> None:
    settings = replace(node.settings, backup_every_min=15)
    taking.take(node, url=str(tmp_path / "drawer"))
    assert schedule.told(settings, now=clock.now()) == "none was taken yet"
    assert schedule.ask_if_due(settings, now=clock.now()) is not None
    assert figures_of(settings) == {
        "musicconnect_backup_age_seconds": [],
        "musicconnect_backup_every_seconds": [900],
    }
    taking.take(node)
    [age_s] = figures_of(settings)["musicconnect_backup_age_seconds"]
    assert age_s >= 0
    # The last good one of each place stays known.
    runs.begin("elsewhere", now=clock.now() + 2 * runs.KEPT)
    assert runs.last_good(runs.place_of(str(tmp_path / "drawer"))) and runs.last_good(
        runs.place_of(settings.backup_url)
    )


def test_backups_that_never_worked_grow_old_from_the_first_that_failed(
    node: Appliance, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    broken = nodes.with_backup(node, str(tmp_path / "file" / "backup"), backup_every_min=1440)
    for _ in range(2):
        with pytest.raises(Unavailable):
            taking.take(broken)
    first = BackupRun.select().order_by(BackupRun.id).first()
    now = first.started_at + timedelta(hours=3)
    assert figures_of(broken.settings, now) == {
        "musicconnect_backup_age_seconds": [3 * 3600],
        "musicconnect_backup_every_seconds": [86_400],
    }
    assert figures_of(replace(broken.settings, backup_url=""), now) == {
        "musicconnect_backup_age_seconds": [],
        "musicconnect_backup_every_seconds": [],
    }


def figures_of(settings: Settings, now: datetime | None = None) -> dict[str, list[float]]:
    return {
        one.name: [value for _, value in one.ask(now or clock.now())] for one in backup_figures.of(settings)
    }
