"""The collective: its name, look and texts, its first setup, roles, the settings of plugins, and how much room everything takes."""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from appliance import database
from appliance import hooks
from appliance import jobs
from appliance import node_processes
from appliance import plugin_settings
from appliance import startup
from appliance.accounts import audit
from appliance.accounts import people
from appliance.accounts import roles
from appliance.accounts.models import RoleName
from appliance.accounts.models import User
from appliance.catalog import cleaning
from appliance.collective import identity
from appliance.collective import plugin_forms
from appliance.collective import setup
from appliance.collective import storage_use
from appliance.collective import work
from appliance.collective.models import CollectiveRow
from appliance.collective.models import SetupToken
from appliance.collective.setup import Answers
from appliance.collective.setup import WrongToken
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.jobs import Job
from appliance.jobs import JobState
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import PASSWORD
from tests.makers import make_track
from tests.makers import make_user

pytestmark = pytest.mark.usefixtures("appliance")


@pytest.fixture
def database_url(engine: str) -> str:
    """Both engines."""
    return engine


@pytest.fixture
def admin(appliance: Appliance) -> User:
    return make_user("admin@example.com", roles=(RoleName.ADMIN,))


def write(appliance: Appliance, *, version: int | None = None, **fields: object) -> identity.Collective:
    return identity.change(
        fields,
        version=identity.stored_version() if version is None else version,
        settings=appliance.settings,
        actor=None,
        now=NOW,
    )


def answers(email: str = "first@example.com", **more: object) -> Answers:
    return Answers(email, PASSWORD, **{"name": "Tide Collective", **more})  # type: ignore[arg-type]


# ---- name, look and texts


def test_until_somebody_writes_it_down_the_settings_speak(appliance: Appliance) -> None:
    shown = identity.current(replace(appliance.settings, collective_name="Choir", registration=False))
    assert (shown.name, shown.registration, shown.version, str(shown)) == ("Choir", False, 0, "Choir")


def test_what_an_admin_writes_is_shown_at_once_and_noted(appliance: Appliance, admin: User) -> None:
    identity.current(appliance.settings)
    shown = identity.change(
        {
            "name": " Tide  Collective ",
            "tagline": "Songs from the harbour",
            "accent": "#AA3311",
            "about": "# We\nsing",
        },
        version=0,
        settings=appliance.settings,
        actor=admin.id,
        now=NOW,
    )
    assert shown == identity.current(appliance.settings)
    assert (shown.name, shown.tagline, shown.accent, shown.about) == (
        "Tide Collective", "Songs from the harbour", "#aa3311", "# We\nsing",
    )  # fmt: skip
    [entry] = audit.entries()
    assert (entry.action, entry.actor, entry.subject) == ("settings.changed", admin.id, "collective")
    assert audit.facts(entry) == {"fields": ["about", "accent", "name", "tagline"]}


def test_what_the_operator_wrote_down_is_fixed(appliance: Appliance) -> None:
    write(appliance, name="Tide")
    fixed = replace(appliance.settings, collective_name="Choir", given=frozenset({"collective_name"}))
    assert identity.current(fixed).name == "Choir"
    assert identity.current(fixed).fixed == {"name"}
    with pytest.raises(Conflict, match="operator's settings"):
        identity.change({"name": "Other"}, version=1, settings=fixed, actor=None, now=NOW)


def test_the_second_of_two_admins_is_told(appliance: Appliance) -> None:
    for stale in (0, 1):
        write(appliance, version=stale, tagline=f"first {stale}")
        with pytest.raises(Conflict, match="Somebody else changed this"):
            write(appliance, version=stale, tagline="second")
    assert identity.current(appliance.settings).tagline == "first 1"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("tagline", "x" * 201),
        ("accent", "red"),
        ("accent", "#12345"),
        ("about", "x" * 30_000),
        ("footer_links", "Evil javascript:alert(1)"),
        ("footer_links", "https://no-text.example"),
        ("footer_links", "Away //evil.example"),
        ("footer_links", "\n".join(f"Link {n} /x{n}" for n in range(13))),
        ("owner", "me"),
    ],
)
def test_what_cannot_be_is_told_and_changes_nothing(appliance: Appliance, field: str, value: str) -> None:
    with pytest.raises(Invalid) as caught:
        write(appliance, **{"tagline": "kept out", field: value})
    assert caught.value.field == field
    assert CollectiveRow.select().count() == 0
    assert audit.entries() == []


