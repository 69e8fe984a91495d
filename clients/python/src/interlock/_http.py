"""Requests to a server, over a few kept connections. What is safe to repeat is repeated for a while when the server is away; when
it stays away, or answers something that is no answer, the caller gets ``DecisionUnavailable``."""

from __future__ import annotations

import http.client
import json
import threading
import time
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from ._errors import DecisionUnavailable, InterlockError, RequestRefused

#: Kept open and unused at most.
IDLE_MAX = 8
#: An answer longer than this is none.
ANSWER_BYTES_MAX = 64 * 1024 * 1024
RETRY_DELAYS = (0.05, 0.1, 0.2, 0.4, 0.8)
FAILURES = ("overloaded", "store-failed", "internal")


class Sender(Protocol):
    def send(self, method: str, path: str, body: Any = None, *, once: bool = False, wait: float = 0.0) -> Any: ...


class Http:
    """Safe for threads."""

    def __init__(self, url: str, key: str | None, timeout: float, retry_for: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.hostname is None:
            raise ValueError(f"{url!r}: expected an address such as http://127.0.0.1:7070")
        self._parts = parts
        #: It has not answered for as long as it is tried; one answer ends that.
        self._away = False
        self._timeout = timeout
        self._retry_for = retry_for
        self._headers = {"content-type": "application/json"}
        if key is not None:
            self._headers["authorization"] = f"Bearer {key}"
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self._closed = False

    def send(self, method: str, path: str, body: Any = None, *, once: bool = False, wait: float = 0.0) -> Any:
        """The JSON of the answer. ``wait``: how long the server may keep the request open on top of the usual time."""
        text = None if body is None else json.dumps(body, allow_nan=False).encode()
        give_up_at: float | None = None
        attempt = 0
        while True:
            error: InterlockError
            again, reached = True, False
            try:
                status, answer = self._exchange(method, path, text, self._timeout + wait)
            except (OSError, http.client.HTTPException, ValueError) as cause:
                error = DecisionUnavailable(f"No decision: {self._parts.netloc} cannot be reached.")
                error.__cause__ = cause
            else:
                self._away, reached = False, True
                if 200 <= status < 300:
                    return answer
                error, again = refusal(answer, status, self._parts.netloc), status == 503
            now = time.monotonic()
            give_up_at = now + (0.0 if self._away else self._retry_for) if give_up_at is None else give_up_at
            if once or not again or self._closed or now >= give_up_at:
                self._away = not reached
                raise error
            time.sleep(RETRY_DELAYS[min(attempt, len(RETRY_DELAYS) - 1)])
            attempt += 1

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _exchange(self, method: str, path: str, body: bytes | None, timeout: float) -> tuple[int, Any]:
        connection = self._connection(timeout)
        try:
            connection.request(method, self._parts.path.rstrip("/") + path, body, self._headers)
            response = connection.getresponse()
            text = response.read(ANSWER_BYTES_MAX + 1)
            if len(text) > ANSWER_BYTES_MAX:
                raise ValueError("an answer without end")
            answer = json.loads(text)
        except BaseException:
            connection.close()
            raise
        self._keep(connection)
        return response.status, answer

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        with self._lock:
            if self._closed:
                raise ValueError("closed")
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            if kept.sock is not None:
                kept.sock.settimeout(timeout)
                return kept
            kept.close()
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        assert self._parts.hostname is not None
        return kind(self._parts.hostname, self._parts.port, timeout=timeout)

    def _keep(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < IDLE_MAX:
                self._idle.append(connection)
                return
        connection.close()


def refusal(answer: Any, status: int, where: str) -> InterlockError:
    """A refusal as the server's problem details (RFC 9457) tell it."""
    code = answer.get("code") if isinstance(answer, dict) else None
    detail = answer.get("detail") if isinstance(answer, dict) else None
    if not isinstance(code, str) or not isinstance(detail, str):
        return DecisionUnavailable(f"No decision: {where} answered {status}.")
    if code in FAILURES:
        return DecisionUnavailable(f"No decision: {detail}")
    mend = answer.get("mend")
    return RequestRefused(code, detail, mend if isinstance(mend, str) else None)


def segment(text: str) -> str:
    """Text as one segment of a path."""
    return quote(text, safe="")
