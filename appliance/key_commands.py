"""``musicconnect keys``: the keys of encrypted tracks, and the change of the master key that wraps them."""

import click

from appliance import doctor
from appliance import startup
from appliance.catalog import rendition_keys
from appliance.errors import Unavailable
from appliance.invocation import data_option
from appliance.invocation import started
from appliance.settings import Settings


@doctor.check("media keys")
def _media_keys(settings: Settings) -> str:
    ring = rendition_keys.ring(settings, startup.secret_key(settings))
    wrapped = rendition_keys.by_master()
    lost = sum(count for name, count in wrapped.items() if name not in ring.keys)
    if lost:
        raise Unavailable(
            f"{lost} encrypted rung(s) cannot be played: the master key that wraps their keys is not set; "
            "give it as 'media_master_key_former' and run: musicconnect keys rewrap"
        )
    former = sum(count for name, count in wrapped.items() if name != ring.present)
    told = f"{sum(wrapped.values())} key(s) can be unwrapped"
    return told + (f", {former} by a former master key ('musicconnect keys rewrap')" if former else "")


@click.group(short_help="Look after the keys of encrypted tracks.")
def keys() -> None:
    """Look after the keys of encrypted tracks."""


@keys.command(short_help="Wrap all keys of tracks by the present master key.")
@data_option
@click.pass_context
def rewrap(ctx: click.Context) -> None:
    """Wrap all keys of tracks by the present master key, after it was changed.

    Give the new one as 'media_master_key' and the old one as 'media_master_key_former' to every process, run this, then remove
    the old one. Listeners notice nothing, and no media are touched.
    """
    appliance = started(ctx)
    ring = rendition_keys.ring(appliance.settings, appliance.secret)
    done, failed = rendition_keys.rewrap(ring)
    click.echo(f"{done} key(s) wrapped by the master key {ring.present}.")
    if failed:
        raise Unavailable(
            "{failed} key(s) could not be unwrapped and were left as they are; is the old key given as 'media_master_key_former'?",
            failed=failed,
        )
