# Copyright (c) 2026, The mysql_on.kubernetes founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Causes in the packages that Pods with our own Python get from an index."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .text import Text, Words

_TEXTS = {
    "python.index_unreachable": Text(
        "error",
        Words(
            "{subject}: the package index {index} does not answer",
            "Name an index that the Pods reach in cluster_python_index_url, or an image that holds the"
            " packages in cluster_python_built_image (docs/how-to/python.md)",
        ),
        Words(
            "{subject}: 패키지 인덱스 {index}이(가) 응답하지 않습니다",
            "Pod에서 접근할 수 있는 인덱스를 cluster_python_index_url에 지정하거나, 패키지가 들어 있는 이미지를"
            " cluster_python_built_image에 지정하세요(docs/how-to/python.md)",
        ),
    ),
    "python.package_absent": Text(
        "error",
        Words(
            "{subject}: the package index {index} lacks a package for this image's Python and processor",
            "Put the wheel that the proof names into the index, or let its mirror fetch it"
            " (docs/how-to/python.md lists all of them)",
        ),
        Words(
            "{subject}: 패키지 인덱스 {index}에 이 이미지의 Python과 프로세서에 맞는 패키지가 없습니다",
            "증거에 나온 wheel을 인덱스에 넣거나, 미러가 그것을 가져오게 하세요"
            "(전체 목록은 docs/how-to/python.md)",
        ),
    ),
    "python.hash_differs": Text(
        "error",
        Words(
            "{subject}: a package from {index} is not the file that this collection knows",
            "Find out who changed that file; name another index in cluster_python_index_url until then",
        ),
        Words(
            "{subject}: {index}에서 받은 패키지가 이 컬렉션이 아는 파일과 다릅니다",
            "누가 그 파일을 바꾸었는지 확인하고, 그때까지는 다른 인덱스를 cluster_python_index_url에 지정하세요",
        ),
    ),
}

TEXTS: Mapping[str, Text] = MappingProxyType(_TEXTS)
