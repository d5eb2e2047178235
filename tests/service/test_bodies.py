"""Bodies may be gzip, up to the limit of what is in it; bombs and broken ones are refused before they unfold."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from contextlib import suppress
from time import process_time

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from service.api.parsing import inflate, parse_json
from service.errors import BadJSON, BadRequest, TooLarge

URL = "/v1/analyses"
TEXT = "“We will rebuild,” said Amara."


def post(client: FlaskClient, body: bytes, encoding: str = "gzip") -> tuple[int, dict[str, object]]:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    response = client.post(URL, data=body, headers=headers)
    return response.status_code, response.json


def zipped(text: str) -> bytes:
    return gzip.compress(json.dumps({"text": text, "language": "en"}).encode())


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
def test_a_gzip_is_read(client: FlaskClient, encoding: str) -> None:
    status, found = post(client, zipped(TEXT), encoding)
    assert (status, found["article"]["text"]) == (200, TEXT)  # type: ignore[index]


def test_the_limit_is_for_what_is_in_it(client: FlaskClient) -> None:
    varied = "".join(chr(97 + n * n % 26) + str(n) for n in range(5_000))
    assert post(client, zipped(varied[:15_000]))[0] == 200
    status, problem = post(client, zipped(varied))
    assert (status, problem["limit"], problem["setting"]) == (413, 20_000, "WHOSAID_MAX_BODY_BYTES")


def test_a_bomb_stays_small() -> None:
    bomb = zlib.compressobj(9, wbits=31)
    body = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(200)) + bomb.flush()
    for limit, says in ((1_000_000, "allowed"), (10**9, "100 times")):
        tracemalloc.start()
        with pytest.raises(TooLarge, match=says):
            for _ in inflate([body], limit, 100):
                pass
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 2_000_000


@pytest.mark.parametrize(
    "body",
    [b"", b"text", zipped(TEXT)[:-1], zipped(TEXT)[:5], zipped(TEXT) + b"more", zipped(TEXT)[:-6] + b"abcdef"],
    ids=["empty", "text", "without its end", "its beginning", "more behind", "another end"],
)
def test_a_broken_gzip_is_a_bad_request(client: FlaskClient, body: bytes) -> None:
    status, problem = post(client, body)
    assert (status, problem["type"] in ("/problems/bad-request", "/problems/bad-json")) == (400, True)


def test_other_encodings_are_refused_with_those_that_are_read(client: FlaskClient) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "deflate"}
    response = client.post(URL, data=b"x", headers=headers)
    assert (response.status_code, response.headers["Accept-Encoding"]) == (415, "gzip, identity")


def test_a_key_that_stands_twice_is_found_at_once() -> None:
    names = ", ".join(f'"key{n}": 0' for n in range(20_000))
    begun = process_time()
    with pytest.raises(BadJSON, match="'last' stands twice"):
        parse_json(f'{{{names}, "last": 0, "last": 1}}'.encode())
    assert process_time() - begun < 1


@given(st.lists(st.binary(max_size=300_000), min_size=1, max_size=3), st.integers(1, 10_000))
def test_pieces_and_members_make_the_same_content(members: list[bytes], cut: int) -> None:
    body = b"".join(map(gzip.compress, members))
    pieces = [body[at : at + cut] for at in range(0, len(body), cut)]
    content = b"".join(members)
    if len(content) > 100 * len(body):
        return
    assert b"".join(inflate(pieces, 1_000_000, 100)) == content


@given(st.binary(max_size=200))
def test_any_bytes_are_content_or_refused(body: bytes) -> None:
    with suppress(BadRequest, TooLarge):
        assert len(b"".join(inflate([body], 1_000, 100))) <= 1_000
