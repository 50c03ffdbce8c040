"""The outbox of the admins: without a mail server it is where secret links wait."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import clock
from appliance import database
from appliance import jobs
from appliance import mail
from appliance.accounts import audit
from appliance.accounts.models import RoleName
from appliance.mail import Message
from appliance.settings import Settings
from appliance.startup import Appliance
from tests.servers import site
from tests.servers import smtp
from tests.servers.site import Person
from tests.servers.smtp import Post
from tests.web.test_admin import post
from tests.web.test_admin import text


@pytest.fixture
def admin(appliance: Appliance) -> Person:
    return site.make_person("admin@example.com", roles=(RoleName.ADMIN,))


@pytest.fixture
def desk(app: Flask, admin: Person) -> FlaskClient:
    return site.signed_in(app, admin)


@pytest.fixture
def office(appliance: Appliance) -> Iterator[Post]:
    """A mail server that the settings name."""
    with smtp.serving() as running:
        address = f"smtp+plain://127.0.0.1:{running.port}"
        mail.configure(Settings(smtp_url=address, mail_from="music@example.org"))
        yield running
        mail.configure(Settings())


def written(to: str = "bob@example.com", artist: str = "Night Ferry") -> Message:
    facts = {"collective": "X", "by": "Ada", "artist": artist, "until": "soon", "link": "https://x.example/i"}
    with database.transaction():
        job_id = mail.send("artist_invitation", to, facts=facts, locale="en", now=clock.now())
    jobs.send(job_id)
    message: Message = Message.select().order_by(Message.id.desc()).get()
    return message


def test_a_message_waits_and_is_read_and_that_it_was_is_told(desk: FlaskClient, admin: Person) -> None:
    message = written(artist="<script>alert(1)</script>")
    page = desk.get("/admin/mail").get_data(as_text=True)
    assert "No mail server is set" in page
    assert "bob@example.com" in page
    assert "<script>alert" not in page
    shown = desk.get(f"/admin/mail/{message.id}")
    assert "https://x.example/i" in shown.get_data(as_text=True)
    assert "<script>alert" not in shown.get_data(as_text=True)
    assert shown.headers["Cache-Control"] in {"no-store", "private, no-cache"}
    [entry] = audit.entries(limit=1)
    assert (entry.action, entry.actor, entry.subject) == ("mail.read", admin.user.id, f"mail:{message.id}")


def test_what_a_mail_server_is_to_carry_nobody_else_reads(desk: FlaskClient, office: Post) -> None:
    """Else an admin could ask for somebody's new password, and take the letter."""
    for answer in ("451 4.3.0 Try again later", "550 5.7.1 No"):
        office.data = answer
        message = written()
        assert message.text
        assert "https://x.example/i" not in text(desk, f"/admin/mail/{message.id}")


def test_only_admins_read_a_message(app: Flask, artist: Person, desk: FlaskClient) -> None:
    message = written()
    assert app.test_client().get(f"/admin/mail/{message.id}").status_code == 302
    moderator = site.signed_in(app, site.make_person(roles=(RoleName.MODERATOR,)))
    for browser in (site.signed_in(app, artist), moderator):
        assert browser.get(f"/admin/mail/{message.id}").status_code == 403
    assert desk.get("/admin/mail/nothing").status_code == 404
    assert [entry.action for entry in audit.entries()].count("mail.read") == 0


def test_what_was_kept_is_sent_when_there_is_a_server(
    desk: FlaskClient, request: pytest.FixtureRequest
) -> None:
    message = written()
    office: Post = request.getfixturevalue("office")
    page = post(desk, f"/mail/{message.id}/send")
    assert office.deliveries[0].to == ["bob@example.com"]
    assert "Sent" in page
    assert "sent already" in post(desk, f"/mail/{message.id}/send")
    assert "Its text is gone" in text(desk, f"/admin/mail/{message.id}")
    assert len(office.deliveries) == 1


def test_an_admin_sends_a_test_to_themselves(desk: FlaskClient, office: Post) -> None:
    page = post(desk, "/mail/test")
    assert "A test to admin@example.com is on its way" in page
    [got] = office.deliveries
    assert (got.to, str(got.letter["Subject"])) == (["admin@example.com"], "A test from MusicConnect")


def test_what_the_server_refused_is_told(desk: FlaskClient, office: Post) -> None:
    office.recipient = "550 5.1.1 Nobody lives here"
    written()
    assert "550 5.1.1 Nobody lives here" in text(desk, "/admin/mail?state=failed")
    assert "No messages" in text(desk, "/admin/mail?state=sent")
    assert text(desk, "/admin/mail?state=rubbish&before=rubbish")


def test_mail_that_does_not_get_away_is_told_on_the_page_of_health(desk: FlaskClient, office: Post) -> None:
    assert "goes to 127.0.0.1" not in text(desk, "/admin/health")
    office.data = "451 4.3.0 Try again later"
    written()
    assert "1 message(s) could not be sent yet." in text(desk, "/admin/health")


def test_who_is_invited_gets_the_link_by_mail(app: Flask, artist: Person, office: Post) -> None:
    act = site.make_artist(artist)
    owner = site.signed_in(app, artist)
    token = site.csrf_token(owner.get("/account").get_data(as_text=True))
    sent = {"csrf_token": token, "email": "mira@example.com", "role": "manager"}
    owner.post(f"/studio/artists/{act.slug}/invitations", data=sent)
    [got] = office.deliveries
    assert got.to == ["mira@example.com"]
    body = got.letter.get_body(("plain",))
    assert body is not None
    [path] = re.findall(r"http://localhost(/invitations/[\w-]+)", body.get_content())
    assert "Night Ferry" in html.unescape(app.test_client().get(path).get_data(as_text=True))
