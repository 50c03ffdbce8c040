"""What stops a node before it starts: a wrong setting is told once, and nothing is left running."""

import subprocess
import sys

import pytest

from tests.servers.node import Node


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("port", "99999", "The setting 'port' is '99999' in MUSICCONNECT_PORT"),
        (
            "store_url",
            "s3://KEY:hunter2@127.0.0.1/x",
            "The setting 'store_url' is 's3://***:***@127.0.0.1/x'",
        ),
        ("ffmpeg", "/nowhere/ffmpeg", "The setting 'ffmpeg' is '/nowhere/ffmpeg'; allowed is a program"),
    ],
)
def test_a_wrong_setting_stops_the_start(tmp_path, name, value, told):
    environ = {**Node(tmp_path).environ, "MUSICCONNECT_PORT": "0", f"MUSICCONNECT_{name.upper()}": value}
    serve = [sys.executable, "-m", "appliance", "serve"]
    done = subprocess.run(serve, capture_output=True, text=True, env=environ, timeout=60, check=False)
    assert done.returncode == 2
    assert told in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
