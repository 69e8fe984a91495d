"""The agent of clients.test.ts on the vendors' Python libraries. argv: the gateway's address. One JSON line for each client:
what it was told and asked, turn by turn."""

import json
import sys
import urllib.request

import anthropic
import openai

URL = sys.argv[1]
MODEL = "scripted-model"
TOOLS = ["get_order", "refund", "wire_money"]
ANY = {"type": "object", "properties": {}}
ORDER = json.dumps({"id": "A-1", "total": 150})


def api(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def approve(agent):
    session = api(f"/v1/sessions?agent={agent}")["sessions"][0]["id"]
    (hold,) = [one for one in api("/v1/holds?state=pending")["holds"] if one["session"] == session]
    api(f"/v1/holds/{hold['id']}/answer", {"approve": True, "by": "user:lead", "role": "support-lead"})


def openai_client(agent):
    return openai.OpenAI(
        base_url=f"{URL}/gateway/openai/v1", api_key="k", max_retries=0, default_headers={"x-interlock-agent": agent}
    )


def chat(agent, stream):
    client, messages = openai_client(agent), []
    tools = [{"type": "function", "function": {"name": name, "parameters": ANY}} for name in TOOLS]

    def ask():
        if stream:
            with client.chat.completions.stream(model=MODEL, messages=messages, tools=tools) as events:
                for _ in events:
                    pass
                message = events.get_final_completion().choices[0].message
        else:
            message = client.chat.completions.create(model=MODEL, messages=messages, tools=tools).choices[0].message
        messages.append(message.to_dict())
        calls = message.tool_calls or []
        return message.content or "", [(one.id, one.function.name) for one in calls]

    def say(text):
        messages.append({"role": "user", "content": text})
        return ask()

    def give(call, text):
        messages.append({"role": "tool", "tool_call_id": call, "content": text})
        return ask()

    return say, give


def responses(agent, stream):
    client, items = openai_client(agent), []
    tools = [{"type": "function", "name": name, "parameters": ANY, "strict": False} for name in TOOLS]

    def ask():
        if stream:
            with client.responses.stream(model=MODEL, input=items, tools=tools) as events:
                for _ in events:
                    pass
                response = events.get_final_response()
        else:
            response = client.responses.create(model=MODEL, input=items, tools=tools)
        items.extend(item.to_dict() for item in response.output)
        calls = [(item.call_id, item.name) for item in response.output if item.type == "function_call"]
        return response.output_text, calls

    def say(text):
        items.append({"role": "user", "content": text})
        return ask()

    def give(call, text):
        items.append({"type": "function_call_output", "call_id": call, "output": text})
        return ask()

    return say, give


def claude(agent, stream):
    client = anthropic.Anthropic(
        base_url=f"{URL}/gateway/anthropic", api_key="k", max_retries=0, default_headers={"x-interlock-agent": agent}
    )
    messages = []
    tools = [{"name": name, "input_schema": ANY} for name in TOOLS]

    def ask():
        body = {"model": MODEL, "max_tokens": 256, "messages": messages, "tools": tools}
        if stream:
            with client.messages.stream(**body) as events:
                message = events.get_final_message()
        else:
            message = client.messages.create(**body)
        messages.append({"role": "assistant", "content": [block.to_dict() for block in message.content]})
        text = "".join(block.text for block in message.content if block.type == "text")
        return text, [(block.id, block.name) for block in message.content if block.type == "tool_use"]

    def say(text):
        messages.append({"role": "user", "content": text})
        return ask()

    def give(call, text):
        messages.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": call, "content": text}]})
        return ask()

    return say, give


for name, agent_of in (("chat", chat), ("responses", responses), ("anthropic", claude)):
    for stream in (False, True):
        agent = f"python-{name}{'-streamed' if stream else ''}"
        say, give = agent_of(agent, stream)
        turns = [say(f"Refund order A-1, please. I am {agent}.")]
        turns.append(give(turns[0][1][0][0], ORDER))
        approve(agent)
        turns.append(say("It is approved. Go on."))
        turns.append(give(turns[2][1][0][0], '{"ok": true}'))
        told = [{"text": text, "calls": [called for _, called in calls]} for text, calls in turns]
        print(json.dumps({"agent": agent, "turns": told}), flush=True)
