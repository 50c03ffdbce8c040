import ast
import inspect
import logging
import textwrap
import uuid
from importlib.metadata import EntryPoint
from importlib.metadata import entry_points
from pathlib import Path

import click
import pluggy
import pytest

from appliance import hooks
from appliance import hookspecs
from appliance import processors
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.hooks import Status
from appliance.hookspecs import PublishedTrack
from appliance.payments import TaxableSale
from appliance.payments import TaxRate
from appliance.settings import Settings

ROOT = Path(__file__).parents[2]
HOOKS = sorted(name for name, value in vars(hookspecs).items() if hasattr(value, "musicconnect_spec"))
TRACK = PublishedTrack(
    "T", "R", "Title", "Artist", "Release", 1000, "2026-07-30T12:00:00+00:00", "https://a.example/"
)
HEAD = """
from appliance import hookimpl
from appliance.errors import Invalid
from appliance.settings import Setting
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Write the source of a plugin into a module of its own and return its entry point."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name, source):
        module = f"{name}_{uuid.uuid4().hex}"
        (tmp_path / f"{module}.py").write_text(HEAD + textwrap.dedent(source), "utf-8")
        return EntryPoint(name=name, value=module, group=hookspecs.GROUP)

    yield write
    hooks.load(Settings(), points=())


def load(*points, **values):
    return {found.name: found for found in hooks.load(Settings(**values), points=points)}


ANSWERS = """
@hookimpl
def media_url(key, expires_in_s):
    return f"https://{__name__.partition('_')[0]}.example/{key}?{expires_in_s}"
"""
SPEAKS = """
heard = []
@hookimpl
def track_published(track):
    heard.append(track)
    return __name__.partition('_')[0]
