"""Calls functions of the reference core: a JSON list of [function, ...arguments] on stdin, what each gave on stdout."""

import json
import sys

from agent_hooks import _core


def call(name, *arguments):
    try:
        return {"ok": getattr(_core, name)(*arguments)}
    except Exception as error:
        return {"error": str(error)}


json.dump([call(*each) for each in json.load(sys.stdin)], sys.stdout)
