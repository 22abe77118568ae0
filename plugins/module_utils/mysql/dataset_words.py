# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The words of the generated data set: departments, titles and names. Nobody is meant."""

from __future__ import annotations

DEPARTMENTS = (
    ("Accounting", 5),
    ("Customer Care", 7),
    ("Design", 7),
    ("Engineering", 28),
    ("Legal and Safety", 6),
    ("Manufacturing", 24),
    ("People", 6),
    ("Purchasing", 6),
    ("Trade", 17),
)
"""Name, and how many in a hundred work there or so."""

TITLES = (
    ("Engineer", "Senior Engineer", "Principal Engineer"),
    ("Associate", "Senior Associate", "Specialist"),
    ("Technician", "Senior Technician", "Workshop Lead"),
    ("Junior Engineer", "Engineer", "Senior Engineer"),
    ("Clerk", "Senior Clerk", "Office Lead"),
    ("Analyst", "Senior Analyst", "Expert"),
    ("Manager", "Manager", "Manager"),
)
"""Careers, from the first title on; the last one is that of managers."""

_FIRST = (
    "An Bel Cor Dal El Fen Gil Han Ir Jo Kal Lin Mar Nor Ol Per Quin Ros Sil Tam Ul Ver Wil Yan Zel"
)
_MIDDLE = "a e i o u ari eli ino ola"
_LAST_OF_FIRST = "n ra na s la da th ko ma"
_FAMILY = (
    "Ash Birch Cliff Dune Ember Fern Glen Heath Iron Jade Kelp Larch Moss North Oak Pine Quarry Reed"
    " Stone Thorn Umber Vale Wood Yarrow"
)
_FAMILY_END = "well field son berg ton man ley wick stad mann ford by er son-Li gate"

FIRST_NAMES = tuple(
    f"{first}{middle}{last}"
    for first in _FIRST.split()
    for middle in _MIDDLE.split()
    for last in _LAST_OF_FIRST.split()
)
LAST_NAMES = tuple(
    f"{family}{end}" for family in _FAMILY.split() for end in _FAMILY_END.split()
) + tuple(f"O''{family}" for family in _FAMILY.split())
"""Some with an apostrophe, so that every road of a load meets one."""
