"""The rules of the house that tools can check: style, formatting, strict types, and arrows that point one way."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHECKS = {
    "ruff finds nothing": ["-m", "ruff", "check", "."],
    "ruff has nothing to format": ["-m", "ruff", "format", "--check", "."],
    "types are strict": ["-m", "mypy"],
    "arrows point one way": [
        "-c",
        "from importlinter.cli import lint_imports_command; lint_imports_command()",
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("rule", CHECKS)
def test_rule_holds(rule: str) -> None:
    done = subprocess.run(
        [sys.executable, *CHECKS[rule]], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
