"""What a process sees of its machine: the certificate that is shown at the public address, and room on the disk."""

from __future__ import annotations

import ssl
import subprocess
import threading
import time
from datetime import UTC
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from http.server import HTTPServer
from pathlib import Path

from appliance.monitoring.machine import Machine

PATIENCE_S = 30


def told(machine: Machine) -> dict[str, float]:
    return {family.name: family.samples[0].value for family in machine.families()}


def test_until_when_the_certificate_holds_is_told_as_it_is_shown(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-days", "30", "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        machine = Machine(tmp_path, f"https://localhost:{server.server_port}")
        name = "musicconnect_certificate_ends_timestamp_seconds"
        deadline = time.monotonic() + PATIENCE_S
        # Nobody waits for the other end: the next who asks is told.
        while name not in (figures := told(machine)):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        days = (datetime.fromtimestamp(figures[name], UTC) - datetime.now(UTC)).total_seconds() / 86400
        assert 29 < days <= 30
    finally:
        server.shutdown()
        server.server_close()


def test_without_https_nothing_is_told_of_a_certificate(tmp_path: Path) -> None:
    figures = told(Machine(tmp_path, "http://localhost:1"))
    assert "musicconnect_certificate_ends_timestamp_seconds" not in figures
    assert 0 < figures["musicconnect_data_disk_free_bytes"] < figures["musicconnect_data_disk_size_bytes"]


def test_an_address_that_nobody_answers_at_costs_the_monitor_nothing(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "https://localhost:1")
    for _ in range(3):
        assert "musicconnect_build_info" in told(machine)
