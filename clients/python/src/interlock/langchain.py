"""LangChain and LangGraph: ``create_agent(…, middleware=[InterlockMiddleware(session)])``, the last of the list. A held call that is
not waited for ends the graph with ``StepHeld``; with a checkpointer, ``agent.invoke(None, config)`` goes on."""

from __future__ import annotations

import json
from typing import Any, Awaitable, Callable

from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import ToolMessage

from ._errors import ToolTimeout
from ._guard import Options
from ._session import Session


class InterlockMiddleware(AgentMiddleware[Any, Any]):
    """Tool calls are decided before they run; what the user says is recorded before the first call of the model, and the final
    reply is decided before the run ends."""

    def __init__(self, session: Session, options: Options | None = None) -> None:
        super().__init__()
        self._session = session
        self._options = options if options is not None else Options(on_deny="result")

    def wrap_tool_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        asked = request.tool_call
        kept: list[Any] = []

        def run(args: dict[str, Any]) -> Any:
            return _result(handler(request.override(tool_call={**asked, "args": args})), kept)

        try:
            given = self._call(asked).run(run)
        except Exception as error:
            return _told(error, asked, kept)
        return _answer(given, asked, kept)

    async def awrap_tool_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        asked = request.tool_call
        kept: list[Any] = []

        async def run(args: dict[str, Any]) -> Any:
            return _result(await handler(request.override(tool_call={**asked, "args": args})), kept)

        try:
            given = await self._call(asked).run_async(run)
        except Exception as error:
            return _told(error, asked, kept)
        return _answer(given, asked, kept)

    def before_agent(self, state: Any, runtime: Any) -> None:
        for message in reversed(state["messages"]):
            if message.type != "human":
                break
            self._session.input(message.text)

    def after_agent(self, state: Any, runtime: Any) -> None:
        last = state["messages"][-1]
        if last.type == "ai" and last.text:
            self._session.output(last.text)

    def _call(self, asked: Any) -> Any:
        return self._session.call(asked["name"], asked["args"], asked.get("id"), self._options)


class _FailedTool(Exception):
    """What a failing tool told the model, so that the call is recorded as failed."""


def _result(outcome: Any, kept: list[Any]) -> Any:
    kept.append(outcome)
    if not isinstance(outcome, ToolMessage):
        return str(outcome)
    if outcome.status == "error":
        raise _FailedTool(outcome.text)
    return outcome.content


def _told(error: Exception, asked: Any, kept: list[Any]) -> Any:
    if isinstance(error, _FailedTool):
        return kept[-1]
    if isinstance(error, ToolTimeout):
        return _error(f"Error: {error}", asked)
    raise error


def _answer(given: Any, asked: Any, kept: list[Any]) -> Any:
    denied = isinstance(given, dict) and given.get("error") == "denied" and isinstance(given.get("rules"), list)
    return _error(json.dumps(given), asked) if denied else kept[-1]


def _error(content: str, asked: Any) -> ToolMessage:
    return ToolMessage(content=content, tool_call_id=asked["id"], name=asked["name"], status="error")
