"""The checker's entrance under the name that scripts have used since the first version; it lives in its own room."""

from quadlens.checker.check import CheckResult, check

__all__ = ["CheckResult", "check"]
