"""A host made of the published SDK for Python, with Interlock as its interceptor and approval resolver over HTTP: the address
of the decision point is the first argument. Prints what came of four tool calls."""

import asyncio
import json
import sys
import urllib.request

from agent_hooks import AgentContextBuilder, InterceptionBlocked, InterceptionEmitter
from agent_hooks.approval import ApprovalOutcome, ApprovalResolution
from agent_hooks._types import Verdict


class Interlock:
    def __init__(self, url, key=None):
        self.url = f"{url}/agent-hooks/v0.1"
        self.headers = {"content-type": "application/json"}
        if key is not None:
            self.headers["authorization"] = f"Bearer {key}"

    def ask(self, path, body):
        request = urllib.request.Request(f"{self.url}/{path}", json.dumps(body).encode(), self.headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    async def intercept(self, context):
        return await asyncio.to_thread(self.ask, "intercept", context)

    async def resolve(self, request):
        answer = await asyncio.to_thread(
            self.ask,
            "resolve",
            {
                "context_identity": request.context_identity,
                "interception_point": request.interception_point.value,
                "verdict": request.verdict.to_wire(),
                "context": request.context,
            },
        )
        return ApprovalResolution(
            outcome=ApprovalOutcome(answer["outcome"]),
            context_identity=answer["context_identity"],
            verdict=Verdict.from_wire(answer["verdict"]) if "verdict" in answer else None,
        )


async def main(url):
    interlock = Interlock(url)
    emitter = InterceptionEmitter(resolver=interlock, timeout=60).register(interlock, "interlock")
    contexts = AgentContextBuilder(agent_id="shop", framework="own", session_id="py-1").with_l2(
        actor={"id": "user:42", "kind": "human"}
    )
    await emitter.emit(contexts.agent_startup(tools_registered=["refund"]))
    calls = [("refund", {"amount": 50}), ("look", {}), ("refund", {"amount": 50}), ("rename", {"name": "x"}), ("wipe", {"disk": 1})]
    for i, (name, args) in enumerate(calls):
        try:
            outcome = await emitter.emit(contexts.pre_tool_call(call_id=f"c-{i}", name=name, args=args))
        except InterceptionBlocked as blocked:
            print(json.dumps([name, "blocked", blocked.result.verdict.reason]), flush=True)
        else:
            await emitter.emit(contexts.post_tool_call(call_id=f"c-{i}", name=name, args=outcome.target, value="done"))
            print(json.dumps([name, "ran", outcome.target]), flush=True)
    await emitter.emit_unchecked(contexts.agent_shutdown(reason="completed"))


asyncio.run(main(sys.argv[1]))
