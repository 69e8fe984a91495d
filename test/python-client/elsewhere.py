"""One part of an agent's run, in a process of its own: it begins, or goes on from what another process has kept in a file.

    python elsewhere.py SRC langchain|token SERVER MODEL FILE
"""

import json
import os
import pickle
import sys

SRC, WAY, SERVER, MODEL, FILE = sys.argv[1:]
sys.path.insert(0, SRC)

from langchain.agents import create_agent  # noqa: E402
from langchain_core.tools import StructuredTool  # noqa: E402
from langchain_openai import ChatOpenAI  # noqa: E402
from langgraph.checkpoint.memory import InMemorySaver  # noqa: E402

from interlock import Interlock, Options, StepHeld  # noqa: E402
from interlock.langchain import InterlockMiddleware  # noqa: E402

ran: list[object] = []
kept = None
if os.path.exists(FILE):
    with open(FILE, "rb") as file:
        kept = pickle.load(file)


def refund(id: str, amount: int) -> dict:  # noqa: A002
    ran.append({"id": id, "amount": amount})
    return {"ok": True}


def get_order(id: str) -> dict:  # noqa: A002
    return {"id": id, "total": 200}


def with_token(session):
    options = Options(on_hold="suspend")
    if kept is not None:
        return json.dumps(session.resume(kept["token"], refund, options)), None
    session.guard(get_order)(id="A-1")
    try:
        return json.dumps(session.guard(refund, name="refund", options=options)(id="A-1", amount=140)), None
    except StepHeld as held:
        return "", {"token": held.token}


def with_langchain(session):
    saver = InMemorySaver()
    if kept is not None:
        saver.storage.update({thread: kept["storage"][thread] for thread in kept["storage"]})
        saver.writes.update(kept["writes"])
        saver.blobs.update(kept["blobs"])
    agent = create_agent(
        ChatOpenAI(model="m", api_key="k", base_url=MODEL, max_retries=0),
        tools=[StructuredTool.from_function(each, description=each.__name__) for each in (get_order, refund)],
        middleware=[InterlockMiddleware(session, Options(on_hold="suspend", on_deny="result"))],
        checkpointer=saver,
    )
    given = {"messages": [{"role": "user", "content": "Refund 140."}]} if kept is None else None
    try:
        return agent.invoke(given, {"configurable": {"thread_id": "t"}})["messages"][-1].text, None
    except StepHeld:
        # What a checkpointer with a database keeps.
        storage = {thread: {space: dict(of) for space, of in spaces.items()} for thread, spaces in saver.storage.items()}
        return "", {"storage": storage, "writes": dict(saver.writes), "blobs": dict(saver.blobs)}


with Interlock.connect(SERVER) as client:
    session = client.session(agent="elsewhere", **({} if kept is None else {"id": kept["session"]}))
    text, state = (with_langchain if WAY == "langchain" else with_token)(session)
    if state is not None:
        with open(FILE, "wb") as file:
            pickle.dump({"session": session.id, **state}, file)
print(json.dumps({"ran": ran, "text": text, "suspended": state is not None}))
