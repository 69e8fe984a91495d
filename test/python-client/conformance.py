"""The scenarios of test/adapters on Python: the guard decorator in a loop of its own, LangChain, OpenAI Agents. Real server, real
frameworks, scripted model. Run by clients.test.ts; by hand: python conformance.py NODE ROOT"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

import yaml

NODE, ROOT = sys.argv[1], sys.argv[2]
del sys.argv[1:]
sys.path.insert(0, os.path.join(ROOT, "clients/python/src"))

from agents import Agent, FunctionTool, OpenAIChatCompletionsModel, Runner, set_tracing_disabled  # noqa: E402
from langchain.agents import create_agent  # noqa: E402
from langchain_core.tools import StructuredTool  # noqa: E402
from langchain_openai import ChatOpenAI  # noqa: E402
from langgraph.checkpoint.memory import InMemorySaver  # noqa: E402
from openai import AsyncOpenAI, OpenAI  # noqa: E402

import interlock  # noqa: E402
from interlock import DecisionUnavailable, Interlock, InterlockError, Options  # noqa: E402
from interlock.langchain import InterlockMiddleware  # noqa: E402
from interlock.openai_agents import guard_agent  # noqa: E402

set_tracing_disabled(True)
with open(os.path.join(ROOT, "test/adapters/scenarios.yaml"), encoding="utf8") as file:
    SHEET = yaml.safe_load(file)
SPEC = yaml.safe_load(SHEET["spec"])
ENDS = {"halted": "session-halted", "unavailable": "decision-unavailable", "held": "step-held"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("not up")


class Server:
    def __init__(self, directory: str, fail: str = "closed") -> None:
        self.spec = os.path.join(directory, "spec.yaml")
        with open(self.spec, "w", encoding="utf8") as file:
            file.write(SHEET["spec"] + f"fail: {fail}\n")
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        main = os.path.join(ROOT, "src/cli/main.ts")
        args = ["serve", "--port", str(self.port), "--no-otlp", "--no-example"]
        args += ["--data", os.path.join(self.directory, "data"), "--spec", self.spec]
        self.process = subprocess.Popen([NODE, main, *args], stdout=subprocess.DEVNULL)
        wait_for(self.port)

    def get(self, path: str):
        with urllib.request.urlopen(self.url + path, timeout=10) as response:
            return json.load(response)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def start_model(turns, directory):
    script = []
    for turn in turns:
        if "say" in turn:
            parts = [{"kind": "text", "text": turn["say"]}]
        elif "hand_over" in turn:
            call_id, agent = turn["hand_over"]
            parts = [{"kind": "call", "name": f"transfer_to_{agent}", "id": call_id, "arguments": "{}"}]
        else:
            parts = [
                {"kind": "call", "name": tool, "id": call_id, "arguments": json.dumps(args)}
                for call_id, tool, args in turn["call"]
            ]
        script.append({"parts": parts})
    path = os.path.join(directory, "script.json")
    with open(path, "w", encoding="utf8") as file:
        json.dump(script, file)
    port = free_port()
    main = os.path.join(ROOT, "test/gateway/scripted-model.ts")
    process = subprocess.Popen([NODE, main, "--port", str(port), "--script", path], stdout=subprocess.DEVNULL)
    wait_for(port)
    return process, f"http://127.0.0.1:{port}/v1"


def tools_of(ran):
    """By name, what each tool does with its arguments."""

    def of(name, does):
        def run(args):
            ran.append([name, args])
            if "fails" in does:
                raise RuntimeError(does["fails"])
            if "waits" in does:
                time.sleep(0.5)
            return does.get("gives")

        return run

    return {name: of(name, does) for name, does in SHEET["tools"].items()}


class Suspended(Exception):
    def __init__(self, again):
        super().__init__("suspended")
        self.again = again


def by_name(run):
    def tool(**args):
        return run(args)

    return tool


def decorator(session, model, tools, options, user, hand_over):
    """A program with a loop of its own."""
    client = OpenAI(base_url=model, api_key="k", max_retries=0)
    guarded = {}
    for name, run in tools.items():

        guarded[name] = session.guard(name=name, options=options)(by_name(run))
    session.input(user)
    messages = [{"role": "user", "content": user}]

    def go(reply=None):
        while True:
            if reply is None:
                reply = client.chat.completions.create(model="m", messages=messages).choices[0].message
            results = []
            for call in reply.tool_calls or []:
                try:
                    value = guarded[call.function.name](**json.loads(call.function.arguments), call_id=call.id)
                except interlock.StepHeld:
                    asked = reply
                    raise Suspended(lambda: go(asked)) from None
                except (RuntimeError, interlock.ToolTimeout) as error:
                    value = f"error: {error}"
                results.append({"role": "tool", "tool_call_id": call.id, "content": json.dumps(value)})
            if not results:
                try:
                    session.output(reply.content)
                except interlock.StepDenied:
                    return "withheld"
                return reply.content
            messages.extend([reply.model_dump(exclude_none=True), *results])
            reply = None

    return go()


def langchain(session, model, tools, options, user, hand_over):
    def made(name, run):
        return StructuredTool.from_function(
            lambda **args: run(args), name=name, description=name, args_schema=SPEC["tools"][name]["input"],
            handle_tool_error=False,
        )

    agent = create_agent(
        ChatOpenAI(model="m", api_key="k", base_url=model, max_retries=0),
        tools=[made(name, run) for name, run in tools.items()],
        middleware=[ErrorsAsMessages(), InterlockMiddleware(session, options)],
        checkpointer=InMemorySaver(),
    )
    config = {"configurable": {"thread_id": "t"}}

    def go(given):
        try:
            return agent.invoke(given, config)["messages"][-1].text
        except interlock.StepHeld:
            raise Suspended(lambda: go(None)) from None
        except interlock.StepDenied:
            return "withheld"

    return go({"messages": [{"role": "user", "content": user}]})


from langchain.agents.middleware import AgentMiddleware  # noqa: E402
from langchain_core.messages import ToolMessage  # noqa: E402


class ErrorsAsMessages(AgentMiddleware):
    """LangChain ends the run when a tool fails, unless the program says otherwise, as here."""

    def wrap_tool_call(self, request, handler):
        try:
            return handler(request)
        except RuntimeError as error:
            return ToolMessage(content=f"error: {error}", tool_call_id=request.tool_call["id"], status="error")


def openai_agents(session, model, tools, options, user, hand_over):
    def made(name, run):
        async def invoke(_context, given):
            try:
                return await asyncio.to_thread(run, json.loads(given))
            except RuntimeError as error:
                return f"error: {error}"

        schema = {**SPEC["tools"][name]["input"], "additionalProperties": True}
        return FunctionTool(name, name, schema, invoke, strict_json_schema=False)

    client = AsyncOpenAI(base_url=model, api_key="k", max_retries=0)

    async def main(agent):
        async with client:
            return await Runner.run(agent, user, max_turns=8)

    settings = {
        "model": OpenAIChatCompletionsModel("m", client),
        "tools": [made(name, run) for name, run in tools.items()],
    }
    second = [] if hand_over is None else [Agent(name=hand_over, **settings)]
    agent = guard_agent(session, Agent(name="desk", handoffs=second, **settings), options)
    session.input(user)
    text = str(asyncio.run(main(agent)).final_output)
    try:
        session.output(text)
    except interlock.StepDenied:
        return "withheld"
    return text


NO_HANDOVER = "none of its own"
NOT_SYNC = "a plain function in a thread cannot be aborted"
CANNOT = {
    "decorator": {"hand-off in one session": NO_HANDOVER, "abort": NOT_SYNC},
    "langchain": {"hand-off in one session": "an edge of the graph: session.handoff in the node", "abort": NOT_SYNC},
    "openai_agents": {
        "held, suspended and resumed": "StepHeld ends the run; the SDK keeps no state to go on from",
        "a tool that fails": "the SDK tells the model of the failure by itself, and it is recorded as a result",
        "abort": "a run is cancelled with its task: tested apart",
    },
}


class Conformance(unittest.TestCase):
    def play(self, rig, scenario):
        directory = tempfile.mkdtemp(prefix="interlock-python-")
        expect = scenario["expect"]
        server = SERVER if not scenario.get("away") else Server(directory, scenario.get("fail", "closed"))
        model, model_url = start_model(scenario["model"], directory)
        client = Interlock.connect(server.url, retry_for=0.2)
        ran = []
        try:
            session = client.session(agent=f"{rig.__name__}")
            if scenario.get("away"):
                server.stop()
            suspend = scenario.get("on_hold") == "suspend"
            timeout = scenario.get("timeout")
            options = Options(
                on_deny="result",
                on_hold="suspend" if suspend else "wait",
                timeout=None if timeout is None else timeout / 1000,
            )
            answer = scenario.get("answer")
            if answer is not None and not suspend:
                threading.Thread(target=self.answer, args=(server, client, session, answer), daemon=True).start()
            text, failure = None, None
            try:
                try:
                    text = rig(session, model_url, tools_of(ran), options, scenario["user"], scenario.get("hand_over"))
                except Suspended as suspended:
                    self.assertTrue(suspend)
                    self.assertNotIn("refund", [name for name, _ in ran])
                    self.answer(server, client, session, answer)
                    text = suspended.again()
            except Exception as error:
                # Frameworks wrap what a tool raises.
                cause = error
                while cause is not None and not isinstance(cause, InterlockError):
                    cause = cause.__cause__
                if cause is None:
                    raise
                failure = cause
            self.assertEqual(sorted(map(json.dumps, ran)), sorted(map(json.dumps, expect["ran"])), failure)
            if "ends" in expect:
                self.assertIsNotNone(failure, text)
                self.assertEqual(failure.code, ENDS[expect["ends"]])
            else:
                self.assertIsNone(failure)
                if "text" in expect:
                    self.assertEqual(text, expect["text"])
            for never in expect.get("untold", []):
                self.assertNotIn(never, text or "")
            if "record" in expect:
                rows = server.get(f"/v1/sessions/{session.id}/steps?limit=1000")["steps"]
                kept = [
                    " ".join(
                        word
                        for word in (
                            row["step"]["kind"],
                            row["step"]["name"],
                            "error" if row["step"].get("error") else row["decision"]["verdict"],
                        )
                        if word
                    )
                    for row in rows
                    if row["step"]["kind"].split(".")[0] not in ("model", "session")
                ]
                self.assertEqual(kept, expect["record"])
        finally:
            client.close()
            model.terminate()
            model.wait(10)

    def answer(self, server, client, session, answer):
        for _ in range(200):
            holds = [h for h in server.get("/v1/holds?state=pending")["holds"] if h["session"] == session.id]
            if holds:
                client.answer_hold(holds[0]["id"], approve=answer == "approve", by="reviewer", role="support-lead")
                return
            time.sleep(0.05)


class Away(unittest.TestCase):
    def test_what_went_on_without_a_decision_is_put_on_record_when_the_server_is_back(self):
        server = Server(tempfile.mkdtemp(prefix="interlock-python-"), "open")
        client = Interlock.connect(server.url, retry_for=0.2)
        try:
            session = client.session(agent="away")
            offers = session.guard(lambda: ["A-1"], name="list_offers")
            order = session.guard(lambda id: {"id": id}, name="get_order")
            server.stop()
            self.assertIsNone(session.input("What is on offer?"))
            self.assertEqual(offers(), ["A-1"])
            with self.assertRaises(DecisionUnavailable):
                order(id="A-1")
            server.start()
            self.assertEqual(order(id="A-1"), {"id": "A-1"})
            steps = [row["step"] for row in server.get(f"/v1/sessions/{session.id}/steps")["steps"]]
            kinds = [(step["kind"], step["name"], step.get("labels", [])) for step in steps[1:]]
            self.assertEqual(
                kinds,
                [
                    ("input", "", ["undecided"]),
                    ("tool.result", "list_offers", ["undecided"]),
                    ("tool.call", "get_order", []),
                    ("tool.result", "get_order", []),
                ],
            )
            self.assertEqual(steps[2]["result"], ["A-1"])
            findings = server.get(f"/v1/findings?session={session.id}")["findings"]
            self.assertEqual([(each["kind"], each["name"]) for each in findings], [("unguarded-step", "list_offers")])
        finally:
            client.close()
            server.stop()


class Elsewhere(unittest.TestCase):
    """Suspended in one process, resumed in another, which has only what the first has kept."""

    def part(self, way, model, file):
        script = os.path.join(ROOT, "test/python-client/elsewhere.py")
        src = os.path.join(ROOT, "clients/python/src")
        args = [sys.executable, "-W", "ignore", script, src, way, SERVER.url, model, file]
        return json.loads(subprocess.run(args, check=True, capture_output=True, timeout=60).stdout)

    def resumed(self, way):
        directory = tempfile.mkdtemp(prefix="interlock-python-")
        file = os.path.join(directory, "kept")
        turns = [{"call": [["c0", "get_order", {"id": "A-1"}]]}, {"call": [["c1", "refund", {"id": "A-1", "amount": 140}]]}, {"say": "Refunded."}]
        model, model_url = start_model(turns, directory)
        try:
            self.assertEqual(self.part(way, model_url, file), {"ran": [], "text": "", "suspended": True})
            with Interlock.connect(SERVER.url) as client:
                (hold,) = [each for each in SERVER.get("/v1/holds?state=pending")["holds"]]
                client.answer_hold(hold["id"], approve=True, by="reviewer", role="support-lead")
            return self.part(way, model_url, file)
        finally:
            model.terminate()
            model.wait(10)

    def test_from_a_token(self):
        self.assertEqual(
            self.resumed("token"), {"ran": [{"id": "A-1", "amount": 140}], "text": '{"ok": true}', "suspended": False}
        )

    def test_from_a_checkpoint_of_langchain(self):
        self.assertEqual(
            self.resumed("langchain"), {"ran": [{"id": "A-1", "amount": 140}], "text": "Refunded.", "suspended": False}
        )


class Cancelled(unittest.TestCase):
    def test_cancelling_a_coroutine_is_recorded(self):
        with Interlock.connect(SERVER.url) as client:
            session = client.session(agent="cancelled")

            @session.guard(name="slow")
            async def slow():
                await asyncio.sleep(30)

            async def main():
                task = asyncio.create_task(slow())
                await asyncio.sleep(0.3)
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task

            asyncio.run(main())
            steps = SERVER.get(f"/v1/sessions/{session.id}/steps?limit=10")["steps"]
            self.assertEqual(steps[-1]["step"]["error"]["message"], "cancelled")


def add(rig, scenario):
    def test(self):
        why = CANNOT[rig.__name__].get(scenario["name"])
        if why is not None:
            self.skipTest(why)
        self.play(rig, scenario)

    setattr(Conformance, f"test {rig.__name__}: {scenario['name']}", test)


for each in (decorator, langchain, openai_agents):
    for one in SHEET["scenarios"]:
        add(each, one)

if __name__ == "__main__":
    SERVER = Server(tempfile.mkdtemp(prefix="interlock-python-"))
    try:
        unittest.main(verbosity=2)
    finally:
        SERVER.stop()
