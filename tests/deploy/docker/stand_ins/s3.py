"""An S3 store that is asked for as MinIO is: its environment, its port, its check of health; behind them OpenStack Swift."""

import os
from pathlib import Path
from typing import Any

import eventlet
import swift_server
from swift.common.middleware import tempauth

FOLDER = Path("/data")
HEALTH = "/minio/health/live"


def main() -> None:
    """Serve for ever at port 9000."""
    name = os.environ["MINIO_ROOT_USER"]
    secret = Path(os.environ["MINIO_ROOT_PASSWORD_FILE"]).read_text().strip()
    answer = tempauth.TempAuth.__call__

    def answered(self: Any, env: Any, start_response: Any) -> Any:
        # Swift's own names have a colon; MinIO's have not.
        self.users.setdefault(name, self.users[swift_server.ACCESS_KEY])
        return answer(self, env, start_response)

    tempauth.TempAuth.__call__ = answered
    eventlet.wsgi.server = _with_health(eventlet.wsgi.server)
    swift_server.start(FOLDER, address=("0.0.0.0", 9000), secret=secret)
    print("S3 at port 9000", flush=True)
    while True:
        eventlet.sleep(60)


def _with_health(serve: Any) -> Any:
    def server(socket: Any, app: Any, **options: Any) -> None:
        def answer(env: Any, start_response: Any) -> Any:
            if env["PATH_INFO"] == HEALTH:
                start_response("200 OK", [("Content-Length", "0")])
                return [b""]
            return app(env, start_response)

        serve(socket, answer, **options)

    return server


if __name__ == "__main__":
    import eventlet.wsgi

    main()