def test_footer_links_are_a_text_and_an_address_a_line(appliance: Appliance) -> None:
    shown = write(
        appliance,
        footer_links="Our shop https://shop.example/x\n\nWrite us mailto:a@b.example\nAbout /about\n",
    )
    assert [(link.text, link.href) for link in shown.footer_links] == [
        ("Our shop", "https://shop.example/x"),
        ("Write us", "mailto:a@b.example"),
        ("About", "/about"),
    ]


def test_the_logo_survives_the_cleaning_and_its_predecessor_does_not(appliance: Appliance) -> None:
    def picture(colour: str) -> io.BytesIO:
        out = io.BytesIO()
        Image.new("RGB", (300, 300), colour).save(out, "PNG")
        out.seek(0)
        return out

    before, after = (
        identity.set_logo(
            picture(colour), settings=appliance.settings, store=appliance.store, actor=None, now=NOW
        ).logo_key
        for colour in ("teal", "orange")
    )
    cleaning.remove_orphans(
        appliance.store, now=NOW + timedelta(days=3650), kept=identity.kept_folders(appliance.settings)
    )
    keys = {found.key for found in appliance.store.list("artwork/")}
    assert f"{after}/300.webp" in keys
    assert not any(key.startswith(before) for key in keys)
    assert (
        identity.set_logo(
            None, settings=appliance.settings, store=appliance.store, actor=None, now=NOW
        ).logo_key
        == ""
    )


# ---- the first start


def test_a_token_makes_the_admin_and_the_collective_once(appliance: Appliance) -> None:
    token = setup.new_token(now=NOW)
    assert setup.is_waiting()
    made = setup.finish(token, answers(tagline="From the harbour"), settings=appliance.settings, now=NOW)
    assert people.roles_of(made) == {"admin", "listener"}
    assert identity.current(appliance.settings).name == "Tide Collective"
    assert not setup.is_waiting()
    assert [entry.action for entry in audit.entries()] == ["setup.finished", "settings.changed"]
    with pytest.raises(WrongToken):
        setup.finish(token, answers("second@example.com"), settings=appliance.settings, now=NOW)
    assert User.select().count() == 1


def test_the_token_is_not_kept_in_clear_text() -> None:
    token = setup.new_token(now=NOW)
    assert token not in SetupToken.get().digest


def test_a_new_token_puts_the_old_one_out_of_use() -> None:
    old, new = setup.new_token(now=NOW), setup.new_token(now=NOW)
    setup.require(new)
    for wrong in (old, "", "x", new + "x", "\ud800"):
        with pytest.raises(WrongToken):
            setup.require(wrong)


def test_an_answer_that_cannot_be_leaves_the_token_good(appliance: Appliance) -> None:
    token = setup.new_token(now=NOW)
    for wrong in (
        answers("no address"),
        answers(name=""),
        answers(accent="red"),
        Answers("a@b.example", "short", name="x"),
    ):
        with pytest.raises(Invalid):
            setup.finish(token, wrong, settings=appliance.settings, now=NOW)
    assert User.select().count() == 0
    setup.finish(token, answers(), settings=appliance.settings, now=NOW)


