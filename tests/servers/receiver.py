"""A server elsewhere, as one that is sent webhooks or asked for a document."""

import http.server
import threading


class Receiver:
    """A real HTTP server that keeps what it is sent and answers with *statuses* in turn."""

    def __init__(self, *statuses, pause_s=0.0, headers=(), answer=b"ok", context=None):
        self.received = []
        self.statuses = list(statuses)
        self.enough = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append((self.path, dict(self.headers), body))
                receiver.enough.wait(pause_s)
                try:
                    self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
                    for name, value in headers:
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    pass

            def do_GET(self):
                self.headers["Content-Length"] = "0"
                self.do_POST()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook?token=hunter2"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.enough.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
