"""The way in: a running Interlock behind HTTP."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Mapping

from ._errors import DecisionUnavailable
from ._http import Http, segment
from ._session import Session, opening


class Interlock:
    """
    >>> interlock = Interlock.connect("http://127.0.0.1:7070")
    >>> session = interlock.session(agent="support", principal="user:42")
    >>> @session.guard
    ... def refund(order_id: str, amount: float) -> dict: ...
    >>> refund("A-1", amount=40)
    """

    def __init__(self, http: Http) -> None:
        self._http = http

    @classmethod
    def connect(
        cls, url: str, *, key: str | None = None, timeout: float = 10.0, retry_for: float = 3.0
    ) -> Interlock:
        """``timeout`` of one request and ``retry_for``, how long a server that is away is tried again, in seconds. Nothing is sent
        yet."""
        return cls(Http(url, key, timeout, retry_for))

    def session(
        self,
        *,
        agent: str,
        version: str | None = None,
        principal: str | None = None,
        tenant: str | None = None,
        id: str | None = None,
    ) -> Session:
        """Opens a session, or resumes the open one with this id."""
        opened = self._http.send("POST", "/v1/sessions", opening(agent, version, principal, tenant, id))
        if not isinstance(opened, dict) or not isinstance(opened.get("id"), str):
            raise DecisionUnavailable("No session: the server answered something else.")
        return Session(self._http, opened)

    def hold(self, id: str) -> Mapping[str, Any]:
        """A step that waits for a person, as it stands."""
        return self._dict(self._http.send("GET", f"/v1/holds/{segment(id)}"))

    def answer_hold(self, id: str, *, approve: bool, by: str, role: str, reason: str | None = None) -> Mapping[str, Any]:
        body: dict[str, Any] = {"approve": approve, "by": by, "role": role}
        if reason is not None:
            body["reason"] = reason
        return self._dict(self._http.send("POST", f"/v1/holds/{segment(id)}/answer", body, once=True))

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Interlock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @staticmethod
    def _dict(answer: Any) -> Mapping[str, Any]:
        if not isinstance(answer, dict):
            raise DecisionUnavailable("The server answered something else.")
        return answer
