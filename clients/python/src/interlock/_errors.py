"""What a guarded call can raise. A denial is the policy's answer; an unavailable decision is a failure, and the tool did
not run unless ``ran`` says so. The same errors as in the TypeScript SDK."""

from __future__ import annotations

from typing import Any, Mapping, TypedDict


class HoldToken(TypedDict):
    """Everything needed to continue a held call in any later process. Plain JSON."""

    session: str
    hold: str
    callId: str
    name: str
    args: dict[str, Any]


class InterlockError(Exception):
    """Base of every error; ``code`` is stable."""

    code = "interlock"


class StepDenied(InterlockError):
    """The policy does not allow the step. ``repair`` says what would be allowed."""

    code = "step-denied"

    def __init__(
        self,
        because: str,
        *,
        reason: str = "rule",
        rules: tuple[str, ...] = (),
        decision: Mapping[str, Any] | None = None,
        ran: bool = False,
    ) -> None:
        super().__init__(because)
        self.because = because
        #: ``rule``, ``refused``, ``expired`` or ``used``
        self.reason = reason
        self.rules = rules
        self.decision = decision
        #: True when the tool ran and only its result is withheld.
        self.ran = ran
        repair = decision.get("repair") if decision is not None and reason == "rule" else None
        self.repair: str | None = repair if isinstance(repair, str) else None

    def as_result(self) -> dict[str, Any]:
        """What the model reads in place of a result."""
        result: dict[str, Any] = {"error": "denied", "rules": list(self.rules), "because": self.because}
        if self.repair is not None:
            result["repair"] = self.repair
        fixes = [
            fix
            for rule in ((self.decision or {}).get("rules") or [] if self.reason == "rule" else [])
            for fix in rule.get("fixes") or []
        ]
        if fixes:
            result["fixes"] = fixes
        return result


class SessionHalted(InterlockError):
    """A rule stopped the whole session: it takes no further steps."""

    code = "session-halted"

    def __init__(self, because: str, decision: Mapping[str, Any]) -> None:
        super().__init__(because)
        self.because = because
        self.decision = decision


class StepHeld(InterlockError):
    """The step waits for a person. Continue with ``session.resume(token, tool)`` once it is answered."""

    code = "step-held"

    def __init__(self, because: str, token: HoldToken) -> None:
        super().__init__(because)
        self.because = because
        self.token = token


class DecisionUnavailable(InterlockError):
    """No decision could be had. Fails closed."""

    code = "decision-unavailable"

    def __init__(self, message: str, *, ran: bool = False) -> None:
        super().__init__(message)
        #: True when the tool had already run and only recording its result failed.
        self.ran = ran


class RequestRefused(InterlockError):
    """The engine refused the request itself, e.g. ``session-ended``: the caller's mistake, not a denial."""

    def __init__(self, code: str, message: str, mend: str | None = None) -> None:
        super().__init__(message if mend is None else f"{message} {mend}")
        self.code = code
        self.mend = mend


class InvalidProposal(InterlockError):
    """Arguments or a token that cannot be carried as JSON, or have the wrong shape."""

    code = "invalid-proposal"


class ToolTimeout(InterlockError):
    """The tool took longer than its time-out. It may still take effect."""

    code = "tool-timeout"

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(f"{name} took longer than {round(seconds * 1000)} ms")
