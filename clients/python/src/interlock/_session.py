"""One run of an agent: what it reads, says and does goes through here."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import uuid
from typing import Any, Callable, Mapping, TypeVar, overload

from ._errors import DecisionUnavailable, HoldToken, InvalidProposal
from ._guard import Call, Options, args_of, new_call_id
from ._http import Http, segment
from ._permit import Recorded, await_approval, checked, permit, propose, stopped
from ._undecided import SessionHttp

F = TypeVar("F", bound=Callable[..., Any])
CHECK_SECONDS_MAX = 3_600.0


class Session:
    """Opened by ``Interlock.session``. Safe for threads."""

    def __init__(self, http: Http, opened: Mapping[str, Any]) -> None:
        self.id: str = opened["id"]
        self._http = SessionHttp(http, opened, f"/v1/sessions/{segment(self.id)}/steps")
        self.opened = opened

    def input(self, text: str) -> Recorded | None:
        """Records what the user said, before the model reads it. Raises like a guarded call. ``None`` where no decision could be
        had and the spec lets it go on (``fail: open``): it is put on record later."""
        return self.permit({"kind": "input", "name": "", "content": text})

    def output(self, text: str, *, on_hold: str = "wait", hold_timeout: float | None = None) -> Recorded | None:
        """Decides what the agent is about to say; say it once this returns. Raises like a guarded call."""
        return self.permit({"kind": "output", "name": "", "content": text}, on_hold=on_hold, hold_timeout=hold_timeout)

    def handoff(self, to: str, args: Mapping[str, Any] | None = None) -> Recorded:
        """Decides whether the session is handed to another agent; hand over once this returns."""
        return permit(self._http, self.id, {"kind": "handoff", "name": to, "args": args_of(args or {})})

    def permit(
        self, proposal: Mapping[str, Any], *, on_hold: str = "wait", hold_timeout: float | None = None
    ) -> Recorded | None:
        """Decides any step before it happens; returns once it may. Raises like a guarded call. ``None`` as of ``input``."""
        known = False

        def decided(_: Recorded) -> None:
            nonlocal known
            known = True

        suspend = on_hold == "suspend"
        try:
            return permit(
                self._http, self.id, proposal, suspend=suspend, hold_timeout=hold_timeout, on_decision=decided
            )
        except DecisionUnavailable as error:
            # What was decided already, a hold that is waited for, stands; a call has a guard of its own.
            if known or proposal["kind"] == "tool.call" or not self._http.covers(proposal, error):
                raise
            self._http.happened(proposal)
            return None

    def observe(self, proposal: Mapping[str, Any]) -> Recorded:
        """Records any other step and gives its decision as it is; the caller acts on the verdict."""
        return propose(self._http, self.id, proposal)

    def check(self, name: str, *, subject: Any = None, attestation: Any = None) -> bool:
        """Has a check of the spec made; whether it passed."""
        body = {"name": name, "subject": subject, "attestation": attestation}
        path = f"/v1/sessions/{segment(self.id)}/checks"
        recorded = checked(self._http.send("POST", path, body, once=True, wait=CHECK_SECONDS_MAX))
        result = (recorded.get("step") or {}).get("result") or {}
        return result.get("passed") is True

    @overload
    def guard(self, tool: F) -> F: ...
    @overload
    def guard(self, *, name: str | None = None, options: Options | None = None) -> Callable[[F], F]: ...
    def guard(self, tool: F | None = None, *, name: str | None = None, options: Options | None = None) -> Any:
        """Decorates a function or a coroutine function: each call is decided before it runs. Positional arguments get the names
        of its parameters. ``call_id=…`` of a call is the id that the model gave it."""
        if tool is None:
            return lambda each: self.guard_as(each, name, options)
        return self.guard_as(tool, name, options)

    def guard_as(self, tool: F, name: str | None = None, options: Options | None = None) -> F:
        called = name if name is not None else tool.__name__
        chosen = options if options is not None else Options()
        signature = inspect.signature(tool)

        def named(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[dict[str, Any], str]:
            call_id = kwargs.pop("call_id", None) or new_call_id()
            bound = signature.bind(*args, **kwargs).arguments
            given: dict[str, Any] = {}
            for key, value in bound.items():
                kind = signature.parameters[key].kind
                if kind is inspect.Parameter.VAR_KEYWORD:
                    given.update(value)
                elif kind is inspect.Parameter.VAR_POSITIONAL:
                    raise InvalidProposal(f"{called}: arguments without names cannot be decided")
                else:
                    given[key] = value
            return args_of(given), call_id

        if inspect.iscoroutinefunction(tool):

            @functools.wraps(tool)
            async def guarded_async(*args: Any, **kwargs: Any) -> Any:
                given, call_id = named(args, kwargs)
                return await self.call(called, given, call_id, chosen).run_async(lambda decided: tool(**decided))

            return guarded_async  # type: ignore[return-value]

        @functools.wraps(tool)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            given, call_id = named(args, kwargs)
            return self.call(called, given, call_id, chosen).run(lambda decided: tool(**decided))

        return guarded  # type: ignore[return-value]

    def call(self, name: str, args: Mapping[str, Any], call_id: str | None, options: Options) -> Call:
        """One call of a tool, for adapters: ``run`` or ``run_async`` it."""
        return Call(self._http, self.id, name, args_of(args), call_id or new_call_id(), options)

    def resume(self, token: HoldToken, tool: Callable[..., Any], options: Options | None = None) -> Any:
        """Continues a held call, in this process or a later one: waits for the answer, decides it again, runs it. Give it a plain
        function."""
        for key, wanted in (("session", self.id), ("hold", None), ("callId", None), ("name", None)):
            found = token.get(key)
            if not isinstance(found, str) or (wanted is not None and found != wanted):
                raise InvalidProposal(f"token: {key}: expected {wanted or 'a text'}, found {found!r}")
        chosen = options if options is not None else Options()
        timeout = 0.0 if chosen.on_hold == "suspend" else chosen.hold_timeout
        await_approval(self._http, token, None, timeout)
        again = dataclasses.replace(chosen, on_hold="suspend")
        return self.call(token["name"], token["args"], token["callId"], again).run(lambda args: tool(**args))

    def end(self) -> Recorded:
        """Raises ``StepDenied`` when a rule refuses the ending, e.g. while something is owed: the session stays open."""
        recorded = checked(self._http.send("POST", f"/v1/sessions/{segment(self.id)}/end", once=True))
        if recorded["decision"]["verdict"] not in ("allow", "transform"):
            raise stopped(recorded["decision"], ran=False)
        return recorded


def opening(agent: str, version: str | None, principal: str | None, tenant: str | None, id: str | None) -> Any:
    about: dict[str, Any] = {"agent": {"name": agent}, "id": id or str(uuid.uuid4())}
    if version is not None:
        about["agent"]["version"] = version
    if principal is not None:
        about["principal"] = principal
    if tenant is not None:
        about["tenant"] = tenant
    return about
