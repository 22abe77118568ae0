# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation page: it reads the API's own OpenAPI document, and nothing from elsewhere.

FastAPI's own page loads a program of another project from another host, and is blank where that cannot be
reached. This one is three small texts, so that it is where the code is.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from types import MappingProxyType

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
)


def page(title: str, root: str) -> str:
    """Return the page. root: what the ingress strips, so that links lead back through it."""
    at = escape(root, quote=True)
    return f"""<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{escape(title)}</title>
  <link rel="stylesheet" href="{at}/docs.css">
  <script src="{at}/docs.js" defer></script>
</head>
<body data-root="{at}">
  <main>
    <h1>{escape(title)}</h1>
    <p id="description"></p>
    <p>The same as a document for programs: <a href="{at}/openapi.json">{at}/openapi.json</a></p>
    <div id="operations"><noscript>This page needs JavaScript; the document above does not.</noscript></div>
  </main>
</body>
</html>
"""


STYLE = """:root {
  color-scheme: light dark;
  --ink: light-dark(#17212b, #e4ebf1);
  --quiet: light-dark(#52616f, #9db0c0);
  --ground: light-dark(#fff, #10171e);
  --line: light-dark(#d5dde4, #2c3946);
  --accent: light-dark(#1d5c8a, #7cc0ee);
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 0 1rem 3rem; font: 1rem/1.55 system-ui, sans-serif;
  color: var(--ink); background: var(--ground); }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .6rem 0; padding: .5rem .9rem; }
summary { cursor: pointer; }
code, pre, .method { font-family: ui-monospace, monospace; }
.method { font-weight: 700; color: var(--accent); }
.quiet { color: var(--quiet); }
label { display: block; margin: .5rem 0; }
input { font: inherit; width: 14rem; max-width: 100%; margin-left: .5rem; }
button { font: inherit; padding: .25rem .9rem; }
pre { overflow: auto; max-height: 24rem; padding: .6rem; border: 1px solid var(--line); }
"""

SCRIPT = """'use strict';
const root = document.body.dataset.root;

function made(kind, text, name) {
  const one = document.createElement(kind);
  if (text !== undefined) one.textContent = text;
  if (name) one.className = name;
  return one;
}

// What a number or a text may be, in words.
function bounds(schema) {
  const said = [schema.type];
  if ('minimum' in schema) said.push('from ' + schema.minimum);
  if ('maximum' in schema) said.push('to ' + schema.maximum);
  if ('default' in schema) said.push('default ' + schema.default);
  return said.filter(Boolean).join(' ');
}

function field(parameter) {
  const label = made('label', parameter.name);
  const input = made('input');
  input.value = parameter.schema.default ?? '';
  label.append(input, made('span', ' ' + bounds(parameter.schema), 'quiet'));
  if (parameter.description) label.append(made('div', parameter.description, 'quiet'));
  return { label, input, parameter };
}

function address(path, fields) {
  const query = new URLSearchParams();
  let filled = path;
  for (const { input, parameter } of fields) {
    if (parameter.in === 'path') {
      filled = filled.replace('{' + parameter.name + '}', encodeURIComponent(input.value));
    } else if (input.value !== '') {
      query.set(parameter.name, input.value);
    }
  }
  const text = query.toString();
  return root + filled + (text ? '?' + text : '');
}

async function send(method, url, shown) {
  shown.textContent = '...';
  try {
    const answer = await fetch(url, { method });
    const body = await answer.text();
    let text = body;
    try { text = JSON.stringify(JSON.parse(body), null, 2); } catch { /* It is no JSON: shown as it is. */ }
    shown.textContent = method + ' ' + url + '\\n' + answer.status + ' ' + answer.statusText + '\\n\\n' + text;
  } catch (error) {
    shown.textContent = method + ' ' + url + '\\n' + error.message;
  }
}

function operation(path, method, said) {
  const block = made('details');
  const line = made('summary');
  const summary = made('span', '  ' + (said.summary ?? ''), 'quiet');
  line.append(made('span', method + ' ', 'method'), made('code', root + path), summary);
  block.append(line);
  if (said.description) block.append(made('p', said.description));
  const fields = (said.parameters ?? []).map(field);
  const shown = made('pre');
  shown.hidden = true;
  shown.setAttribute('aria-live', 'polite');
  const button = made('button', 'Send');
  button.type = 'button';
  button.addEventListener('click', () => {
    shown.hidden = false;
    send(method, address(path, fields), shown);
  });
  block.append(...fields.map((one) => one.label), button, shown);
  return block;
}

async function show() {
  const list = document.getElementById('operations');
  try {
    const answer = await fetch(root + '/openapi.json');
    if (!answer.ok) throw new Error(answer.status + ' ' + answer.statusText);
    const api = await answer.json();
    document.getElementById('description').textContent = api.info.description ?? '';
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, said] of Object.entries(methods)) {
        list.append(operation(path, method.toUpperCase(), said));
      }
    }
  } catch (error) {
    list.textContent = 'The document cannot be read: ' + error.message;
  }
}

show();
"""
