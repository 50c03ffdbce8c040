"""Pages of plugins: each family below ``/plugins/NAME/``, and each view only for whom its plugin says."""

import functools
import logging
from collections.abc import Callable
from typing import Any

from flask import Flask
from flask import g

from appliance import hooks
from appliance.accounts import permissions
from appliance.accounts.models import Scope
from appliance.accounts.permissions import Permission
from appliance.hookspecs import Visitor
from appliance.hookspecs import WebPages
from web.presentation import wording
from web.request_cycle import person
from web.request_cycle import require_person
from web.request_cycle import roles
from web.request_cycle import second_factor_missing
from web.security.second_step import SecondFactorFirst

log = logging.getLogger(__name__)

ANYBODY, PERSON = "anybody", "person"
View = Callable[..., Any]


def register(app: Flask) -> None:
    """Mount the pages of every plugin that has some; those of one that fails are left out, and it is named."""
    app.jinja_env.filters["price"] = wording.price
    for plugin, pages in hooks.offers("web_pages"):
        try:
            _check(pages)
        except hooks.BROKEN:
            log.exception("a plugin failed", extra={"plugin": plugin, "hook": "web_pages"})
            continue
        name = f"plugin_{plugin}"
        app.register_blueprint(pages.blueprint, name=name, url_prefix=f"/plugins/{plugin}")
        for view, needs in pages.needs.items():
            app.view_functions[f"{name}.{view}"] = _guarded(app.view_functions[f"{name}.{view}"], needs)


def _check(pages: WebPages) -> None:
    """Raise for pages that cannot be mounted, before any of them is: an application has no way to forget a view."""
    trial = Flask("trial")
    trial.register_blueprint(pages.blueprint, name="trial", url_prefix="/trial")
    views = {name.removeprefix("trial.") for name in trial.view_functions if name != "static"}
    if views != set(pages.needs):
        raise ValueError(f"each view says whom it is for; these do not fit: {views ^ set(pages.needs)}")
    for rule in trial.url_map.iter_rules():
        if rule.endpoint != "static" and not rule.rule.startswith("/trial"):
            raise ValueError(f"{rule.rule} is not below the address of the plugin")
    for needs in pages.needs.values():
        if needs not in {ANYBODY, PERSON}:
            Permission(needs)


def _guarded(view: View, needs: str) -> View:
    @functools.wraps(view)
    def guarded(**values: Any) -> Any:
        _let_in(needs)
        who = person()
        g.visitor = Visitor(str(who.id), str(who.email)) if who else Visitor()
        return view(**values)

    return guarded


def _let_in(needs: str) -> None:
    if needs == ANYBODY:
        return
    if needs == PERSON:
        require_person()
        return
    require_person(Scope.ADMIN)
    if second_factor_missing():
        raise SecondFactorFirst
    permissions.require(roles(), Permission(needs))
