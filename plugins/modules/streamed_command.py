# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: streamed_command
short_description: Run a program on the controller and show its progress while it works
version_added: 0.1.0
author:
  - The mysql_on.kubernetes founders (@mysql-on)
description:
  - Runs a program on the controller, whatever host the task is for.
  - Each line that it writes to its standard error is shown at once. When it is silent, its last
    line and the time since its start are shown every five seconds.
  - Its standard output must be one JSON object with C(changed).
    That object becomes the result of the task.
  - The task fails if the exit code is not zero, if the object has C(failed),
    or if there is no such object.
options:
  argv:
    description: The program and its arguments. No shell is involved.
    type: list
    elements: str
    required: true
  check_argv:
    description:
      - What is run instead in check mode.
      - It must change nothing, and say in C(changed) what O(argv) would do.
      - Without it the task is skipped in check mode.
    type: list
    elements: str
  chdir:
    description: Folder that the program is started in.
    type: path
  environment:
    description: Environment variables that are added to those of the controller.
    type: dict
    default: {}
attributes:
  check_mode:
    description: Can run in check mode and say what it would change.
    support: partial
    details: Only with O(check_argv).
  diff_mode:
    description: Shows in diff mode what changes.
    support: none
notes:
  - Lines are not shown for a task with C(no_log).
"""

EXAMPLES = r"""
- name: Build everything, watching it
  mysql_on.kubernetes.streamed_command:
    argv:
      - "{{ ansible_playbook_python }}"
      - "{{ role_path }}/files/lab"
      - up
    check_argv:
      - "{{ ansible_playbook_python }}"
      - "{{ role_path }}/files/lab"
      - status
    environment:
      LAB: lab
"""

RETURN = r"""
rc:
  description: Exit code of the program; negative is the signal that ended it.
  returned: on failure
  type: int
stderr_lines:
  description: The last lines that it wrote to its standard error.
  returned: on failure
  type: list
  elements: str
"""
