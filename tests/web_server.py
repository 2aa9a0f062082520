"""A small web server on the loopback, whose answers a test writes: by path, a function of how often that was asked for."""

import contextlib
import http.server
import threading
import time


class Answers:
    """What was asked for, when, and by whom; how many asked at once; and what is answered.

    Args:
        answers: path: f(number of the request for it, from 0) gives (status, headers, body); None breaks the connection off in the middle. One that has
            ``whole`` set gets the request's handler in place of the number.
    """

    def __init__(self, answers):
        self.answers, self.asked, self.headers, self.at_once, self.most_at_once = answers, [], [], 0, 0
        self.lock, self.slow_s = threading.Lock(), 0.0

    @property
    def paths(self):
        return [path for path, _ in self.asked]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        told = self.server.told
        with told.lock:
            number = told.paths.count(self.path)
            told.asked.append((self.path, time.monotonic()))
            told.headers.append(dict(self.headers))
            told.at_once += 1
            told.most_at_once = max(told.most_at_once, told.at_once)
        try:
            time.sleep(told.slow_s)
            make = told.answers.get(self.path.split("?")[0], lambda _: (404, {}, b""))
            answer = make(self if getattr(make, "whole", False) else number)
            status, headers, body = answer or (200, {"Content-Length": "1000"}, b"x" * 10)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = self.close_connection or answer is None
        except OSError:
            self.close_connection = True
        finally:
            with told.lock:
                told.at_once -= 1

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(answers):
    """The address of a server with these answers, and what it was asked."""
    told = Answers(answers)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads, server.told = True, told
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", told
        finally:
            server.shutdown()
            thread.join()
