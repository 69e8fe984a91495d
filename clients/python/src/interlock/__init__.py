"""Guards the tools of Python agents: every call is decided by a running Interlock before it happens.

What is not exported here is not promised.
"""

from ._client import Interlock
from ._errors import (
    DecisionUnavailable,
    HoldToken,
    InterlockError,
    InvalidProposal,
    RequestRefused,
    SessionHalted,
    StepDenied,
    StepHeld,
    ToolTimeout,
)
from ._guard import Options
from ._session import Session

__all__ = [
    "DecisionUnavailable",
    "HoldToken",
    "Interlock",
    "InterlockError",
    "InvalidProposal",
    "Options",
    "RequestRefused",
    "Session",
    "SessionHalted",
    "StepDenied",
    "StepHeld",
    "ToolTimeout",
]
