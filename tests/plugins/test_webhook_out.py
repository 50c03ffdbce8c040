import base64
import datetime
import hashlib
import hmac
import logging
import time

import pytest

from appliance import database
from appliance import hooks
from appliance import jobs
from appliance import startup
from appliance.errors import Invalid
from appliance.hookspecs import PublishedTrack
from appliance.jobs import JobState
from appliance.settings import Settings
from plugins import webhook_out
from plugins.webhook_out import signing
from tests.servers.receiver import Receiver

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
TRACK = PublishedTrack(
    track_id="01JZ8T6M3E5V7W9X1Y2Z3A4B5C",
    release_id="01JZ8T6M3E5V7W9X1Y2Z3A4B5D",
    title="Été 🌞 “quoted”",
    artist="Ada",
    release="Sun",
    duration_ms=213_000,
    published_at="2026-07-30T12:00:00+00:00",
    url="https://music.example/@ada/sun",
)
BODY = (
    '{"type":"track.published","timestamp":"2026-07-30T12:00:00+00:00","data":{"track_id":"01JZ8T6M3E5V7W9X1Y2Z3A4B5C",'
    '"release_id":"01JZ8T6M3E5V7W9X1Y2Z3A4B5D","title":"Été 🌞 “quoted”","artist":"Ada","release":"Sun","duration_ms":213000,'
    '"published_at":"2026-07-30T12:00:00+00:00","url":"https://music.example/@ada/sun"}}'
).encode()


@pytest.fixture
def start(tmp_path):
    """Start the product with these receivers; jobs run as soon as they are sent."""

    def start(*urls, **values):
        given = {"urls": list(urls), "secret": SECRET, "allow_private_addresses": True, **values}
        settings = Settings(data=tmp_path / "data", plugins={"webhook_out": given})
        startup.start(settings, immediate=True)
        database.migrate()
        [plugin] = [plugin for plugin in hooks.plugins() if plugin.name == "webhook_out"]
        assert plugin.status is hooks.Status.READY, plugin.explanation
        jobs.configure("memory://", secret="s", immediate=True)

    yield start
    hooks.load(Settings(), points=())
    startup.stop()


def publish():
    hooks.announce("track_published", track=TRACK)
    return jobs.page()


def try_again(job):
    """As the worker does when the pause is over."""
    jobs.Job.update(run_after=job.created_at).where(jobs.Job.id == job.id).execute()
    jobs.send(job.id)
    return jobs.Job.get_by_id(job.id)


def is_signed(headers, body, key=KEY):
    """The check of a receiver, written from the text of Standard Webhooks and not from our code."""
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    right = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return right in headers["webhook-signature"].split(" ")


def test_hook_track_published(start):
    with Receiver() as one, Receiver() as two:
        start(one.url, two.url)
        rows = publish()
        assert [row.state for row in rows] == [JobState.DONE, JobState.DONE]
        for receiver in (one, two):
            [(path, headers, body)] = receiver.received
            assert path == "/hook?token=hunter2"
            assert body == BODY
            assert is_signed(headers, body)
            assert not is_signed(headers, body + b" ")
            assert headers["Host"] == f"127.0.0.1:{receiver.port}"
            assert headers["Content-Type"] == "application/json"
            assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60


def test_the_signature_is_the_one_of_the_standards_own_example():
    headers = signing.headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        signing.key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        at_s=1614265330,
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_after_a_500_the_same_message_is_sent_again(start):
    with Receiver(500, 503, 200) as receiver:
        start(receiver.url)
        [job] = publish()
        assert (job.state, job.attempts) == (JobState.QUEUED, 1)
        assert job.last_error == "Unavailable: The receiver 127.0.0.1 answered 500."
        assert job.run_after > job.created_at
        assert try_again(job).state == JobState.QUEUED
        assert try_again(job).state == JobState.DONE
        assert {body for _, _, body in receiver.received} == {BODY}
        assert {headers["webhook-id"] for _, headers, _ in receiver.received} == {
            f"track_published_{TRACK.track_id}"
        }
        assert all(is_signed(headers, body) for _, headers, body in receiver.received)


