"""Numbers, sizes, times and session caches: what we take and refuse is what nginx takes and refuses."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.servers import NGINX_NAMES, NginxBinary, needed_nginx, nginx_test
from tlslint.resolve.nginx_values import is_number, is_size, is_time, session_cache_error

TIMES = (
    "0", "5", "5s", "5m", "1h30m", "1h 30m", "1h  30m", " 5m", "5m ", "30m1h", "1d12h", "1M", "1y", "1w2d", "100ms",
    "5s100ms",
    "5x", "m", "1h1h", "10s5", "5 5", "1.5h", "-1", "1s 2", "", "10S", "1H",
    "5 5 5", "5 5m", "1s 2 ", "5m5 5", "1M1w", "2w1M", "1ms1", "s", "5m 5", "1y2y",
)  # fmt: skip
SIZES = ("0", "4k", "4K", "1m", "1M", "1g", "4kk", "k", "", "-1", "1.5k", "16384", "0x10")
NUMBERS = ("0", "1", "007", "-1", "1.5", "", "1k", "999999999999999999999", "٣")
CACHES = (
    "off", "none", "builtin", "OFF", "on", "builtin:", "builtin:1000", "builtin:x", "shared", "shared:", "shared:A",
    "shared:A:",
    "shared::1m", "shared:A:1m", "shared:A:1k", "shared:A:32k", "shared:A:31k", "shared:A:x", "shared:A:1g",
    "shared:A:1m:x",
    "builtin:1:2", "builtins", "none:1",
)  # fmt: skip

CASES: list[tuple[str, tuple[str, ...], Callable[[str], bool]]] = [
    ("ssl_session_timeout", TIMES, lambda word: is_time(word, milliseconds=False)),
    ("client_header_timeout", TIMES, lambda word: is_time(word, milliseconds=True)),
    ("ssl_buffer_size", SIZES, is_size),
    ("ssl_verify_depth", NUMBERS, is_number),
    ("ssl_session_cache", CACHES, lambda word: not session_cache_error(word)),
]


@pytest.fixture(params=NGINX_NAMES)
def nginx(request: pytest.FixtureRequest) -> NginxBinary:
    return needed_nginx(request.param)


@pytest.mark.parametrize(("directive", "words", "accepts"), CASES, ids=[case[0] for case in CASES])
def test_values(nginx: NginxBinary, directive: str, words: tuple[str, ...], accepts: Callable[[str], bool]) -> None:
    texts = [f'error_log stderr;\nevents {{}}\nhttp {{\n{directive} "{word}";\n}}\n' for word in words]
    with ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(lambda text: nginx_test(nginx, text)[0], texts))
    assert {word: accepts(word) for word in words} == dict(zip(words, verdicts, strict=True))
