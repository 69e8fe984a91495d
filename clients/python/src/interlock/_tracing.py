"""Spans of guarded calls through the program's own OpenTelemetry API, when it has one: ``interlock.guard TOOL`` with the verdict and,
in it, ``execute_tool TOOL`` (GenAI conventions) while the tool runs. Contents of calls stay out of them."""

from __future__ import annotations

import contextlib
from typing import Any, Iterator, Mapping

try:
    from opentelemetry import trace as _trace
except ImportError:  # the program has no OpenTelemetry
    _trace = None  # type: ignore[assignment]


class CallTrace:
    def __init__(self, session: str, tool: str, call_id: str) -> None:
        self._session = session
        self._tool = tool
        self._call_id = call_id
        self._span: Any = None

    @contextlib.contextmanager
    def guarded(self) -> Iterator[CallTrace]:
        about = {
            "interlock.session": self._session,
            "interlock.tool": self._tool,
            "interlock.call_id": self._call_id,
        }
        with _span(f"interlock.guard {self._tool}", about) as span:
            self._span = span
            yield self

    def decided(self, recorded: Mapping[str, Any]) -> None:
        if self._span is None:
            return
        decision = recorded["decision"]
        self._span.set_attribute("interlock.verdict", decision["verdict"])
        self._span.set_attribute("interlock.step", str(decision.get("step")))
        self._span.set_attribute("interlock.rules", [str(rule.get("rule")) for rule in decision["rules"]])
        if decision.get("spec") is not None:
            self._span.set_attribute("interlock.spec", str(decision["spec"]))

    def executed(self) -> contextlib.AbstractContextManager[Any]:
        return _span(
            f"execute_tool {self._tool}",
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": self._tool,
                "gen_ai.tool.type": "function",
                "gen_ai.tool.call.id": self._call_id,
                "gen_ai.conversation.id": self._session,
                "interlock.session": self._session,
            },
        )


@contextlib.contextmanager
def _span(name: str, attributes: Mapping[str, str]) -> Iterator[Any]:
    if _trace is None:
        yield None
        return
    tracer = _trace.get_tracer("interlock")
    with tracer.start_as_current_span(name, attributes=dict(attributes), record_exception=False) as span:
        try:
            yield span
        except BaseException as error:
            span.set_attribute("error.type", str(getattr(error, "code", type(error).__name__)))
            raise
