"""Our host behind the harness of the agent-hooks conformance kit (agent-hooks-sdk on PyPI, MIT).

`python harness.py` runs every vector that the kit ships and prints its report, one JSON object on a line. The kit's runner,
engine and vectors are used as they are; the host is a process of Node, asked over lines of JSON.
"""

import asyncio
import copy
import json
import os
import subprocess
import sys
from pathlib import Path

from agent_hooks import _core
from agent_hooks._types import DECLARATION_VERSION, InterceptionPoint, Verdict
from agent_hooks.approval import ApprovalRequest
from agent_hooks.ctk import runner
from agent_hooks.ctk.harness import Capability, RunOutcome, RunRecord
from agent_hooks.ctk.scripted import RecordingInterceptor, ScriptedInterceptor
from agent_hooks.declaration import BindingContext, DeclarationError, DeclarationErrorClass, Finding

HOST = Path(__file__).with_name("host.ts")
NODE = os.environ.get("INTERLOCK_NODE", "node")


class Harness:
    name = "interlock"
    capabilities = {Capability.MODEL_CALLS, Capability.TOOL_CALLS, Capability.HOST_DECLARATION}
    tool_seam_host_error = "continue"
    incremental = False
    _host = None

    def setup(self, scenario, interceptors, resolver, mode, composition, identity_provider, redact_for_approval=None):
        self._interceptors = interceptors
        self._resolver = resolver
        self._run = {
            "t": "run",
            "scenario": wire_scenario(scenario),
            "interceptors": len(interceptors),
            "resolver": resolver is not None,
            "mode": mode.value,
            "composition": composition.to_wire(),
            "identity": identity_provider,
            "redact": redact_for_approval or [],
            "incremental": self.incremental,
        }

    def setup_declared(self, scenario, document, registry):
        self._interceptors = []
        self._registry = registry
        self._resolver = registry._approval_resolver_ref("ctk-scripted")
        self._host = start()
        send(self._host, {"t": "load", "scenario": wire_scenario(scenario), "document": document})
        message = self.until("loaded", "refused")
        if message["t"] == "refused":
            problems = [Finding(pointer=p["at"], detail=f"expected {p['expected']}, found {p['found']}") for p in message["problems"]]
            raise DeclarationError(DeclarationErrorClass(message["code"].removeprefix("declaration_error:")), *problems)
        self._run = {"t": "go"}

    async def run(self):
        record = self.drive()
        return RunRecord(
            outcome=RunOutcome(record["outcome"]),
            final_output=record["final_output"],
            tool_invocations=record["tool_invocations"],
            error=record["error"],
            identities=[tuple(pair) for pair in record["identities"]],
            records=record["records"],
        )

    def drive(self):
        self._host = self._host or start()
        send(self._host, self._run)
        return self.until("done")["record"]

    def until(self, *kinds):
        """Answers what the host asks until it says one of these."""
        for line in self._host.stdout:
            message = json.loads(line)
            if message["t"] in kinds:
                return message
            try:
                value = self.answer(message)
            except Exception as error:
                send(self._host, {"t": "answer", "id": message["id"], "fault": type(error).__name__})
            else:
                send(self._host, {"t": "answer", "id": message["id"], "value": value})
        raise RuntimeError("the host ended")

    def answer(self, message):
        if message["t"] == "intercept":
            verdict = self._interceptors[message["index"]].intercept(message["context"])
            return verdict.to_wire() if isinstance(verdict, Verdict) else verdict
        if message["t"] == "bind":
            binding = message["binding"]
            points = tuple(InterceptionPoint(point) for point in binding["at"])
            context = BindingContext(
                id=binding["id"], kind=message["kind"], at=points, timeout=None, host=None, declaration_version=DECLARATION_VERSION
            )
            self._interceptors.append(self._registry._kind_resolver(message["kind"])(message["config"], context))
            return len(self._interceptors) - 1
        if message["t"] == "redact":
            return self._registry._redactor_fn("ctk-redact")(message["context"])
        request = message["request"]
        resolution = self._resolver.resolve(
            ApprovalRequest(
                context_identity=request["context_identity"],
                interception_point=InterceptionPoint(request["interception_point"]),
                verdict=request["verdict"],
                context=request["context"],
            )
        )
        answer = {"outcome": resolution.outcome.value, "context_identity": resolution.context_identity}
        if resolution.verdict is not None:
            answer["verdict"] = resolution.verdict.to_wire()
        return answer

    def teardown(self):
        if self._host is not None:
            self._host.stdin.close()
            self._host.stdout.close()
            self._host.wait()
            self._host = None


def start():
    return subprocess.Popen(
        [NODE, str(HOST)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )


def send(host, message):
    host.stdin.write(json.dumps(message, ensure_ascii=False) + "\n")
    host.stdin.flush()


def wire_scenario(scenario):
    return {
        "input": scenario.input,
        "tools": [
            {
                "name": tool.name,
                "behavior": [
                    {"when_args": b.when_args, "return": b.return_, "is_error": b.is_error} for b in tool.behavior
                ],
            }
            for tool in scenario.tools.values()
        ],
        "model_script": [
            {"content": m.content, "tool_calls": m.tool_calls, "finish_reason": m.finish_reason}
            for m in scenario.model_script
        ],
    }


class IncrementalHarness(Harness):
    """The surface of a host that streams. The kit's runner leaves out the stream of a scenario and what was released (its
    HARNESS.md: until a host declares them), so these four vectors are driven here, by its engine, and the two members are
    compared here."""

    capabilities = (Harness.capabilities - {Capability.HOST_DECLARATION}) | {Capability.INCREMENTAL_OUTPUT}
    incremental = True

    def drive_vector(self, vector):
        recorded = []
        interceptor = RecordingInterceptor(ScriptedInterceptor(vector["interceptor_script"]), recorded=recorded)
        self._interceptors = [interceptor]
        self._resolver = None
        scenario = copy.deepcopy(vector["scenario"])
        self._run = {
            "t": "run",
            "scenario": {
                "input": scenario["input"],
                "tools": scenario.get("tools", []),
                "model_script": [one["respond"] for one in scenario["model_script"]],
            },
            "interceptors": 1,
            "resolver": False,
            "mode": "enforce",
            "composition": {"profile": "sequential/first_deny", "on_approval": "stop"},
            "identity": "jcs-sha256",
            "redact": [],
            "incremental": True,
        }
        record = self.drive()
        self.teardown()
        wire = {
            **{k: record[k] for k in ("outcome", "final_output", "tool_invocations", "error", "records")},
            "identities": [{"input_identity": a, "enforced_identity": b} for a, b in record["identities"]],
            "postures": {"tool_seam_host_error": "continue"},
        }
        result = json.loads(_core.ctk_assert(json.dumps(vector), json.dumps(recorded), json.dumps(wire)))
        failures = list(result.get("failures", []))
        expect = vector["expect"]
        if record["released_output"] != expect["released_output"]:
            failures.append(f"released {record['released_output']!r}, expected {expect['released_output']!r}")
        for text in expect.get("persisted_must_not_contain", []):
            if text in record["persisted"]:
                failures.append(f"persisted {text!r}")
        return {"id": vector["id"], "status": "fail" if failures else result["status"], "failures": failures}


def main():
    for vector in runner.load_vectors():
        part = vector.get("part") or "core"
        if part == "streaming/incremental":
            result = IncrementalHarness().drive_vector(vector)
        else:
            found = asyncio.run(runner.run_vector(Harness(), vector))
            result = {"id": found.id, "status": found.status, "failures": found.failures, "detail": found.detail}
        print(json.dumps({**result, "part": part}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
