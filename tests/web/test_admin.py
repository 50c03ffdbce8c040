"""The admin's pages: who may come in, what each shows and does, and at which price in queries."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator
from dataclasses import replace

import peewee
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from appliance import clock
from appliance import hooks
from appliance import jobs
from appliance import plugin_settings
from appliance.accounts import audit
from appliance.accounts import people
from appliance.accounts import roles
from appliance.accounts import tokens
from appliance.accounts.audit import Action
from appliance.accounts.models import RoleName
from appliance.accounts.models import Scope
from appliance.catalog.models import Artist
from appliance.collective import identity
from appliance.discovery import featured
from appliance.jobs import Job
from appliance.jobs import JobState
from appliance.startup import Appliance
from tests.queries import least
from tests.servers import site
from tests.servers.site import Person
from web.admin import acts
from web.app import create_app

PAGES = (
    "",
    "/collective",
    "/featured",
    "/people",
    "/artists",
    "/jobs",
    "/mail",
    "/storage",
    "/plugins",
    "/health",
    "/audit",
    "/audit.csv",
    "/audit.jsonl",
)
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def admin(appliance: Appliance) -> Person:
    return site.make_person("admin@example.com", roles=(RoleName.ADMIN,))


@pytest.fixture
def desk(app: Flask, admin: Person) -> FlaskClient:
    """The admin's browser."""
    return site.signed_in(app, admin)


def text(browser: FlaskClient, address: str, status: int = 200) -> str:
    answer = browser.get(address)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return html.unescape(answer.get_data(as_text=True))


def post(browser: FlaskClient, address: str, *, at: str = "", status: int = 303, **sent: object) -> str:
    """Send a form as the page at *at* would, and the page it leads to."""
    token = site.csrf_token(browser.get(f"/admin{at or '/collective'}").get_data(as_text=True))
    answer = browser.post(f"/admin{address}", data={"csrf_token": token, **sent})
    assert answer.status_code == status, answer.get_data(as_text=True)
    if status == 303:
        return text(browser, answer.headers["Location"])
    return html.unescape(answer.get_data(as_text=True))


# ---- who may come in


@pytest.mark.parametrize("address", PAGES)
def test_only_admins_come_in(app: Flask, artist: Person, admin: Person, address: str) -> None:
    nobody = app.test_client().get(f"/admin{address}")
    assert (nobody.status_code, "/sign-in" in nobody.headers["Location"]) == (302, True)
    assert site.signed_in(app, artist).get(f"/admin{address}").status_code == 403
    moderator = site.make_person(roles=(RoleName.MODERATOR,))
    assert site.signed_in(app, moderator).get(f"/admin{address}").status_code == 403
    assert app.test_client().get(f"/admin{address}", headers=admin.headers).status_code == 403
    strong = tokens.mint(admin.user, now=clock.now(), scopes=(Scope.ADMIN,))
    allowed = app.test_client().get(f"/admin{address}", headers={"Authorization": f"Bearer {strong}"})
    assert allowed.status_code == 200


def test_every_act_refuses_strangers_too(app: Flask, artist: Person) -> None:
    browser = site.signed_in(app, artist)
    token = site.csrf_token(browser.get("/studio").get_data(as_text=True))
    acts = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("admin.") and "POST" in rule.methods
    ]
    assert len(acts) >= 9
    for rule in acts:
        address = re.sub(r"<[^>]+>", "x", rule)
        assert browser.post(address, data={"csrf_token": token}).status_code == 403, address
        assert browser.post(address).status_code in {400, 403}, address


def test_an_act_without_its_word_is_refused(desk: FlaskClient) -> None:
    assert desk.post("/admin/collective", data={"name": "x"}).status_code == 400


# ---- overview and health


def test_the_overview_shows_what_is_there_and_what_is_wrong(
    desk: FlaskClient, artist: Person, monkeypatch
) -> None:
    site.make_release(artist, published=True)
    page = text(desk, "/admin")
    assert "All is well" in page or "to mend" in page
    assert "Public releases" in page
    monkeypatch.setattr("appliance.doctor.LEAST_FREE_BYTES", 1 << 60)
    page = text(desk, "/admin")
    assert "make room or set 'data' to a larger disk" in page
    assert "make room" in text(desk, "/admin/health")


