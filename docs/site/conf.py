# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sphinx settings of the documentation site; tools/docs builds it."""

project = "mysql_on.kubernetes"
copyright = "2026, The mysql_on.kubernetes founders"  # noqa: A001 - Sphinx's name
extensions = ["myst_parser", "sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
default_role = "any"
html_theme = "furo"
html_title = "mysql_on.kubernetes"
html_show_sourcelink = False
myst_heading_anchors = 4
# Pages outside of docs/ are links to the repository, made by tools/docs.
suppress_warnings = ["toc.not_included"]
# Labels of Ansible's own documentation; the list is written by tools/docs, so that nothing is fetched.
intersphinx_mapping = {"ansible": ("https://docs.ansible.com/ansible/latest/", "ansible.inv")}
