"""The pages for artists: their artists and releases, a release with its masters, when it goes out, and how often it is heard.

Every act is a plain form; scripts make some of them smoother. What cannot be taken comes back in the form it was sent in.
"""

from web.studio import bench
from web.studio import bundles
from web.studio import codes
from web.studio import dashboard
from web.studio import discounts
from web.studio import figures
from web.studio import going_out
from web.studio import masters
from web.studio import membership
from web.studio import merchandise
from web.studio import money
from web.studio import orders
from web.studio import parcels
from web.studio import payouts
from web.studio import prices
from web.studio import shipping
from web.studio import splits
from web.studio import tiers
from web.studio.routing import blueprint

__all__ = [
    "bench",
    "blueprint",
    "bundles",
    "codes",
    "dashboard",
    "discounts",
    "figures",
    "going_out",
    "masters",
    "membership",
    "merchandise",
    "money",
    "orders",
    "parcels",
    "payouts",
    "prices",
    "shipping",
    "splits",
    "tiers",
]