def test_looking_at_the_health_leaves_the_running_process_as_it_is(desk: FlaskClient, monkeypatch) -> None:
    def reload(*arguments: object, **named: object) -> None:
        raise AssertionError("the health page loads nothing anew")

    for place in ("appliance.hooks.load", "appliance.database.connect", "appliance.jobs.configure"):
        monkeypatch.setattr(place, reload)
    assert "Data folder" in text(desk, "/admin/health")


# ---- the collective


def write(desk: FlaskClient, status: int = 303, **changed: str) -> str:
    sent = {"version": "0", "name": "Tide Collective", "registration": "on", **changed}
    return post(desk, "/collective", status=status, **sent)


def test_an_admin_writes_name_look_and_texts(
    desk: FlaskClient, client: FlaskClient, appliance: Appliance
) -> None:
    assert client.get("/imprint").status_code == 404
    write(
        desk, about=f"# Hello\n\n**We** sing. {EVIL}", imprint="Harbour 1", own_accent="on", accent="#AA3311"
    )
    assert "Tide Collective" in text(client, "/")
    about = client.get("/about").get_data(as_text=True)
    assert "<strong>We</strong>" in about
    assert EVIL not in about
    assert "Harbour 1" in text(client, "/imprint")
    assert client.get("/privacy").status_code == 404
    assert identity.current(appliance.settings).accent == "#aa3311"


def test_a_preview_keeps_nothing(desk: FlaskClient, appliance: Appliance) -> None:
    page = write(desk, 422, preview="1", about="**Loud** words", own_accent="on", accent="#ffff00")
    assert "<strong>Loud</strong>" in page
    assert "not saved yet" in page
    assert re.search(r"On light pages: <code>#[0-9a-f]{6}</code>", page)
    assert identity.stored_version() == 0
    refused = write(desk, 422, preview="1", own_accent="on", accent="yellow")
    assert "A colour is written like" in refused


def test_what_cannot_be_comes_back_as_it_was_written(desk: FlaskClient) -> None:
    page = write(desk, 422, name="x" * 101, about="My long text")
    assert "at most 100 characters" in page
    assert "My long text" in page


def test_the_second_of_two_admins_sees_what_the_first_wrote_and_loses_nothing(
    desk: FlaskClient, appliance: Appliance
) -> None:
    write(desk, tagline="first")
    page = write(desk, 409, tagline="second")
    assert "Somebody else changed this" in page
    assert ">first<" in page
    assert 'value="second"' in page
    assert identity.current(appliance.settings).tagline == "first"
    write(desk, version=re.search(r'name="version" value="(\d+)"', page)[1], tagline="second")  # type: ignore[index]
    assert identity.current(appliance.settings).tagline == "second"


def test_what_the_operator_fixed_is_shown_and_not_asked(admin: Person, appliance: Appliance) -> None:
    settings = replace(appliance.settings, collective_name="Choir", given=frozenset({"collective_name"}))
    browser = site.signed_in(create_app(replace(appliance, settings=settings)), admin)
    page = text(browser, "/admin/collective")
    assert "set by the server's settings: Choir" in page
    assert 'name="name"' not in page


def test_a_logo_is_sent_and_taken_away(desk: FlaskClient, appliance: Appliance) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (300, 300), "teal").save(picture, "PNG")
    picture.seek(0)
    assert "The logo now" in post(desk, "/collective/logo", logo=(picture, "logo.png"))
    assert desk.get(f"/{identity.current(appliance.settings).logo_key}/300.webp").status_code == 200
    assert "cannot be read" in post(desk, "/collective/logo", logo=(io.BytesIO(b"no picture"), "logo.png"))
    assert "Choose a picture first" in post(desk, "/collective/logo")
    assert "The logo now" not in post(desk, "/collective/logo", remove="1")


