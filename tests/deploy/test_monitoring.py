"""What operators put into Prometheus and Grafana: alerts that fire when they should and have a page each, a dashboard that can be read."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from appliance import measures
from appliance.monitoring import backup_figures
from appliance.monitoring.exposition import Exposition
from appliance.monitoring.figures import FIGURES
from appliance.startup import Appliance
from web.app import create_app

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "deploy" / "monitoring"
RULES = PLACE / "prometheus-rules.yml"
TESTS = PLACE / "test" / "rules-test.yml"
DASHBOARD = PLACE / "grafana-dashboard.json"
PAGE = ROOT / "docs" / "metrics.md"
HEADINGS = ["What it means", "How to see it", "What to do", "When to wake someone"]

AREA = {
    "type": "object",
    "required": ["h", "w", "x", "y"],
    "properties": {
        "h": {"type": "integer", "minimum": 1},
        "w": {"type": "integer", "minimum": 1, "maximum": 24},
        "x": {"type": "integer", "minimum": 0, "maximum": 23},
        "y": {"type": "integer", "minimum": 0},
    },
}
SOURCE = {
    "type": "object",
    "required": ["type", "uid"],
    "properties": {"type": {"const": "prometheus"}, "uid": {"const": "${datasource}"}},
}
SHAPE = {
    "type": "object",
    "required": ["uid", "title", "schemaVersion", "templating", "time", "panels"],
    "properties": {
        "uid": {"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,40}$"},
        "title": {"type": "string", "minLength": 1},
        "schemaVersion": {"type": "integer", "minimum": 36},
        "id": {"type": "null"},
        "panels": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "type", "title", "gridPos"],
                "properties": {
                    "id": {"type": "integer", "minimum": 1},
                    "type": {"enum": ["row", "timeseries", "stat"]},
                    "title": {"type": "string", "minLength": 1},
                    "gridPos": AREA,
                },
                "if": {"properties": {"type": {"not": {"const": "row"}}}},
                "then": {
                    "required": ["datasource", "targets", "fieldConfig", "options"],
                    "properties": {
                        "datasource": SOURCE,
                        "targets": {
                            "type": "array",
                            "minItems": 1,
                            "items": {
                                "type": "object",
                                "required": ["refId", "expr", "datasource"],
                                "properties": {
                                    "refId": {"type": "string", "pattern": "^[A-Z]$"},
                                    "expr": {"type": "string", "minLength": 1},
                                    "datasource": SOURCE,
                                },
                            },
                        },
                        "fieldConfig": {
                            "type": "object",
                            "required": ["defaults", "overrides"],
                            "properties": {
                                "defaults": {
                                    "required": ["unit"],
                                    "properties": {
                                        "unit": {"enum": ["none", "s", "bytes", "percentunit", "reqps"]}
                                    },
                                }
                            },
                        },
                    },
                },
            },
        },
        "templating": {
            "type": "object",
            "required": ["list"],
            "properties": {
                "list": {
                    "items": {
                        "required": ["name", "type"],
                        "properties": {"type": {"enum": ["datasource", "query"]}},
                    }
                }
            },
        },
    },
}


def promtool(*arguments: str, given: str = "") -> None:
    done = subprocess.run(["promtool", *arguments], input=given, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    return found


def expressions() -> list[str]:
    """What the dashboard asks, with its variables filled in as Grafana does."""
    asked = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())]
    return [one.replace("$job", "musicconnect").replace("$instance", ".*") for one in asked]


def metrics_in(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:musicconnect|flask|patroni)_\w+", expression))


def test_prometheus_takes_the_rules_and_each_alert_fires_when_it_should_and_only_then() -> None:
    promtool("check", "rules", str(RULES))
    promtool("test", "rules", str(TESTS))


def test_every_alert_was_seen_firing_and_quiet() -> None:
    cases = [
        case for test in yaml.safe_load(TESTS.read_text("utf-8"))["tests"] for case in test["alert_rule_test"]
    ]
    fired = {case["alertname"] for case in cases if case["exp_alerts"]}
    quiet = {case["alertname"] for case in cases if not case["exp_alerts"]}
    assert fired == quiet == {rule["alert"] for rule in rules()}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_how_urgent_it_is_and_has_a_page(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"]
    page = ROOT / rule["annotations"]["runbook_url"]
    slug = re.sub(r"(?<!^)(?=[A-Z])", "-", rule["alert"]).lower()
    assert page == ROOT / "docs" / "runbooks" / f"{slug}.md"
    text = page.read_text("utf-8")
    assert text.startswith(f"# {rule['alert']}\n\nSeverity: {rule['labels']['severity']}.\n")
    assert re.findall(r"^## (.+)$", text, re.M) == HEADINGS
    row = rf"\| `{rule['alert']}` \| {rule['labels']['severity']} \| \[[^]]+\]\(runbooks/{slug}\.md\) \|"
    assert re.search(row, PAGE.read_text("utf-8"))


def test_no_page_is_left_of_an_alert_that_is_gone() -> None:
    pages = {path.name for path in (ROOT / "docs" / "runbooks").iterdir()}
    assert pages == {Path(rule["annotations"]["runbook_url"]).name for rule in rules()}


def test_the_dashboard_has_the_shape_that_grafana_reads() -> None:
    jsonschema.Draft202012Validator(SHAPE).validate(dashboard())
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        area = panel["gridPos"]
        assert area["x"] + area["w"] <= 24, panel["title"]
        cells = {
            (x, y)
            for x in range(area["x"], area["x"] + area["w"])
            for y in range(area["y"], area["y"] + area["h"])
        }
        assert not cells & taken, f"{panel['title']} lies upon another"
        taken |= cells


def test_every_question_of_the_dashboard_is_one_to_prometheus(tmp_path: Path) -> None:
    asked = expressions()
    assert not [one for one in asked if "$" in one]
    recorded = [{"record": f"panel_{number}", "expr": one} for number, one in enumerate(asked)]
    file = tmp_path / "dashboard.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}), "utf-8")
    promtool("check", "rules", str(file))


def test_alerts_and_dashboard_ask_only_for_what_the_page_of_metrics_tells_of() -> None:
    told = set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text("utf-8"), re.M))
    # Others tell these; the page says who.
    others = {
        "patroni_xlog_location",
        "patroni_xlog_replayed_location",
        "patroni_replica",
        "patroni_postgres_running",
        "redis_up",
        "redis_memory_used_bytes",
        "redis_memory_max_bytes",
    }
    for expression in [*(rule["expr"] for rule in rules()), *expressions()]:
        for name in metrics_in(expression) - others:
            assert re.sub(r"_(bucket|count|sum)$", "", name) in told, name


def test_prometheus_finds_no_fault_in_names_types_and_units(appliance: Appliance) -> None:
    client = create_app(appliance).test_client()
    client.get("/")
    lines = client.get("/metrics").get_data(as_text=True).splitlines()
    # A process that counts for itself tells when it began to; a node, whose processes count together, does not.
    promtool("check", "metrics", given="\n".join(one for one in lines if "_created" not in one) + "\n")


def test_the_page_of_metrics_tells_of_all_there_are_with_their_labels(appliance: Appliance) -> None:
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\| [^|]+ \| [^|]+ \|$", PAGE.read_text("utf-8"), re.M)
    told = {name: tuple(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    real = {
        measure.describe()[0].name + "_total" * (measure._type == "counter"): tuple(measure._labelnames)
        for measure in measures.every()
    }
    real |= {figure.name: figure.labels for figure in (*FIGURES, *backup_figures.of(appliance.settings))}
    seen = {
        family.name: tuple(family.samples[0].labels)
        for family in Exposition(appliance.settings).collect()
        if family.samples and family.type == "gauge" and family.name not in real
    }
    real |= seen
    real["musicconnect_certificate_ends_timestamp_seconds"] = ()
    client = create_app(appliance).test_client()
    client.get("/")
    text = client.get("/metrics").get_data(as_text=True)
    for name in re.findall(r"^# TYPE (flask_\w+) (?:counter|histogram)$", text, re.M):
        series = next((line for line in text.splitlines() if re.match(rf"{name}(_bucket)?\{{", line)), "")
        labels = sorted(set(re.findall(r"(\w+)=\"", series)) - {"le"})
        real[name] = tuple(labels) or ("method", "status")
    assert {name: sorted(labels) for name, labels in told.items()} == {
        name: sorted(labels) for name, labels in real.items()
    }