"""


# ---- statuses


def test_a_good_plugin_is_ready_and_answers(plugin):
    found = load(plugin("good", ANSWERS))["good"]
    assert (found.status, found.explanation) == (Status.READY, "")
    assert hooks.plugins() == (found,)
    assert hooks.announce("media_url", key="k", expires_in_s=5) == ["https://good.example/k?5"]


def test_a_disabled_plugin_is_not_even_imported(plugin):
    found = load(plugin("off", "raise RuntimeError('imported')"), disabled_plugins=("off",))["off"]
    assert found.status is Status.DISABLED
    assert "disabled_plugins" in found.explanation


BROKEN = {
    "a syntax error": ("def (", Status.FAILED_TO_LOAD, "SyntaxError"),
    "a missing library": ("import no_such_library", Status.FAILED_TO_LOAD, "no_such_library"),
    "a fault on import": ("1 / 0", Status.FAILED_TO_LOAD, "ZeroDivisionError"),
    "a script that leaves": ("import sys; sys.exit(3)", Status.FAILED_TO_LOAD, "SystemExit"),
    "a misspelt hook": ("@hookimpl\ndef media_uri(key): ...", Status.FAILED_TO_LOAD, "media_uri"),
    "an argument too many": ("@hookimpl\ndef media_url(key, colour): ...", Status.FAILED_TO_LOAD, "colour"),
    "a wrapper": (
        "@hookimpl(wrapper=True)\ndef media_url(): return (yield)",
        Status.FAILED_TO_LOAD,
        "wrapper",
    ),
    "settings that are none": (
        "@hookimpl\ndef plugin_settings(): return 5",
        Status.BAD_SETTINGS,
        "TypeError",
    ),
    "settings that fail": (
        "@hookimpl\ndef plugin_settings(): 1 / 0",
        Status.BAD_SETTINGS,
        "ZeroDivisionError",
    ),
    "a failed self-check": (
        "@hookimpl\ndef plugin_start(): raise Invalid('The disc is not in the drive.')",
        Status.FAILED_SELF_CHECK,
        "The disc is not in the drive.",
    ),
    "a fault in the self-check": (
        "@hookimpl\ndef plugin_start(): {}['x']",
        Status.FAILED_SELF_CHECK,
        "KeyError",
    ),
}


@pytest.mark.parametrize(("source", "status", "told"), BROKEN.values(), ids=BROKEN.keys())
def test_a_bad_plugin_is_named_and_the_others_go_on(plugin, caplog, source, status, told):
    both = source + SPEAKS if status is not Status.FAILED_TO_LOAD else source
    found = load(plugin("bad", both), plugin("good", ANSWERS + SPEAKS))
    assert (found["bad"].status, found["good"].status) == (status, Status.READY)
    assert told in found["bad"].explanation
    [record] = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert (record.plugin, record.status) == ("bad", status)
    assert hooks.announce("track_published", track=TRACK) == ["good"]


def test_an_entry_point_that_leads_nowhere_is_named():
    found = load(EntryPoint(name="gone", value="no_such_module_at_all", group=hookspecs.GROUP))["gone"]
    assert found.status is Status.FAILED_TO_LOAD
    assert "no_such_module_at_all" in found.explanation


def test_of_two_plugins_with_one_name_the_first_stays(plugin):
    found = hooks.load(Settings(), points=[plugin("twin", ANSWERS), plugin("twin", ANSWERS)])
    assert [one.status for one in found] == [Status.READY, Status.FAILED_TO_LOAD]
    assert "same name" in found[1].explanation
    assert hooks.announce("media_url", key="k", expires_in_s=0) == ["https://twin.example/k?0"]


def test_settings_for_a_plugin_that_is_not_installed_are_told(plugin):
    found = load(plugin("signed", ANSWERS), plugins={"singed": {"key": "x"}})
    assert found["signed"].status is Status.READY
    assert found["singed"].status is Status.FAILED_TO_LOAD
    assert "no plugin of this name is installed" in found["singed"].explanation


def test_loading_again_forgets_what_was_loaded(plugin):
    load(plugin("good", ANSWERS))
    load()
    assert hooks.announce("media_url", key="k", expires_in_s=0) == []


def test_the_parts_of_the_product_itself_are_neither_listed_nor_disabled(plugin):
    found = load(plugin("web", ANSWERS), disabled_plugins=("web",))
    assert found == {}
    assert hooks.announce("media_url", key="k", expires_in_s=0) == ["https://web.example/k?0"]


def test_the_bundled_plugins_are_ready_and_idle_without_settings(plugin):
    bundled = [point for point in entry_points(group=hookspecs.GROUP) if point.value.startswith("plugins.")]
    found = load(*bundled)
    names = (
        "demo_payments download_mark fixed_tax manual_payments oidc_signin otel_tracing paypal_payments sentry_errors "
        "signed_cdn stripe_payments webhook_out"
    )
    assert sorted(found) == names.split()
    assert {one.status for one in found.values()} == {Status.READY}
    assert hooks.announce("media_url", key="artwork/x", expires_in_s=0) == []
    assert hooks.announce("track_published", track=TRACK) == []


# ---- each hook


def test_hook_plugin_settings(plugin):
    rows = """
    values = {}
    @hookimpl
    def plugin_settings():
        return [Setting("size", int, 3, "A size.", minimum=1), Setting("word", str, "", "A word.", secret=True)]
    @hookimpl
    def plugin_start(values):
        globals()["values"].update(values)
    """
    point = plugin("declares", rows)
    found = load(point, plugins={"declares": {"size": "7"}})["declares"]
    assert found.status is Status.READY
    assert [row.name for row in found.settings] == ["size", "word"]
    assert point.load().values == {"size": 7, "word": ""}

    wrong = load(point, plugins={"declares": {"size": 0}})["declares"]
    assert wrong.status is Status.BAD_SETTINGS
    assert wrong.explanation == (
        "The setting 'size' is 0 in the settings of the plugin 'declares'; allowed is a whole number from 1 upwards."
    )
    unknown = load(point, plugins={"declares": {"seize": 1}})["declares"]
    assert unknown.status is Status.BAD_SETTINGS
    assert unknown.explanation == "The plugin 'declares' has no setting 'seize'; it has size, word."
    secret = load(point, plugins={"declares": {"word": 12345}})["declares"]
    assert secret.status is Status.BAD_SETTINGS
    assert "12345" not in secret.explanation


def test_hook_plugin_start(plugin):
    source = """
    calls = []
    @hookimpl
    def plugin_start(settings, values):
        calls.append((settings.collective_name, values))
    """
    point = plugin("starts", source)
    assert load(point, collective_name="Choir")["starts"].status is Status.READY
    assert point.load().calls == [("Choir", {})]


def test_hook_media_url(plugin):
    silent = "@hookimpl\ndef media_url(key, expires_in_s): return None"
    failing = "@hookimpl\ndef media_url(key): raise RuntimeError('no')"
    load(plugin("aa", ANSWERS), plugin("bb", ANSWERS), plugin("yy", silent), plugin("zz", failing))
    [answer] = hooks.announce("media_url", key="artwork/x", expires_in_s=0)
    # One answer, from the first that had one; who failed or kept silent is passed over.
    assert answer in {"https://aa.example/artwork/x?0", "https://bb.example/artwork/x?0"}


def test_hook_mark_download(plugin, caplog):
    marks = """
    marked = []
    @hookimpl
    def mark_download(path, track_id, listener_id):
        marked.append((path, track_id, listener_id))
    """
    fails = "@hookimpl\ndef mark_download(path): raise OSError('the disc is full')"
    told = {"path": "/made/one.flac", "format": "flac", "track_id": "T", "listener_id": "L"}
    load()
    assert not hooks.has("mark_download")
    hooks.insist("mark_download", **told)

    point = plugin("marker", marks)
    load(point)
    assert hooks.has("mark_download")
    hooks.insist("mark_download", **told)
    assert point.load().marked == [("/made/one.flac", "T", "L")]

    load(plugin("broken", fails))
    with pytest.raises(Unavailable, match="The plugin 'broken' failed"):
        hooks.insist("mark_download", **told)
    assert [record.plugin for record in caplog.records if record.levelno == logging.ERROR] == ["broken"]


def test_a_plugin_without_anything_to_do_is_ready_and_not_asked(plugin):
    found = load(plugin("idle", ANSWERS + "@hookimpl\ndef plugin_start(): return False\n"))["idle"]
    assert (found.status, found.explanation) == (Status.READY, "")
    assert hooks.announce("media_url", key="k", expires_in_s=0) == []


def test_hook_track_published(plugin, caplog):
    failing = "@hookimpl\ndef track_published(track): raise RuntimeError('no')"
    one, two = plugin("aa", SPEAKS), plugin("zz", SPEAKS)
    load(one, plugin("mm", failing), two)
    assert sorted(hooks.announce("track_published", track=TRACK)) == ["aa", "zz"]
    assert one.load().heard == two.load().heard == [TRACK]
    [record] = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert (record.plugin, record.hook) == ("mm", "track_published")


def test_hook_sign_in_ways(plugin, caplog):
    offers = """
    class Way:
        name, label = "harbour", "Harbour Union"
    @hookimpl
    def sign_in_ways():
        return [Way()]
    """
    failing = "@hookimpl\ndef sign_in_ways(): raise RuntimeError('no')"
    load(plugin("aa", offers), plugin("mm", failing), plugin("zz", offers.replace("harbour", "other")))
    names = [way.name for ways in hooks.announce("sign_in_ways") for way in ways]
    assert sorted(names) == ["harbour", "other"]
    [record] = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert (record.plugin, record.hook) == ("mm", "sign_in_ways")


def test_hook_tax_rate(plugin, caplog):
    rates = """
    from appliance.payments import TaxRate
    @hookimpl
    def tax_rate(sale):
        return TaxRate("VAT", 1900) if sale.country == "DE" else None
    """
    fails = "@hookimpl\ndef tax_rate(sale): raise OSError('no line')"
    sale = TaxableSale("digital", "DE", 700, "EUR")
    load()
    assert hooks.first("tax_rate", sale=sale) is None
    load(plugin("rates", rates))
    assert hooks.has("tax_rate")
    assert hooks.first("tax_rate", sale=sale) == TaxRate("VAT", 1900)
    assert hooks.first("tax_rate", sale=TaxableSale("tip", "", 1, "EUR")) is None
    load(plugin("broken", fails))
    with pytest.raises(Unavailable, match="The plugin 'broken' failed"):
        hooks.first("tax_rate", sale=sale)
    assert [record.plugin for record in caplog.records if record.levelno == logging.ERROR] == ["broken"]


def test_hook_payment_providers(plugin, caplog):
    offers = """
    class Till:
        name = label = "till"
        features = frozenset()
    @hookimpl
    def payment_providers():
        return [Till()]
    """
    failing = "@hookimpl\ndef payment_providers(): raise RuntimeError('no')"
    load(plugin("aa", offers), plugin("mm", failing), plugin("zz", offers.replace('"till"', '"counter"')))
    assert [provider.name for provider in processors.every()] == ["counter", "till"]
    assert processors.find("till").name == "till"
    with pytest.raises(NotFound):
        processors.find("other")
    assert [record.plugin for record in caplog.records if record.levelno == logging.ERROR] == ["mm"] * 3


def test_hook_register_commands(plugin):
    adds = """
    import click
    @hookimpl
    def register_commands(cli):
        cli.add_command(click.Command("hello", callback=lambda: click.echo("hi")))
    """
    fails = "@hookimpl\ndef register_commands(cli): raise RuntimeError('no')"
    leaves = "raise SystemExit(4)"
    cli = click.Group("cli")
    problems = hooks.add_commands(cli, points=[plugin("aa", fails), plugin("bb", leaves), plugin("zz", adds)])
    assert problems == [("aa", "RuntimeError: no"), ("bb", "SystemExit: 4")]
    assert sorted(cli.commands) == ["hello"]


def test_the_server_and_the_worker_add_their_commands_by_the_hook():
    cli = click.Group("cli")
    assert hooks.add_commands(cli) == []
    assert {"serve", "web", "worker"} <= set(cli.commands)


# ---- a hook is born with a user, a test and its story


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_has_a_bundled_user(name):
    manager = pluggy.PluginManager(hookspecs.GROUP)
    manager.add_hookspecs(hookspecs)
    for point in entry_points(group=hookspecs.GROUP):
        if point.value.split(".")[0] in {"web", "transcoder", "plugins"}:
            manager.register(point.load(), name=point.name)
    manager.check_pending()
    assert getattr(manager.hook, name).get_hookimpls(), f"no bundled plugin implements the hook '{name}'"


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_has_a_test_of_its_name(name):
    tests = {
        node.name
        for file in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    assert f"test_hook_{name}" in tests


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_says_when_it_is_called_what_a_failure_does_and_since_when(name):
    story = inspect.getdoc(getattr(hookspecs, name)) or ""
    assert "Called " in story
    assert "fail" in story or "wrong value" in story
    assert "Since 0." in story
