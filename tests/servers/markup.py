"""Judges of pages: html-validate for the markup, axe-core for what assistive technology meets."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page

NODE = Path(__file__).parents[1] / "node"
AXE = NODE / "node_modules" / "axe-core" / "axe.min.js"


def faults(pages: Mapping[str, str]) -> list[str]:
    """What is wrong with the HTML of these pages, by name; empty when nothing is."""
    sent = json.dumps([{"name": name, "html": html} for name, html in pages.items()])
    done = subprocess.run(
        ["node", "validate.cjs"],
        cwd=NODE,
        input=sent,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


OF_LOOKS = ["color-contrast", "target-size", "scrollable-region-focusable", "link-in-text-block"]
"""Rules of axe-core whose answer changes with colours and sizes, and not with the document alone."""


def violations(page: Page, *, rules: Sequence[str] = ()) -> list[str]:
    """What axe-core finds on the page as it is shown now, WCAG 2.2 AA and best practices, or by these *rules* alone; empty when nothing."""
    # Playwright evaluates a function in the page's own world, where the policy forbids scripts that are not ours; a text that is a
    # program, handed over as it is, runs by the protocol and passes.
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text("utf-8") + "; undefined")
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    report = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{violation['id']}: {violation['help']}: {node['target']} {node['html'][:200]}"
        for violation in report["violations"]
        for node in violation["nodes"]
    ]
