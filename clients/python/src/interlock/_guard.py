"""A tool behind a guard: proposed, decided, run with exactly the arguments that were decided, recorded, returned. Plain
functions run in the caller's thread, coroutine functions in its event loop; what talks to the server does so in a thread then."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import uuid
from dataclasses import dataclass
from typing import Any, Awaitable, Callable, Mapping

from ._errors import DecisionUnavailable, InvalidProposal, StepDenied, ToolTimeout
from ._permit import Recorded, permit
from ._tracing import CallTrace
from ._undecided import SessionHttp

ERROR_LENGTH_MAX = 2_000


@dataclass(frozen=True)
class Options:
    """How a guarded tool behaves."""

    #: ``raise`` a ``StepDenied``, or return what the model can read as the tool's ``result``.
    on_deny: str = "raise"
    #: ``wait`` for the answer, or ``suspend``: raise ``StepHeld`` at once, to be resumed in any later process.
    on_hold: str = "wait"
    #: With ``wait``: seconds before ``StepHeld`` is raised all the same; by default as long as the hold lasts.
    hold_timeout: float | None = None
    #: Longest the tool may take, seconds.
    timeout: float | None = None

    def __post_init__(self) -> None:
        if self.on_deny not in ("raise", "result"):
            raise ValueError(f"on_deny={self.on_deny!r}: expected 'raise' or 'result'")
        if self.on_hold not in ("wait", "suspend"):
            raise ValueError(f"on_hold={self.on_hold!r}: expected 'wait' or 'suspend'")


Run = Callable[[dict[str, Any]], Any]
RunAsync = Callable[[dict[str, Any]], Awaitable[Any]]
Record = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class Call:
    """One call of a tool, from its arguments to what may be returned."""

    http: SessionHttp
    session: str
    name: str
    args: dict[str, Any]
    call_id: str
    options: Options

    def run(self, tool: Run) -> Any:
        with CallTrace(self.session, self.name, self.call_id).guarded() as trace:
            try:
                args, record = self._decide(trace)
                with trace.executed():
                    try:
                        value = _within(tool, args, self.name, self.options.timeout)
                    except Exception as error:
                        record({"error": _error_of(error)})
                        raise
                record(result_of(value))
            except StepDenied as denied:
                return self._told(denied)
            return value

    async def run_async(self, tool: RunAsync) -> Any:
        with CallTrace(self.session, self.name, self.call_id).guarded() as trace:
            try:
                args, record = await asyncio.to_thread(self._decide, trace)
                with trace.executed():
                    try:
                        value = await asyncio.wait_for(tool(args), self.options.timeout)
                    except asyncio.CancelledError:
                        # Cancelled: said so, so that its place in a limit is given back. The program does not wait for it.
                        error = {"message": "cancelled", "type": "CancelledError"}
                        await asyncio.shield(asyncio.to_thread(record, {"error": error}))
                        raise
                    except (asyncio.TimeoutError, TimeoutError) as error:
                        late: Exception = error
                        if self.options.timeout is not None:
                            late = ToolTimeout(self.name, self.options.timeout)
                        await asyncio.to_thread(record, {"error": _error_of(late)})
                        raise late from None
                    except Exception as error:
                        await asyncio.to_thread(record, {"error": _error_of(error)})
                        raise
                await asyncio.to_thread(record, result_of(value))
            except StepDenied as denied:
                return self._told(denied)
            return value

    def _decide(self, trace: CallTrace) -> tuple[dict[str, Any], Record]:
        """The arguments to run with, and how to record what came of it."""
        proposal = {"kind": "tool.call", "name": self.name, "callId": self.call_id, "args": self.args}
        known = False

        def decided(recorded: Recorded) -> None:
            nonlocal known
            known = True
            trace.decided(recorded)

        try:
            recorded = permit(
                self.http,
                self.session,
                proposal,
                suspend=self.options.on_hold == "suspend",
                hold_timeout=self.options.hold_timeout,
                on_decision=decided,
            )
        except DecisionUnavailable as error:
            # What was decided already, a hold that is waited for, stands.
            if known or not self.http.covers(proposal, error):
                raise
            return self.args, self._record_later
        decision = recorded["decision"]
        args = dict(decision["transformed"]) if decision["verdict"] == "transform" else self.args
        return args, self._record

    def _record_later(self, outcome: Mapping[str, Any]) -> None:
        result = {"kind": "tool.result", "name": self.name, "callId": self.call_id, "args": self.args, **outcome}
        self.http.happened(result)

    def _record(self, outcome: Mapping[str, Any]) -> None:
        proposal = {"kind": "tool.result", "name": self.name, "callId": self.call_id, **outcome}
        try:
            permit(self.http, self.session, proposal, hold_timeout=self.options.hold_timeout, ran=True)
        except DecisionUnavailable as error:
            raise DecisionUnavailable(f"{self.name} ran, but its result is not recorded.", ran=True) from error

    def _told(self, denied: StepDenied) -> dict[str, Any]:
        if self.options.on_deny == "raise":
            raise denied
        return denied.as_result()


def new_call_id() -> str:
    return str(uuid.uuid4())


def args_of(given: Any) -> dict[str, Any]:
    """Arguments as JSON of their own: a caller who keeps the original cannot change what was decided."""
    try:
        value = json.loads(json.dumps(given, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidProposal(f"args: {error}") from error
    if not isinstance(value, dict):
        raise InvalidProposal(f"args: expected named arguments, found {type(given).__name__}")
    return value


def result_of(value: Any) -> dict[str, Any]:
    """A result as the model will see it: text as content, everything else as JSON."""
    if isinstance(value, str):
        return {"content": value}
    try:
        return {"result": json.loads(json.dumps(value, allow_nan=False))}
    except (TypeError, ValueError, RecursionError):
        return {"content": str(value)}


def _within(tool: Run, args: dict[str, Any], name: str, timeout: float | None) -> Any:
    if timeout is None:
        return tool(args)
    pool = concurrent.futures.ThreadPoolExecutor(max_workers=1)
    future = pool.submit(tool, args)
    try:
        done, _ = concurrent.futures.wait([future], timeout)
        if not done:
            raise ToolTimeout(name, timeout)
        return future.result()
    finally:
        # A thread cannot be stopped: the tool may still take effect.
        pool.shutdown(wait=False)


def _error_of(error: BaseException) -> dict[str, str]:
    return {"message": str(error)[:ERROR_LENGTH_MAX], "type": type(error).__name__}
