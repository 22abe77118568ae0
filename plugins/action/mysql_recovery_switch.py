# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shows the progress of mysql_recovery_switch; its documentation is the module of the same name."""

from __future__ import annotations

from ..plugin_utils.followed import FollowedAction


class ActionModule(FollowedAction):
    """The action; all that it does is to show lines while the module works."""
