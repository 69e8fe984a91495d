"""From a proposal to permission: decides, waits for people where the verdict is a hold, and raises for everything that does not
allow the step. The one place where a verdict becomes control flow."""

from __future__ import annotations

import math
import time
import uuid
from typing import Any, Callable, Mapping

from ._errors import DecisionUnavailable, HoldToken, InterlockError, SessionHalted, StepDenied, StepHeld
from ._http import Sender, segment

VERDICTS = ("allow", "transform", "hold", "deny", "halt")
HOLD_STATES = ("pending", "approved", "refused", "expired", "used")
#: What every step of a session is denied by once a rule has halted it.
HALTED = "$halted"
#: One wait on the server, seconds; a longer wait is several of these.
WAIT_MAX = 30

Recorded = Mapping[str, Any]


def propose(http: Sender, session: str, proposal: Mapping[str, Any]) -> Recorded:
    """One attempt, with an id of its own, so that a retry on the wire can never decide twice."""
    given = {**proposal, "id": proposal.get("id") or str(uuid.uuid4())}
    answer = http.send("POST", f"/v1/sessions/{segment(session)}/steps", given)
    return checked(answer, given["id"])


def checked(answer: Any, step: str | None = None) -> Recorded:
    """Only an answer that says what is acted on counts."""
    decision = answer.get("decision") if isinstance(answer, dict) else None
    if isinstance(decision, dict) and isinstance(decision.get("rules"), list):
        verdict = decision.get("verdict")
        whole = verdict in VERDICTS and (step is None or decision.get("step") == step)
        if verdict == "transform" and not isinstance(decision.get("transformed"), dict):
            whole = False
        if verdict == "hold" and not isinstance(answer.get("holdId"), str):
            whole = False
        if whole:
            return dict(answer)
    raise DecisionUnavailable("No decision: the server answered something else. Is it an Interlock of this version?")


def permit(
    http: Sender,
    session: str,
    proposal: Mapping[str, Any],
    *,
    suspend: bool = False,
    hold_timeout: float | None = None,
    ran: bool = False,
    on_decision: Callable[[Recorded], None] | None = None,
) -> Recorded:
    """The decision once it is ``allow`` or ``transform``."""
    while True:
        recorded = propose(http, session, proposal)
        if on_decision is not None:
            on_decision(recorded)
        decision = recorded["decision"]
        verdict = decision["verdict"]
        if verdict in ("allow", "transform"):
            return recorded
        if verdict == "hold":
            token = HoldToken(
                session=session,
                hold=recorded["holdId"],
                callId=proposal.get("callId") or "",
                name=proposal.get("name") or "",
                args=dict(proposal.get("args") or {}),
            )
            if suspend:
                raise StepHeld(because_of(decision), token)
            await_approval(http, token, decision, hold_timeout, ran)
        else:
            raise stopped(decision, ran)


def stopped(decision: Mapping[str, Any], ran: bool) -> InterlockError:
    """The error for a decision that stops."""
    rules = tuple(str(rule.get("rule")) for rule in decision["rules"])
    if decision["verdict"] == "halt" or rules[:1] == (HALTED,):
        return SessionHalted(because_of(decision), decision)
    return StepDenied(because_of(decision), rules=rules, decision=decision, ran=ran)


def await_approval(
    http: Sender,
    token: HoldToken,
    decision: Mapping[str, Any] | None,
    timeout: float | None,
    ran: bool = False,
) -> None:
    """Returns when the hold is approved; raises when it is refused, over, or still pending after ``timeout`` seconds."""
    give_up_at = math.inf if timeout is None else time.monotonic() + timeout
    wait = 0
    while True:
        hold = http.send("GET", f"/v1/holds/{segment(token['hold'])}?wait={wait}", wait=wait)
        state = hold.get("state") if isinstance(hold, dict) else None
        if state not in HOLD_STATES:
            raise DecisionUnavailable(f"The hold {token['hold']} is not known.")
        if state == "approved":
            return
        if state != "pending":
            rules = tuple(str(rule) for rule in hold.get("rules") or ())
            raise StepDenied(closed_because(hold), reason=state, rules=rules, decision=decision, ran=ran)
        left = give_up_at - time.monotonic()
        if left <= 0:
            raise StepHeld(str(hold.get("because") or "The step waits for approval."), token)
        wait = max(1, int(min(WAIT_MAX, left)))


def closed_because(hold: Mapping[str, Any]) -> str:
    state = hold["state"]
    if state == "refused":
        refusals = [answer for answer in hold.get("answers") or [] if not answer.get("approve")]
        if not refusals:
            return "The approval was refused."
        last = refusals[-1]
        reason = "." if last.get("reason") is None else f": {last['reason']}"
        return f"{last.get('by')} ({last.get('role')}) refused{reason}"
    if state == "used":
        return "The approval was already used; an approval is good for one call."
    return "Nobody approved the step in time."


def because_of(decision: Mapping[str, Any]) -> str:
    rules = decision["rules"]
    because = rules[0].get("because") if rules else None
    return because if isinstance(because, str) else "No rule allows this step."
