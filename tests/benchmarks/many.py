# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long site.yml takes for few and for many replicas: first run, second run, check run.

    python -m tests.benchmarks.many --few 2 --many 9

On the lab (or MYSQL_ON_KUBERNETES_KUBECONFIG), each count in a namespace of its own that is made and removed.
Writes its section of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import defaultdict

from tests.benchmarks import page
from tests.integration.site import LITTLE_MEMORY, Played, Site

HEADING = "Few and many replicas"
RUNS = {"first": "first run", "second": "second run", "check": "check run after it"}


def timed(site: Site, *options: str, changes: bool) -> float:
    began = time.monotonic()
    played = site.play(*options)
    seconds = round(time.monotonic() - began, 1)
    if played.failed or bool(played.recap["changed"]) != changes:
        raise SystemExit(f"A run failed, or changed what it should not:\n{last(played)}")
    return seconds


def last(played: Played) -> str:
    return f"{played.changed}\n{played.output[-6000:]}"


def measure(replicas: int, scale: float) -> dict[str, float]:
    """Make a site with that many replicas, run it again, and once more in check mode."""
    site = Site(cluster_replicas=replicas, cluster_data_scale=scale, **LITTLE_MEMORY)
    try:
        return {
            "first": timed(site, changes=True),
            "second": timed(site, changes=False),
            "check": timed(site, "--check", changes=False),
        }
    finally:
        site.remove()
        gone(site)


def gone(site: Site) -> None:
    """Wait until the namespace is gone: what ends there still takes a core from the next figures."""
    deadline = time.monotonic() + 300
    while site.exists():
        if time.monotonic() > deadline:
            raise SystemExit(f"The namespace {site.namespace} does not go")
        # The API server tells of a namespace's end by not having it any more.
        time.sleep(1)


def body(rounds: dict[int, list[dict[str, float]]], scale: float, load: float) -> str:
    few, many = sorted(rounds)
    lines = [
        page.measured(f"python -m tests.benchmarks.many --few {few} --many {many}", load),
        f"`site.yml` whole, {len(rounds[few])} round(s), medians; `data_scale: {scale:g}`, a short load test;"
        f" all {many + 1} instances on that machine. The second and the check run change nothing.",
        "",
        f"| | {few} replicas, s | {many} replicas, s | ratio |",
        "|---|---|---|---|",
    ]
    return "\n".join([*lines, *page.ratios(rounds, RUNS, 1)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=2)
    parser.add_argument("--many", type=int, default=9)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--scale", type=float, default=0.002)
    options = parser.parse_args()
    rounds: dict[int, list[dict[str, float]]] = defaultdict(list)
    load = os.getloadavg()[0]
    for _round in range(options.rounds):
        for count in (options.few, options.many):
            rounds[count].append(measure(count, options.scale))
            print(json.dumps({"replicas": count, **rounds[count][-1]}), flush=True)
    page.write(HEADING, body(rounds, options.scale, load))


if __name__ == "__main__":
    main()