def test_registration_is_closed_and_opened_at_once(desk: FlaskClient, client: FlaskClient) -> None:
    token = site.csrf_token(desk.get("/admin/collective").get_data(as_text=True))
    sent = {"csrf_token": token, "version": "0", "name": "Tide"}
    assert desk.post("/admin/collective", data=sent).status_code == 303
    assert client.get("/register").status_code == 404
    assert (
        desk.post("/admin/collective", data={**sent, "version": "1", "registration": "on"}).status_code == 303
    )
    assert client.get("/register").status_code == 200


# ---- featured


def test_releases_are_found_featured_ordered_noted_and_taken_out(desk: FlaskClient, artist: Person) -> None:
    act = site.make_artist(artist)
    out = [site.make_release(artist, artist=act, title=f"Harbour {n}", published=True) for n in range(3)]
    for release in out[:2]:
        post(desk, "/featured", at="/featured", release=release.id, act="add")
        post(desk, "/featured", at="/featured", release=release.id, act="add")

    def order() -> list[str]:
        return [pick.release.title for pick in featured.list()]

    assert order() == ["Harbour 1", "Harbour 0"]
    post(desk, "/featured", at="/featured", release=out[0].id, act="up")
    assert order() == ["Harbour 0", "Harbour 1"]
    assert EVIL in post(desk, "/featured", at="/featured", release=out[0].id, act="note", note=EVIL)
    assert EVIL not in desk.get("/admin/featured").get_data(as_text=True)
    post(desk, "/featured", at="/featured", release=out[1].id, act="remove")
    assert order() == ["Harbour 0"]
    assert "not featured any more" in post(desk, "/featured", at="/featured", release=out[1].id, act="up")
    draft = site.make_release(artist, artist=act, title="Not yet")
    assert "Only a release that is public" in post(
        desk, "/featured", at="/featured", release=draft.id, act="add"
    )
    actions = [entry.action for entry in audit.entries(limit=5)]
    assert actions[0] == "featured.removed"


# ---- people and artists


def test_roles_are_granted_and_revoked_by_forms(desk: FlaskClient, artist: Person, admin: Person) -> None:
    at = f"/people/{artist.user.id}"
    assert "is now: Moderator" in post(desk, at, at="/people", act="grant", role="moderator")
    assert people.roles_of(artist.user) == {"listener", "moderator"}
    post(desk, at, at="/people", act="revoke", role="moderator")
    assert people.roles_of(artist.user) == {"listener"}
    assert "cannot be given by hand" in post(desk, at, at="/people", act="grant", role="artist")
    own = f"/people/{admin.user.id}"
    assert "from yourself" in post(desk, own, at="/people", act="revoke", role="admin")
    assert "your own account" in post(desk, own, at="/people", act="deactivate")
    post(desk, "/people/NOBODY", at="/people", status=404, act="grant", role="admin")


def test_a_closed_account_is_signed_out_at_once(app: Flask, desk: FlaskClient, artist: Person) -> None:
    browser = site.signed_in(app, artist)
    assert browser.get("/studio").status_code == 200
    post(desk, f"/people/{artist.user.id}", at="/people", act="deactivate")
    assert browser.get("/studio").status_code == 302
    assert app.test_client().get("/api/v1/me", headers=artist.headers).status_code in {401, 404}
    post(desk, f"/people/{artist.user.id}", at="/people", act="activate")
    assert site.signed_in(app, artist).get("/studio").status_code == 200


def test_people_are_searched_and_paged(desk: FlaskClient) -> None:
    for number in range(55):
        site.make_person(f"fan{number:02}@example.com")
    page = text(desk, "/admin/people?q=fan")
    assert "fan54@" in page
    assert "fan03@" not in page
    older = re.search(
        r'href="(/admin/people\?before=[^"]+)" rel="next"|href="(/admin/people\?[^"]*before[^"]*)"', page
    )
    assert older
    assert "fan03@" in text(desk, html.unescape(older[1] or older[2]))
    assert "Nobody found" in text(desk, "/admin/people?q=zzz")
    assert "admin@example.com" in text(desk, "/admin/people?role=admin")


