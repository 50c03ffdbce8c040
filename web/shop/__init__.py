"""Buying once: the way to the till, the page of an order, codes, and what one bought."""

from web.shop import basket
from web.shop import bundles
from web.shop import checkout
from web.shop import deliveries
from web.shop import gifts
from web.shop import merchandise
from web.shop import order_page
from web.shop import purchases
from web.shop import redeeming
from web.shop.claiming import register
from web.shop.routing import blueprint

__all__ = [
    "basket",
    "blueprint",
    "bundles",
    "checkout",
    "deliveries",
    "gifts",
    "merchandise",
    "order_page",
    "purchases",
    "redeeming",
    "register",
]
