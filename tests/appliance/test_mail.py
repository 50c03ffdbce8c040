"""Mail against a real SMTP server: what arrives, what is tried again, what fails for good, and what nobody can smuggle in."""

import dataclasses
import ssl
from collections.abc import Callable
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from appliance import database
from appliance import doctor
from appliance import jobs
from appliance import mail
from appliance import mail_commands
from appliance.cli import cli
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import Unavailable
from appliance.jobs.models import Job
from appliance.jobs.models import JobState
from appliance.mail import outbox
from appliance.mail import rendering
from appliance.mail import server
from appliance.mail import smtp
from appliance.mail.models import Message
from appliance.mail.models import MessageState
from appliance.settings import Settings
from appliance.startup import Appliance
from tests.makers import NOW
from tests.servers import smtp as post_office
from tests.servers.smtp import Post
from tools import translations

FACTS = {
    "collective": "Night Harbour",
    "by": "ada@example.org",
    "artist": "Night Ferry",
    "until": "15 May 2026",
    "link": "https://music.example/invitations/abc?d=1&e=2",
}


@pytest.fixture
def use(appliance: Appliance) -> Iterator[Callable[..., None]]:
    """Let mail go to this server."""

    def use(post: Post, *, scheme: str = "smtp+plain", sign_in: str = "", **more: str) -> None:
        address = f"{scheme}://{sign_in}127.0.0.1:{post.port}"
        mail.configure(
            dataclasses.replace(
                appliance.settings, **{"smtp_url": address, "mail_from": "music@example.org", **more}
            )
        )

    yield use
    mail.configure(Settings())


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office.serving() as running:
        yield running


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 that this process trusts."""
    context, file = post_office.certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return context


def send(to: str = "bob@example.com", **facts: object) -> Message:
    with database.transaction():
        job_id = mail.send("artist_invitation", to, facts={**FACTS, **facts}, locale="en", now=NOW)
    jobs.send(job_id)
    message: Message = Message.get(Message.id == Job.get(Job.id == job_id).subject)
    return message


def again(message: Message) -> Message:
    """The job of this message once more, as a worker that was lost would leave it."""
    Job.update(state=JobState.QUEUED, active=1, run_after=NOW).where(Job.subject == message.id).execute()
    jobs.send(Job.get(Job.subject == message.id).id)
    return outbox.find(message.id)


def test_a_message_arrives_as_text_and_html_that_say_the_same(post: Post, use: Callable[..., None]) -> None:
    use(post)
    message = send()
    [got] = post.deliveries
    letter = got.letter
    assert (got.sender, got.to) == ("music@example.org", ["bob@example.com"])
    assert str(letter["Subject"]) == "ada@example.org invites you to work on Night Ferry"
    assert str(letter["From"]) == "Night Harbour <music@example.org>"
    assert letter["Message-ID"] == f"<{message.id.lower()}@example.org>"
    assert letter["Date"].datetime.tzinfo is not None
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["List-Id"] == "<musicconnect.example.org>"
    assert letter.get_content_type() == "multipart/alternative"
    text, html = (part.get_content() for part in letter.iter_parts())
    assert FACTS["link"] in text
    assert "Look at the invitation" in text
    assert 'href="https://music.example/invitations/abc?d=1&amp;e=2"' in html
    for said in ("Night Harbour", "The invitation ends on 15 May 2026."):
        assert said in text
        assert said in html


def test_what_was_sent_keeps_no_secret_link_and_is_not_sent_twice(
    post: Post, use: Callable[..., None]
) -> None:
    use(post)
    message = send()
    assert message.state == MessageState.SENT
    assert (message.text, message.html) == ("", "")
    assert again(message).state == MessageState.SENT
    assert len(post.deliveries) == 1


def test_without_a_server_a_message_waits_in_the_outbox_until_an_admin_sends_it(
    appliance: Appliance, post: Post, use: Callable[..., None]
) -> None:
    message = send()
    assert message.state == MessageState.KEPT
    assert FACTS["link"] in message.text
    use(post)
    jobs.send(outbox.send_again(message.id, now=NOW))
    assert outbox.find(message.id).state == MessageState.SENT
    assert len(post.deliveries) == 1
    with pytest.raises(Conflict, match="sent already"):
        outbox.send_again(message.id, now=NOW)


def test_a_message_whose_act_is_taken_back_never_was(appliance: Appliance) -> None:
    with pytest.raises(RuntimeError), database.transaction():
        mail.send("artist_invitation", "bob@example.com", facts=FACTS, locale="en", now=NOW)
        raise RuntimeError
    assert Message.select().count() == Job.select().count() == 0


def test_what_is_posted_deep_within_an_act_leaves_when_all_of_it_is_committed(
    post: Post, use: Callable[..., None]
) -> None:
    use(post)
    with database.transaction():
        with database.transaction():
            mail.post("artist_invitation", "bob@example.com", facts=FACTS, locale="en", now=NOW)
        assert post.deliveries == []
    [got] = post.deliveries
    assert got.to == ["bob@example.com"]


def test_a_password_goes_by_starttls_alone(trusted: ssl.SSLContext, use: Callable[..., None]) -> None:
    sign_in = f"{post_office.NAME}:{quote(post_office.PASSWORD, safe='')}@"
    with post_office.serving(tls=trusted, auth_required=True) as post:
        use(post, scheme="smtp", sign_in=sign_in)
        assert send().state == MessageState.SENT
        [got] = post.deliveries
        assert (got.by, got.secure) == (post_office.NAME, True)
    with post_office.serving() as post:
        use(post, scheme="smtp")
        message = send()
        assert message.state == MessageState.WAITING
        assert "offers no encryption" in message.problem


def test_tls_from_the_first_byte(trusted: ssl.SSLContext, use: Callable[..., None]) -> None:
    with post_office.serving(tls=trusted, at_once=True) as post:
        use(post, scheme="smtps")
        assert send().state == MessageState.SENT
        assert len(post.deliveries) == 1


@pytest.mark.parametrize("at_once", [True, False])
def test_a_certificate_nobody_knows_is_refused(
    tmp_path: Path, use: Callable[..., None], at_once: bool
) -> None:
    context, _file = post_office.certificate(tmp_path, "127.0.0.1")
    with post_office.serving(tls=context, at_once=at_once) as post:
        use(post, scheme="smtps" if at_once else "smtp")
        assert send().problem.startswith("The certificate of the mail server 127.0.0.1 is not good")
        assert post.deliveries == []


def test_a_wrong_password_is_told_and_tried_again(trusted: ssl.SSLContext, use: Callable[..., None]) -> None:
    with post_office.serving(tls=trusted, auth_required=True) as post:
        use(post, scheme="smtp", sign_in=f"{post_office.NAME}:wrong@")
        message = send()
        assert message.state == MessageState.WAITING
        assert "does not take the name and password" in message.problem
        assert "wrong" not in message.problem


@pytest.mark.parametrize("where", ["recipient", "data"])
def test_what_the_server_refuses_for_good_failed_at_once(
    post: Post, use: Callable[..., None], where: str
) -> None:
    use(post)
    setattr(post, where, "550 5.1.1 Nobody lives here")
    message = send()
    assert message.state == MessageState.FAILED
    assert message.problem == ("The mail server 127.0.0.1 refused the message: 550 5.1.1 Nobody lives here")
    assert FACTS["link"] in message.text
    setattr(post, where, "250 OK")
    jobs.send(outbox.send_again(message.id, now=NOW))
    assert outbox.find(message.id).state == MessageState.SENT


@pytest.mark.parametrize("answer", ["451 4.3.0 Try again later", "drop"])
def test_what_may_be_well_later_is_tried_again(post: Post, use: Callable[..., None], answer: str) -> None:
    use(post)
    post.answers = [answer]
    message = send()
    assert message.state == MessageState.WAITING
    assert message.problem
    assert Job.get(Job.subject == message.id).state == JobState.QUEUED
    assert again(message).state == MessageState.SENT
    assert outbox.find(message.id).problem == ""
    assert len(post.deliveries) == 1


def test_a_line_that_breaks_after_the_message_was_taken_makes_a_second_copy_with_the_same_id(
    post: Post, use: Callable[..., None]
) -> None:
    """At least once: nobody can know whether the answer was lost or the message."""
    use(post)
    post.answers = ["taken and drop"]
    assert again(send()).state == MessageState.SENT
    first, second = post.deliveries
    assert first.letter["Message-ID"] == second.letter["Message-ID"]


def test_after_the_last_try_the_message_failed(post: Post, use: Callable[..., None]) -> None:
    use(post)
    post.data = "451 4.3.0 Try again later"
    message = send()
    Job.update(attempts=Job.max_attempts - 1).where(Job.subject == message.id).execute()
    assert again(message).state == MessageState.FAILED


def test_a_server_that_is_slow_or_drips_does_not_hold_a_worker(
    post: Post, use: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(post)
    monkeypatch.setattr(smtp, "LONGEST_S", 0.3)
    post.pause_s = 5
    message = send()
    assert message.problem == "The mail server 127.0.0.1 did not answer in time."
    assert message.state == MessageState.WAITING


def test_nobody_there_is_told(post: Post, use: Callable[..., None]) -> None:
    use(post)
    mail.configure(Settings(smtp_url="smtp+plain://127.0.0.1:1", mail_from="music@example.org"))
    assert send().problem == "The mail server 127.0.0.1 cannot be reached."


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r", "\u2028", "\x00", "\x85"])
def test_no_name_brings_a_header_or_a_paragraph_of_its_own(
    post: Post, use: Callable[..., None], ending: str
) -> None:
    use(post)
    smuggled = f"Eve{ending}Bcc: all@example.com{ending}{ending}Click here"
    send(artist=smuggled, collective=smuggled, by=smuggled)
    [got] = post.deliveries
    assert got.to == ["bob@example.com"]
    assert got.letter["Bcc"] is None
    assert set(got.letter.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress", "List-Id",
        "MIME-Version", "Content-Type",
    }  # fmt: skip
    assert "\nBcc" not in got.letter.get_body(("plain",)).get_content()


@pytest.mark.parametrize(
    "to", ["bob@example.com\r\nBcc: eve@example.com", "bob@exam ple.com", "@example.com", "bob@", "bob@x..y", "bob"]
)  # fmt: skip
def test_what_is_no_address_fails_with_a_sentence(post: Post, use: Callable[..., None], to: str) -> None:
    use(post)
    message = send(to)
    assert message.state == MessageState.FAILED
    assert message.problem == "This is not an e-mail address."
    assert post.deliveries == []


def test_html_of_a_name_is_shown_as_text(post: Post, use: Callable[..., None]) -> None:
    use(post)
    send(artist='<img src="https://evil.example/x">')
    html = post.deliveries[0].letter.get_body(("html",)).get_content()
    assert "<img" not in html
    assert "&lt;img" in html


def test_a_name_with_braces_is_a_name(post: Post, use: Callable[..., None]) -> None:
    use(post)
    send(artist="{by.__class__}")
    assert "{by.__class__}" in str(post.deliveries[0].letter["Subject"])


def test_a_domain_of_other_letters_goes_in_ascii(post: Post, use: Callable[..., None]) -> None:
    use(post)
    send("bob@bücher.straße.example")
    assert post.deliveries[0].to == ["bob@xn--bcher-kva.xn--strae-oqa.example"]


def test_a_name_of_other_letters_needs_a_server_that_speaks_smtputf8(use: Callable[..., None]) -> None:
    with post_office.serving() as post:
        use(post)
        assert send("jörg@example.com").state == MessageState.SENT
        assert post.deliveries[0].to == ["jörg@example.com"]
    with post_office.serving(enable_SMTPUTF8=False) as post:
        use(post)
        message = send("jörg@example.com")
        assert message.state == MessageState.FAILED
        assert "SMTPUTF8" in message.problem


def test_texts_go_after_a_week_and_messages_after_a_season(appliance: Appliance) -> None:
    message = send()
    assert outbox.expire(now=NOW + timedelta(days=6)) == 0
    assert outbox.expire(now=NOW + timedelta(days=8)) == 1
    assert (outbox.find(message.id).text, outbox.find(message.id).html) == ("", "")
    with pytest.raises(Conflict, match="removed"):
        outbox.send_again(message.id, now=NOW)
    outbox.expire(now=NOW + timedelta(days=91))
    assert Message.select().count() == 0


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"smtp_url": "smtp://mail.example"}, "mail_from"),
        ({"smtp_url": "smtp+plain://a:b@mail.example"}, "smtp_url"),
        ({"smtp_url": "smtp://a@mail.example"}, "smtp_url"),
        ({"smtp_url": "smtp://mail.example:99999"}, "smtp_url"),
        ({"smtp_url": "smtp://:25"}, "smtp_url"),
        ({"smtp_url": "smtp://mail.example", "mail_from": "music@x..y"}, "mail_from"),
    ],
)
def test_a_wrong_setting_is_named_without_its_password(values: dict[str, str], named: str) -> None:
    settings = Settings(**{"mail_from": "" if named == "mail_from" else "music@example.org", **values})
    with pytest.raises(Invalid, match=named) as caught:
        server.read(settings)
    assert caught.value.field == named


def test_the_ports_are_the_usual_ones() -> None:
    def port(url: str) -> int:
        found = server.read(Settings(smtp_url=url, mail_from="music@example.org"))
        assert found
        return found.port

    assert [port(f"{scheme}://mail.example") for scheme in ("smtp", "smtps", "smtp+plain")] == [587, 465, 25]


def test_a_look_at_the_server_sends_nothing(post: Post, use: Callable[..., None]) -> None:
    use(post)
    place = server.current()
    assert place
    smtp.look(place)
    assert post.deliveries == []
    with pytest.raises(Unavailable):
        smtp.look(dataclasses.replace(place, port=1))


def test_a_command_sends_a_test_at_once_and_says_what_came_of_it(
    appliance: Appliance, post: Post, use: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # This process is started already; a second connection would be a second pool.
    monkeypatch.setattr(mail_commands, "started", lambda ctx: appliance)

    def run() -> tuple[int, str]:
        done = CliRunner().invoke(cli, ["mail", "test", "bob@example.com"])
        return done.exit_code, done.output

    code, said = run()
    assert (code, "No mail server is set" in said) == (3, True)
    use(post)
    assert run() == (0, "The mail server 127.0.0.1 took the message to bob@example.com.\n")
    post.recipient = "550 5.1.1 Nobody lives here"
    code, said = run()
    assert (code, "Nobody lives here" in said) == (2, True)
    assert (len(post.deliveries), Message.select().count()) == (1, 0)


def test_the_doctor_greets_the_mail_server(appliance: Appliance, post: Post) -> None:
    def found(address: str, *, connect: bool = True) -> str:
        settings = dataclasses.replace(
            appliance.settings, smtp_url=address, mail_from="music@example.org" if address else ""
        )
        [check] = [doctor._checks["mail"]]
        try:
            if connect and check.connect:
                check.connect(settings)
            return check.look(settings)
        except Unavailable as error:
            return str(error)

    assert found("") == "no server is set: messages wait in the outbox of the admins"
    assert found(f"smtp+plain://127.0.0.1:{post.port}") == "goes to 127.0.0.1"
    assert found("smtp+plain://127.0.0.1:1") == "The mail server 127.0.0.1 cannot be reached."
    # A page must not wait for it.
    assert found("smtp+plain://127.0.0.1:1", connect=False) == "goes to 127.0.0.1"


@pytest.mark.parametrize("link", ["javascript:alert(1)", "/invitations/x", "https://x y"])
def test_a_link_is_a_whole_address(link: str) -> None:
    with pytest.raises(ValueError, match="whole address"):
        rendering.render("artist_invitation", {**FACTS, "link": link}, locale="en")


@pytest.mark.parametrize("locale", ["en", "", "xx", "../../etc", "en_GB"])
def test_a_language_nobody_translated_is_english(locale: str) -> None:
    said = rendering.render("artist_invitation", FACTS, locale=locale)
    assert said.subject.startswith("ada@example.org invites")
    assert '<html lang="en">' in said.html


def test_a_message_is_in_the_readers_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = translations.Shelf(tmp_path, "mail", scripts=False)
    fresh = translations.gathered_letters()
    fresh["{by} invites you to work on {artist}"].string = "{by} lädt dich zu {artist} ein"
    path = shelf.catalogue("de").with_suffix(".mo")
    path.parent.mkdir(parents=True)
    path.write_bytes(translations._written(translations.write_mo, fresh))
    monkeypatch.setattr(rendering, "TRANSLATIONS", tmp_path)
    rendering._translations.cache_clear()
    try:
        said = rendering.render("artist_invitation", FACTS, locale="de-DE")
    finally:
        rendering._translations.cache_clear()
    assert said.subject == "ada@example.org lädt dich zu Night Ferry ein"
    assert '<html lang="de">' in said.html
    assert "Open the page below" in said.text


@pytest.mark.parametrize("kind", sorted(mail.KINDS))
def test_every_kind_is_whole(kind: str) -> None:
    class Facts(dict[str, str]):
        def __missing__(self, name: str) -> str:
            return "https://music.example/x"

    wanted = mail.KINDS[kind]
    for sentence in (wanted.subject, *wanted.lines, wanted.button, *wanted.after):
        assert sentence.format_map(Facts(collective="x")) or sentence == ""
    assert not wanted.code or wanted.code.isidentifier()