def test_an_artist_is_handed_over(desk: FlaskClient, artist: Person, stranger: Person) -> None:
    act = site.make_artist(artist, f"Ferry {EVIL}")
    assert EVIL not in desk.get("/admin/artists").get_data(as_text=True)
    at = f"/artists/{act.id}/owner"
    assert "There is no account" in post(desk, at, at="/artists", email="nobody@example.com")
    assert f"belongs to {stranger.user.email}" in post(desk, at, at="/artists", email=stranger.user.email)
    assert Artist.get_by_id(act.id).owner_id == stranger.user.id
    assert audit.entries(limit=1)[0].action == "artist.handed_over"


# ---- jobs and storage


def failed_job(subject: str, error: str = "Invalid: no music") -> Job:
    job = jobs.add("transcode", subject, now=clock.now())
    Job.update(state=JobState.FAILED, active=None, last_error=error).where(Job.id == job.id).execute()
    return job


@pytest.mark.usefixtures("nobody_works")
def test_failed_jobs_are_shown_and_tried_again(desk: FlaskClient) -> None:
    job = failed_job("T1", error=EVIL)
    failed_job("T2")
    page = text(desk, "/admin/jobs")
    assert "T1" in page and "Invalid: no music" in page
    assert EVIL not in desk.get("/admin/jobs").get_data(as_text=True)
    post(desk, f"/jobs/{job.id}/retry", at="/jobs")
    assert Job.get_by_id(job.id).state == JobState.QUEUED
    assert "only a failed job" in post(desk, f"/jobs/{job.id}/retry", at="/jobs")
    assert "1 job is queued again" in post(desk, "/jobs/retry", at="/jobs")
    assert "T1" in text(desk, "/admin/jobs?state=queued")
    assert text(desk, "/admin/jobs?state=rubbish")


def test_room_is_counted_when_asked(desk: FlaskClient, artist: Person, appliance: Appliance) -> None:
    assert "Not counted yet" in text(desk, "/admin/storage")
    site.make_track(site.make_release(artist), appliance)
    post(desk, "/storage/count", at="/storage")
    page = text(desk, "/admin/storage")
    assert "originals/" in page
    assert "Night Ferry" in page


# ---- plugins


@pytest.fixture
def restarted(appliance: Appliance) -> Iterator[object]:
    def restart() -> None:
        hooks.load(plugin_settings.merged(appliance.settings))

    restart()
    yield restart
    plugin_settings.PluginSetting.delete().execute()
    restart()


def test_a_cdn_is_set_by_the_form_and_serves_after_a_restart(desk: FlaskClient, restarted) -> None:
    page = text(desk, "/admin/plugins")
    assert "signed_cdn" in page and "webhook_out" in page
    key = "k" * 40
    page = post(
        desk, "/plugins/signed_cdn", at="/plugins", base_url="https://cdn.example", **{"secret.key": key}
    )
    assert "It counts from the next start on" in page
    assert key not in page
    assert "It is set; leave this empty to keep it" in page
    restarted()
    assert hooks.announce("media_url", key="artwork/x", expires_in_s=0) == ["https://cdn.example/artwork/x"]
    assert "Nothing was changed" in post(
        desk, "/plugins/signed_cdn", at="/plugins", base_url="https://cdn.example"
    )


def test_webhooks_are_set_by_the_form(desk: FlaskClient, restarted) -> None:
    wrong = post(
        desk, "/plugins/webhook_out", at="/plugins", status=422, timeout_s="900", urls="https://one.example"
    )
    assert "allowed is a whole number from 1 to 60" in wrong
    assert "https://one.example" in wrong
    sent = {
        "urls": "https://one.example/in",
        "secret.secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "timeout_s": "5",
        "attempts": "12",
    }
    page = post(desk, "/plugins/webhook_out", at="/plugins", **sent)
    assert "MfKQ9r8GKYqr" not in page
    restarted()
    [plugin] = [one for one in hooks.plugins() if one.name == "webhook_out"]
    assert (plugin.status, plugin.explanation) == ("ready", "")
    assert "No such" not in text(desk, "/admin/plugins")
    post(desk, "/plugins/nobody", at="/plugins", status=404)


# ---- the audit trail


