"""What is known against the versions that are installed, asked of pip-audit.

``python tests/audit/vulnerabilities.py PIP_AUDIT`` ends with 0 where nothing is known, with 1 where
something is, and with 4 where the database of vulnerabilities could not be reached: a version of
which it must know something is asked for as well, since a mirror that has no such database answers
that nothing is known of anything.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from licences import OURS, tree

FINE, FOUND, NOT_AUDITED = 0, 1, 4
KNOWN_BAD = {"jinja2": "2.11.2", "pyyaml": "5.3"}
"""Old versions with published advisories (CVE-2020-28493, CVE-2020-1747); never installed."""

UNREACHED = "Not audited: the database of vulnerabilities cannot be reached."


def installed() -> dict[str, str]:
    """Return the versions of everything that our distributions need and that is installed."""
    return {one.name: one.version for one in tree() if one.version and one.name not in OURS}


def asked(pip_audit: str, versions: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what pip-audit says of these versions; None where it reaches no database."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "versions.txt"
        plain = {name: version.partition("+")[0] for name, version in versions.items()}
        file.write_text("".join(f"{name}=={version}\n" for name, version in plain.items()))
        done = subprocess.run(
            [pip_audit, "--no-deps", "--disable-pip", "--progress-spinner", "off",
             "--format", "json", "--requirement", str(file)],
            capture_output=True, text=True,
        )  # fmt: skip
    try:
        content = json.loads(done.stdout)
    except ValueError:
        return None
    return content if isinstance(content, dict) and "dependencies" in content else None


def judged(control: Mapping[str, Any] | None, ours: Mapping[str, Any] | None) -> tuple[int, str]:
    """Return the exit code and what to say.

    Parameters
    ----------
    control, ours : mapping or None
        What pip-audit said of `KNOWN_BAD` and of what is installed.
    """
    if control is None or ours is None:
        return NOT_AUDITED, UNREACHED
    if any(not one.get("vulns") for one in control["dependencies"]):
        return NOT_AUDITED, UNREACHED
    found = [one for one in ours["dependencies"] if one.get("vulns")]
    skipped = [one["name"] for one in ours["dependencies"] if "skip_reason" in one]
    n = len(ours["dependencies"]) - len(skipped)
    words = [f"{n} packages audited; {len(found)} with a known vulnerability."]
    for one in found:
        told = ", ".join(vuln["id"] for vuln in one["vulns"])
        words.append(f"{one['name']} {one['version']}: {told}")
    if skipped:
        words.append(f"The database does not know: {', '.join(skipped)}.")
    return (FOUND if found else FINE), "\n".join(words)


def main() -> int:
    """Say what is known."""
    pip_audit = sys.argv[1] if len(sys.argv) > 1 else "pip-audit"
    control = asked(pip_audit, KNOWN_BAD)
    known = control is not None and all(one.get("vulns") for one in control["dependencies"])
    code, words = judged(control, asked(pip_audit, installed()) if known else None)
    print(words)  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main())
