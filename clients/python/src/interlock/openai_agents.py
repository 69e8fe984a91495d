"""OpenAI Agents SDK: ``Runner.run(guard_agent(session, agent), …)``. Function tools and hand-offs are decided before they happen, in one
session, whichever agent takes over. Hosted tools run at the provider and cannot be decided here. Say what the user said with
``session.input`` before the run, and decide the final output with ``session.output`` after it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from agents import Agent, FunctionTool, Handoff, handoff

from ._errors import ToolTimeout
from ._guard import Options
from ._session import Session


def guard_agent(session: Session, agent: Agent[Any], options: Options | None = None) -> Agent[Any]:
    """The same agent under guard, and every agent it can hand over to."""
    chosen = options if options is not None else Options(on_deny="result")
    return _guarded(session, agent, chosen, {})


def _guarded(session: Session, agent: Agent[Any], options: Options, known: dict[int, Agent[Any]]) -> Agent[Any]:
    before = known.get(id(agent))
    if before is not None:
        return before
    tools = [guard_tool(session, tool, options) if isinstance(tool, FunctionTool) else tool for tool in agent.tools]
    copy = agent.clone(tools=tools)
    known[id(agent)] = copy
    copy.handoffs = [_handed_over(session, target, options, known) for target in agent.handoffs]
    return copy


def _handed_over(
    session: Session, target: Agent[Any] | Handoff[Any, Any], options: Options, known: dict[int, Agent[Any]]
) -> Handoff[Any, Any]:
    plain: Handoff[Any, Any] = target if isinstance(target, Handoff) else handoff(target)

    async def invoke(context: Any, given: str) -> Any:
        session.handoff(plain.agent_name, _args(given))
        return _guarded(session, await plain.on_invoke_handoff(context, given), options, known)

    return dataclasses.replace(plain, on_invoke_handoff=invoke)


def guard_tool(session: Session, tool: FunctionTool, options: Options) -> FunctionTool:
    """A function tool under guard. What fails inside it, the SDK tells the model by itself, and so it is recorded as a result."""

    async def invoke(context: Any, given: str) -> Any:
        async def run(args: dict[str, Any]) -> Any:
            return await tool.on_invoke_tool(context, json.dumps(args))

        call = session.call(tool.name, _args(given), getattr(context, "tool_call_id", None), options)
        try:
            return await call.run_async(run)
        except ToolTimeout as late:
            return f"Error: {late}"

    return dataclasses.replace(tool, on_invoke_tool=invoke)


def _args(text: str) -> dict[str, Any]:
    """Arguments as a model wrote them. Text that is no JSON object is decided as what it is."""
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {"input": text}
    return value if isinstance(value, dict) else {"input": text}
