"""Times Invariant's analyzer. Reads one JSON request on stdin ({policy, traces, budgetMs}), answers {allowed, times} in microseconds."""

import json
import os
import sys
import time

# The analyzer gives up after 100 rounds otherwise: a `count` over a hundred results takes more.
os.environ["INVARIANT_MAX_ITERATIONS"] = "1000000000"
from invariant.analyzer import LocalPolicy

request = json.load(sys.stdin)
policy = LocalPolicy.from_string(request["policy"])


def decide(trace):
    """A call is pending after the trace: allowed when no rule is broken by it."""
    return not policy.analyze_pending(trace[:-1], trace[-1:]).errors


traces = request["traces"]
allowed = [decide(trace) for trace in traces]
times = []
end = time.monotonic() + request["budgetMs"] / 1000
while len(times) < 3 or (len(times) < 1000 and time.monotonic() < end):
    trace = traces[len(times) % len(traces)]
    start = time.perf_counter()
    decide(trace)
    times.append((time.perf_counter() - start) * 1e6)
json.dump({"allowed": allowed, "times": times}, sys.stdout)
