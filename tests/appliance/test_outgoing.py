import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest

from appliance import outgoing
from appliance.errors import Invalid
from appliance.errors import Unavailable
from tests.servers.receiver import Receiver


def send(url, *, body=b"{}", timeout_s=5.0, allow_private=True, **options):
    place = outgoing.checked(url, allow_private=allow_private)
    return outgoing.post(place, body, timeout_s=timeout_s, allow_private=allow_private, **options)


def ask(url, **options):
    return outgoing.get(
        outgoing.checked(url, allow_private=True), timeout_s=5.0, allow_private=True, **options
    )


def test_an_answer_is_status_headers_and_body():
    with Receiver(200, headers=[("X-Kind", "a")], answer=b'{"issuer": "me"}') as receiver:
        answer = ask(receiver.url, headers={"Accept": "application/json"})
        assert (answer.status, answer.headers["x-kind"], answer.json()) == (200, "a", {"issuer": "me"})
        [(path, headers, _)] = receiver.received
        assert path == "/hook?token=hunter2"
        assert headers["Accept"] == "application/json"
        assert headers["User-Agent"] == "MusicConnect"


def test_a_form_is_sent_as_a_form():
    with Receiver(200, answer=b"{}") as receiver:
        assert send(receiver.url, body={"code": "a b&c", "grant_type": "authorization_code"}).status == 200
        [(_, headers, body)] = receiver.received
        assert headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert body == b"code=a+b%26c&grant_type=authorization_code"


@pytest.mark.parametrize("answer", [b"<html>", b"[1]", b"", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_told(answer):
    told = r"127\.0\.0\.1 did not send what was asked for"
    with Receiver(200, answer=answer) as receiver, pytest.raises(Unavailable, match=told):
        ask(receiver.url).json()


def test_a_document_that_is_too_large_counts_as_none():
    with Receiver(200, answer=b'{"a": "' + b"x" * 5000 + b'"}') as receiver:
        answer = ask(receiver.url, most_bytes=1000)
        assert (answer.status, answer.whole, len(answer.body)) == (200, False, 1000)
        with pytest.raises(Unavailable):
            answer.json()


def test_a_document_that_breaks_off_counts_as_none():
    with Receiver(200, answer=b"{}", headers=[("Content-Length", "50")]) as receiver:
        assert not ask(receiver.url).whole


def test_a_redirect_is_an_answer():
    with Receiver() as elsewhere, Receiver(302, headers=[("Location", elsewhere.url)]) as receiver:
        assert ask(receiver.url).status == 302
        assert elsewhere.received == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://a.example/", "must be http:// or https://"),
        ("file:///etc/passwd", "must be http:// or https://"),
        ("a.example/hook", "must be http:// or https://"),
        ("https://me:pw@a.example/", "without a name, password"),
        ("https://a.example/#x", "or #"),
        ("http://[::1", "cannot be read"),
        ("http://127.0.0.1/", "is a private address"),
        ("http://[::ffff:10.0.0.1]/", "is a private address"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(url, told):
    with pytest.raises(Invalid, match=told):
        outgoing.checked(url, allow_private=False)


def test_a_slow_receiver_is_left():
    with Receiver(pause_s=30) as receiver:
        started = time.monotonic()
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1 did not answer within 0\.2 s"):
            send(receiver.url, timeout_s=0.2)
        assert time.monotonic() - started < 3


def test_a_receiver_that_drips_is_left_too():
    listening = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip():
        peer, _ = listening.accept()
        with peer:
            peer.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while not stop.wait(0.02):
                try:
                    peer.sendall(b"x")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        started = time.monotonic()
        with pytest.raises(Unavailable, match="did not answer within"):
            send(f"http://127.0.0.1:{listening.getsockname()[1]}/", timeout_s=0.3)
        assert time.monotonic() - started < 3
    finally:
        stop.set()
        thread.join()
        listening.close()


def test_of_an_endless_answer_only_the_beginning_is_read():
    with Receiver(200, answer=b"x" * 20_000_000) as receiver:
        answer = send(receiver.url)
        assert (answer.status, answer.whole) == (200, False)
        assert len(answer.body) == outgoing.MOST_READ_BYTES


def test_nobody_listening_is_told():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1 cannot be reached"):
        send(f"http://127.0.0.1:{port}/")


def test_what_is_no_http_is_told():
    listening = socket.create_server(("127.0.0.1", 0))

    def babble():
        peer, _ = listening.accept()
        with peer:
            peer.recv(10_000)
            peer.sendall(b"220 mail.example ESMTP\r\n")

    thread = threading.Thread(target=babble)
    thread.start()
    with pytest.raises(Unavailable, match="broke off"):
        send(f"http://127.0.0.1:{listening.getsockname()[1]}/")
    thread.join()
    listening.close()


def test_a_name_that_leads_into_our_own_network_is_not_contacted():
    with Receiver() as receiver:
        with pytest.raises(Unavailable, match="localhost has a private address"):
            send(f"http://localhost:{receiver.port}/", allow_private=False)
        assert receiver.received == []
        assert send(f"http://localhost:{receiver.port}/").status == 204


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::127.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "2002:7f00:1::",
    ],
)  # fmt: skip
def test_an_address_is_private(address):
    assert not outgoing.is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_an_address_is_public(address):
    assert outgoing.is_public(address)


@pytest.fixture
def certificate(tmp_path, monkeypatch):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, so no certificate can be made")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-days", "2", "-keyout", key, "-out", cert),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
        ],
        check=True,
        capture_output=True,
        timeout=30,
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def test_https_goes_to_the_checked_address_and_checks_the_name(certificate):
    with Receiver(context=certificate) as receiver:
        assert send(f"https://localhost:{receiver.port}/").status == 204
        assert receiver.received[0][1]["Host"] == f"localhost:{receiver.port}"
        with pytest.raises(Unavailable, match="broke off: SSL"):
            send(f"https://127.0.0.1:{receiver.port}/")
        assert len(receiver.received) == 1