def test_of_two_at_once_one_becomes_the_admin(appliance: Appliance) -> None:
    token = setup.new_token(now=NOW)
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def finish(email: str) -> None:
        start.wait()
        try:
            setup.finish(token, answers(email), settings=appliance.settings, now=NOW)
            outcomes.append("made")
        except WrongToken:
            outcomes.append("refused")
        finally:
            database.close_thread()

    threads = [threading.Thread(target=finish, args=(f"{n}@example.com",)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["made", "refused"]
    assert User.select().count() == 1


def test_a_node_with_listeners_but_no_admin_stays_open_and_gets_one(appliance: Appliance) -> None:
    listener = make_user("listener@example.com")
    token = setup.new_token(now=NOW)
    assert not setup.is_waiting()
    assert setup.is_wanted()
    with pytest.raises(Invalid, match="give its password"):
        setup.finish(
            token,
            Answers("listener@example.com", "not the password", name="Tide"),
            settings=appliance.settings,
            now=NOW,
        )
    made = setup.finish(token, answers("listener@example.com"), settings=appliance.settings, now=NOW)
    assert made.id == listener.id
    assert "admin" in people.roles_of(made)


def test_a_node_with_an_admin_gives_no_token(admin: User) -> None:
    assert not setup.is_wanted()
    with pytest.raises(Conflict, match="has an admin already"):
        setup.new_token(now=NOW)


def test_a_demo_asks_for_no_setup() -> None:
    people.create("demo@example.com", PASSWORD, roles=[], now=NOW, demo=True)
    assert not setup.is_wanted()


# ---- roles


def test_an_admin_grants_and_revokes_roles(admin: User) -> None:
    other = make_user()
    roles.grant(other.id, "admin", actor=admin.id, now=NOW)
    roles.grant(other.id, "admin", actor=admin.id, now=NOW)
    assert "admin" in people.roles_of(other)
    roles.revoke(other.id, "admin", actor=admin.id, now=NOW)
    assert "admin" not in people.roles_of(other)
    assert [entry.action for entry in audit.entries()] == ["role.revoked", "role.granted"]


def test_the_last_admin_stays_and_nobody_demotes_themselves(admin: User) -> None:
    with pytest.raises(Conflict, match="from yourself"):
        roles.revoke(admin.id, "admin", actor=admin.id, now=NOW)
    with pytest.raises(Conflict, match="your own account"):
        roles.deactivate(admin.id, actor=admin.id, now=NOW)
    for act in (roles.deactivate, lambda user_id, **more: roles.revoke(user_id, "admin", **more)):
        with pytest.raises(Conflict, match="last admin"):
            act(admin.id, actor=None, now=NOW)
    assert "admin" in people.roles_of(admin)


def test_an_admin_without_an_active_account_does_not_count(admin: User) -> None:
    other = make_user(roles=(RoleName.ADMIN,))
    roles.deactivate(other.id, actor=admin.id, now=NOW)
    with pytest.raises(Conflict, match="last admin"):
        roles.revoke(admin.id, "admin", actor=None, now=NOW)


def test_two_admins_who_remove_each_other_at_once_leave_one(admin: User) -> None:
    other = make_user(roles=(RoleName.ADMIN,))
    start = threading.Barrier(2)

    def remove(whom: str, by: str) -> None:
        start.wait()
        try:
            roles.revoke(whom, "admin", actor=by, now=NOW)
        except Conflict:
            pass
        finally:
            database.close_thread()

    threads = [
        threading.Thread(target=remove, args=pair) for pair in ((admin.id, other.id), (other.id, admin.id))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert roles.an_admin_exists()


def test_a_role_that_follows_from_what_one_does_is_not_given_by_hand(admin: User) -> None:
    for role in ("artist", "listener", "owner", ""):
        with pytest.raises(Invalid):
            roles.grant(admin.id, role, actor=None, now=NOW)
    with pytest.raises(NotFound):
        roles.grant("nobody", "admin", actor=None, now=NOW)


def test_a_closed_account_is_signed_out_and_can_be_opened_again(admin: User) -> None:
    other = make_user()
    before = other.fs_uniquifier
    roles.deactivate(other.id, actor=admin.id, now=NOW)
    closed = roles.find(other.id)
    assert (closed.active, closed.fs_uniquifier != before) == (False, True)
    with pytest.raises(Conflict, match="deactivated"):
        roles.grant(other.id, "admin", actor=admin.id, now=NOW)
    roles.activate(other.id, actor=admin.id, now=NOW)
    assert roles.find(other.id).active


def test_people_are_found_by_the_beginning_of_their_address_and_by_role(admin: User) -> None:
    made = [make_user(f"fan{n}@example.com") for n in range(3)]
    make_user("a%b@example.com")
    assert [user.email for user in roles.page(address="FAN", limit=2)] == [
        "fan2@example.com",
        "fan1@example.com",
    ]
    assert [user.email for user in roles.page(address="fan", before=made[1].id)] == ["fan0@example.com"]
    assert [user.id for user in roles.page(role="admin")] == [admin.id]
    assert [user.email for user in roles.page(address="a%")] == ["a%b@example.com"]
    assert roles.held_by([admin, made[0]])[admin.id] == {"admin", "listener"}


# ---- the work


def failed_job(subject: str = "T1") -> Job:
    job = jobs.add("transcode", subject, now=NOW)
    Job.update(state=JobState.FAILED, active=None, last_error="Invalid: no").where(Job.id == job.id).execute()
    return job


def test_a_failed_job_is_tried_again_with_a_note_of_who(admin: User) -> None:
    job = failed_job()
    assert work.counts()["failed"] == 1
    work.retry(job.id, actor=admin.id, now=NOW)
    assert work.counts() == {"queued": 1, "running": 0, "failed": 0}
    [entry] = audit.entries()
    assert (entry.actor, entry.subject) == (admin.id, f"job:{job.id}")


def test_all_failed_jobs_are_tried_again_but_not_twice(admin: User) -> None:
    failed_job("T1")
    failed_job("T1")
    failed_job("T2")
    assert len(work.retry_all(actor=admin.id, now=NOW)) == 2
    assert work.counts() == {"queued": 2, "running": 0, "failed": 1}


# ---- settings of plugins


def restart(appliance: Appliance) -> None:
    """What a new process does with the settings it was given."""
    hooks.load(plugin_settings.merged(appliance.settings))


CDN = {"base_url": "https://cdn.example", "key": "k" * 32}


def change(appliance: Appliance, name: str, **sent: str) -> bool:
    return plugin_forms.change(name, sent, settings=appliance.settings, actor=None, now=NOW)


def test_a_cdn_that_was_set_by_the_form_serves_after_a_restart(appliance: Appliance) -> None:
    restart(appliance)
    assert change(appliance, "signed_cdn", **CDN)
    assert hooks.announce("media_url", key="artwork/x", expires_in_s=0) == []
    restart(appliance)
    assert hooks.announce("media_url", key="artwork/x", expires_in_s=0) == ["https://cdn.example/artwork/x"]
    assert not change(appliance, "signed_cdn", base_url="https://cdn.example", key="")
    change(appliance, "signed_cdn", **{"base_url": "", "key": "", "key.remove": "on"})
    assert plugin_settings.stored() == {}
    restart(appliance)
    assert hooks.announce("media_url", key="artwork/x", expires_in_s=0) == []


def test_webhooks_that_were_set_by_the_form_are_taken_at_the_next_start(appliance: Appliance) -> None:
    restart(appliance)
    sent = {
        "urls": "https://one.example/in\nhttps://two.example/in",
        "secret": "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "timeout_s": "5",
        "attempts": "",
        "allow_private_addresses": "on",
    }
    assert change(appliance, "webhook_out", **sent)
    assert plugin_settings.stored()["webhook_out"] == {
        "urls": ["https://one.example/in", "https://two.example/in"],
        "secret": sent["secret"],
        "timeout_s": 5,
        "allow_private_addresses": True,
    }
    restart(appliance)
    plugin = plugin_forms.find("webhook_out")
    assert plugin.status == "ready", plugin.explanation
    rows = {
        row.setting.name: row
        for row in plugin_forms.rows(plugin, appliance.settings, kept=plugin_forms.kept())
    }
    assert (rows["secret"].text, rows["secret"].is_set) == ("", True)
    assert rows["urls"].text == "https://one.example/in\nhttps://two.example/in"
    assert rows["attempts"].text == "12"


@pytest.mark.parametrize("value", ["0", "61", "soon", "9" * 40])
def test_a_setting_out_of_bounds_is_told_and_not_kept(appliance: Appliance, value: str) -> None:
    restart(appliance)
    with pytest.raises(Invalid) as caught:
        change(appliance, "webhook_out", timeout_s=value)
    assert caught.value.field == "timeout_s"
    assert plugin_settings.stored() == {}


def test_what_the_environment_says_beats_the_form_and_cannot_be_changed_there(appliance: Appliance) -> None:
    given = replace(
        appliance,
        settings=replace(appliance.settings, plugins={"signed_cdn": {"base_url": "https://env.example"}}),
    )
    restart(given)
    with pytest.raises(Conflict, match="environment"):
        change(given, "signed_cdn", **CDN)
    change(given, "signed_cdn", key=CDN["key"])
    restart(given)
    assert hooks.announce("media_url", key="a/b", expires_in_s=0) == ["https://env.example/a/b"]
    rows = {
        row.setting.name: row
        for row in plugin_forms.rows(
            plugin_forms.find("signed_cdn"), given.settings, kept=plugin_forms.kept()
        )
    }
    assert (rows["base_url"].fixed, rows["key"].fixed) == (True, False)


def test_the_trail_names_the_settings_and_not_their_values(appliance: Appliance) -> None:
    restart(appliance)
    change(appliance, "signed_cdn", **CDN)
    [entry] = audit.entries()
    assert audit.facts(entry) == {"settings": ["base_url", "key"]}
    assert CDN["key"] not in entry.detail


def test_processes_that_run_with_older_settings_are_named(appliance: Appliance) -> None:
    restart(appliance)
    settings = appliance.settings
    node_processes.enter(
        "web", plugins=plugin_settings.fingerprint(plugin_settings.merged(settings)), now=NOW
    )
    assert plugin_forms.behind(settings) == []
    change(appliance, "signed_cdn", **CDN)
    assert [process.kind for process in plugin_forms.behind(settings)] == ["web"]
    node_processes.enter(
        "web", plugins=plugin_settings.fingerprint(plugin_settings.merged(settings)), now=NOW
    )
    assert plugin_forms.behind(settings) == []
    node_processes.leave()
    assert node_processes.running() == []


def test_a_process_that_was_killed_is_forgotten() -> None:
    host = node_processes.identity().split(":")[0]
    node_processes.NodeProcess.create(id=f"{host}:999999:1", kind="worker", plugins="x", started_at=NOW)
    node_processes.NodeProcess.create(id="elsewhere:1:1", kind="worker", plugins="x", started_at=NOW)
    assert [process.id for process in node_processes.running()] == ["elsewhere:1:1"]


def test_the_command_line_starts_on_a_database_without_any_table(tmp_path: Path) -> None:
    settings = replace(startup.appliance().settings, data=tmp_path / "fresh", database_url="")
    startup.stop()
    startup.start(settings)
    assert plugin_settings.stored() == {}


# ---- storage use


def test_room_is_counted_by_folder_and_by_artist(appliance: Appliance, flac: Path) -> None:
    size = flac.stat().st_size
    make_track(appliance, flac)
    assert storage_use.folders() == []
    for _ in range(2):
        storage_use.count(appliance.store, now=NOW)
    by_folder = {row.subject: (row.objects, row.size_bytes) for row in storage_use.folders()}
    assert by_folder["originals"] == (1, size)
    assert by_folder["hls"] == (0, 0)
    [(artist, row)] = storage_use.top_artists()
    assert (artist.name, row.objects, row.size_bytes) == ("Night Ferry", 1, size)
