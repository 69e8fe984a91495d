"""What goes on though no decision can be had, because the spec says so (``fail: open``), and is put on record later. Everything
else fails closed."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from typing import Any, Mapping

from ._errors import DecisionUnavailable, InterlockError
from ._http import Http

#: The engine raises a finding for each result with this label.
LABEL = "undecided"
#: Steps that may wait for their record; past it nothing goes on undecided.
WAITING_MAX = 1_000


class SessionHttp:
    """A session's way to the server: what went on undecided is put on record before the next step is decided. Safe for threads."""

    def __init__(self, http: Http, opened: Mapping[str, Any], steps: str) -> None:
        self._http = http
        self._steps = steps
        given = opened.get("failOpen")
        fail_open = given if isinstance(given, dict) else {}
        self._tools = _names(fail_open.get("tools"))
        self._kinds = _names(fail_open.get("kinds"))
        self._waiting: deque[dict[str, Any]] = deque()
        self._settling = threading.Lock()

    def send(self, method: str, path: str, body: Any = None, *, once: bool = False, wait: float = 0.0) -> Any:
        if method == "POST" and self._waiting:
            self._settle()
        return self._http.send(method, path, body, once=once, wait=wait)

    def covers(self, step: Mapping[str, Any], error: InterlockError) -> bool:
        """Whether the step may go on, now that this is why it was not decided."""
        if not isinstance(error, DecisionUnavailable) or error.ran or len(self._waiting) >= WAITING_MAX:
            return False
        return step["name"] in self._tools if step["kind"] == "tool.call" else step["kind"] in self._kinds

    def happened(self, step: Mapping[str, Any]) -> None:
        """Remembers what happened until it can be recorded."""
        labels = [*(step.get("labels") or []), LABEL]
        self._waiting.append({**step, "id": str(uuid.uuid4()), "labels": labels})

    def _settle(self) -> None:
        with self._settling:
            while self._waiting:
                try:
                    self._http.send("POST", self._steps, self._waiting[0])
                except DecisionUnavailable:
                    raise
                except InterlockError:
                    # Refused for good: its caller hears of it, and the others are not kept back by it.
                    self._waiting.popleft()
                    raise
                self._waiting.popleft()


def _names(given: Any) -> frozenset[str]:
    return frozenset(given) if isinstance(given, list) else frozenset()