def test_every_act_the_trail_keeps_is_said_in_words() -> None:
    assert set(acts.TOLD) == set(Action)


def test_the_trail_is_filtered_paged_and_exported(desk: FlaskClient, admin: Person) -> None:
    for number in range(60):
        audit.record("job.retried", actor=admin.user.id, subject=f"job:{number}", now=clock.now())
    audit.record("role.granted", actor=None, subject="user:=EVIL", detail={"role": EVIL}, now=clock.now())
    page = text(desk, "/admin/audit?action=job.retried&actor=admin@example.com")
    assert "job:59" in page and "job:9<" not in page and "role.granted</code>" not in page
    assert EVIL not in desk.get("/admin/audit").get_data(as_text=True)
    assert "Nothing found" in text(desk, "/admin/audit?actor=nobody@example.com")
    assert "Nothing found" in text(desk, "/admin/audit?last=1999-01-01")
    assert text(desk, "/admin/audit?first=rubbish&last=9999-12-31&before=rubbish&action=%00")
    table = desk.get("/admin/audit.csv?action=job.retried")
    rows = list(csv.DictReader(io.StringIO(table.get_data(as_text=True))))
    assert len(rows) == 60
    assert rows[0]["actor_address"] == "admin@example.com"
    assert "attachment" in table.headers["Content-Disposition"]


def test_a_cell_of_the_export_is_never_a_formula(desk: FlaskClient) -> None:
    audit.record("job.retried", actor=None, subject="=HYPERLINK(1)", now=clock.now())
    assert "'=HYPERLINK" in desk.get("/admin/audit.csv").get_data(as_text=True)


# ---- the price


def price(browser: FlaskClient, address: str) -> int:
    return least(lambda: text(browser, address))


@pytest.mark.usefixtures("nobody_works")
def test_a_page_asks_as_much_for_many_rows_as_for_few(desk: FlaskClient, admin: Person) -> None:
    pages = [f"/admin{page}" for page in PAGES if not page.endswith(".csv")]

    def fill(start: int, stop: int) -> None:
        for number in range(start, stop):
            person = site.make_person(f"p{number}@example.com", roles=(RoleName.MODERATOR,))
            release = site.make_release(
                person, artist=site.make_artist(person, f"Act {number}"), published=True
            )
            failed_job(f"T{number}")
            audit.record("job.retried", actor=person.user.id, subject=f"job:{number}", now=clock.now())
            if number < 20:
                featured.put([*[pick.release.id for pick in featured.list()], release.id], now=clock.now())

    fill(0, 2)
    few = [price(desk, page) for page in pages]
    fill(2, 40)
    assert [price(desk, page) for page in pages] == few
    assert max(few) <= 27, dict(zip(pages, few, strict=True))


def test_the_pages_ask_for_the_role_of_who_is_there_now(desk: FlaskClient, admin: Person) -> None:
    site.make_person("other@example.com", roles=(RoleName.ADMIN,))
    roles.revoke(admin.user.id, "admin", actor=None, now=clock.now())
    assert desk.get("/admin").status_code == 403


@pytest.mark.parametrize("page", [page for page in PAGES if not page.endswith((".csv", ".jsonl"))])
def test_no_page_holds_style_or_handlers_of_its_own(desk: FlaskClient, page: str) -> None:
    shown = desk.get(f"/admin{page}").get_data(as_text=True)
    assert not re.search(r"\son[a-z]+=", shown.split("<body")[1])
    assert " style=" not in shown


def test_a_broken_database_is_a_red_line_and_not_a_stack(desk: FlaskClient, monkeypatch) -> None:
    def broken() -> None:
        raise peewee.OperationalError("disk I/O error")

    monkeypatch.setattr("appliance.database.check", broken)
    assert "disk I/O error" in text(desk, "/admin/health")


def test_the_trail_tells_who_signs_in(app: Flask, admin: Person, artist: Person) -> None:
    site.signed_in(app, artist)
    site.signed_in(app, admin)
    signed_in = [(entry.action, entry.actor) for entry in audit.entries()][:2]
    assert signed_in == [("sign_in", admin.user.id), ("sign_in", artist.user.id)]