def test_the_body_is_what_it_was_when_the_track_went_public(start):
    with Receiver(500) as receiver:
        start(receiver.url)
        [job] = publish()
        assert job.payload.encode() == BODY
        # Announced once more while the first message waits: nothing is added and nothing rewritten.
        assert [row.id for row in publish()] == [job.id]


def test_a_receiver_that_fails_keeps_no_other_waiting(start):
    with Receiver(500) as bad, Receiver() as good:
        start(bad.url, good.url)
        assert sorted(row.state for row in publish()) == [JobState.DONE, JobState.QUEUED]
        assert len(good.received) == 1


def test_410_ends_the_message(start):
    with Receiver(410) as receiver:
        start(receiver.url)
        [job] = publish()
        assert job.state == JobState.FAILED
        assert "410" in job.last_error
        assert len(receiver.received) == 1


def test_after_the_last_attempt_the_job_is_failed_and_can_be_retried_by_hand(start):
    with Receiver(500) as receiver:
        start(receiver.url, attempts=1)
        [job] = publish()
        assert job.state == JobState.FAILED
        jobs.retry(job.id, now=datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=1))
        jobs.send(job.id)
        assert jobs.Job.get_by_id(job.id).state == JobState.DONE


def test_a_redirect_is_not_followed(start):
    with Receiver() as elsewhere, Receiver(302, headers=[("Location", elsewhere.url)]) as receiver:
        start(receiver.url)
        [job] = publish()
        assert job.state == JobState.QUEUED
        assert "302" in job.last_error
        assert elsewhere.received == []


def test_a_receiver_taken_out_of_the_settings_gets_nothing_more(start):
    with Receiver(500) as receiver:
        start(receiver.url)
        [job] = publish()
        start()
        assert try_again(job).state == JobState.DONE
        assert len(receiver.received) == 1


def test_without_settings_nothing_is_written_down(start):
    start(secret="", allow_private_addresses=False)
    assert publish() == []


def test_logs_hold_no_secret_no_signature_and_no_full_address(start, caplog):
    caplog.set_level(logging.DEBUG)
    with Receiver(500, 410) as receiver:
        start(receiver.url)
        [job] = publish()
        try_again(job)
        said = (
            caplog.text + "".join(str(vars(record)) for record in caplog.records) + try_again(job).last_error
        )
        assert "answered 500" in said
        for headers in (headers for _, headers, _ in receiver.received):
            assert headers["webhook-signature"].removeprefix("v1,") not in said
        assert "hunter2" not in said
        assert SECRET.removeprefix("whsec_") not in said


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"urls": ("ftp://a.example/",)}, "must be http:// or https://"),
        ({"urls": ("a.example/hook",)}, "must be http:// or https://"),
        ({"urls": ("https://me:pw@a.example/",)}, "without a name, password"),
        ({"urls": ("https://a.example/#x",)}, "or #"),
        ({"urls": ("http://[::1",)}, "cannot be read"),
        ({"urls": ("http://127.0.0.1/",)}, "is a private address"),
        ({"urls": ("http://[::1]/",)}, "is a private address"),
        ({"secret": ""}, "'secret' is missing"),
        ({"secret": "topsecret"}, "must be whsec_"),
        ({"secret": "whsec_" + base64.b64encode(b"short").decode()}, "24 to 64"),
        ({"secret": "whsec_!!" + SECRET}, "must be whsec_"),
    ],
)
def test_wrong_settings_are_refused_with_a_sentence(values, told):
    rows = {row.name: row.default for row in webhook_out.plugin_settings()}
    with pytest.raises(Invalid) as refused:
        webhook_out.plugin_start(values={**rows, "urls": ("https://a.example/",), "secret": SECRET, **values})
    assert told in str(refused.value)
    assert "topsecret" not in str(refused.value)
