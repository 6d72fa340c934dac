"""Lays roads and prices them: chains of countries between origin and destination, and the market for passage.

It moves nobody; that is the system's work.
"""

from __future__ import annotations

from zhol.roads.assign import road_shares
from zhol.roads.capacity import market_price, recover
from zhol.roads.disruption import Disruption, disrupt
from zhol.roads.layout import Roads, lay
from zhol.roads.market import Market, market

__all__ = ["Disruption", "Market", "Roads", "disrupt", "lay", "market", "market_price", "recover", "road_shares"]
