"""Text goes out while it comes in."""

import random

import pytest

from contract.front_door import Capability, FrontDoor
from harness import http

TEXT = "ABN und Größe, 中ing; “ing” 🙂 rabo. " * 40
REPLACED = "ABN AMRO und Größe, 中ing; “ING BANK” 🙂 Rabobank. " * 40


pytestmark = pytest.mark.needs(Capability.STREAMING)


def test_the_first_bytes_are_out_before_the_last_are_in(front_door: FrontDoor) -> None:
    connection = http.connect(front_door.url)
    connection.putrequest("POST", "/string/replace")
    for name, value in {**front_door.headers, "Content-Type": "text/plain", "Transfer-Encoding": "chunked"}.items():
        connection.putheader(name, value)
    connection.endheaders()

    def send(piece: bytes) -> None:
        connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))

    piece = b"abn and text " * 10_000
    send(piece)
    answer = connection.getresponse()  # would time out if it waited for the end
    assert answer.status == 200
    first = answer.read(len(piece) // 2)
    send(b"rabo")
    connection.send(b"0\r\n\r\n")
    assert first + answer.read() == b"ABN AMRO and text " * 10_000 + b"Rabobank"
    connection.close()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000])
def test_where_a_body_is_cut_makes_no_difference(front_door: FrontDoor, size: int) -> None:
    body = TEXT.encode()
    assert _replaced(front_door, [body[i : i + size] for i in range(0, len(body), size)]) == REPLACED


@pytest.mark.parametrize("seed", range(5))
def test_nor_when_it_is_cut_at_random(front_door: FrontDoor, seed: int) -> None:
    body, source, pieces, start = TEXT.encode(), random.Random(seed), [], 0
    while start < len(body):
        end = start + source.choice([1, 2, 5, 30, 200])
        pieces.append(body[start:end])
        start = end
    assert _replaced(front_door, pieces) == REPLACED


def _replaced(front_door: FrontDoor, pieces: list[bytes]) -> str:
    headers = {**front_door.headers, "Content-Type": "text/plain"}
    response = http.request(front_door.url, "POST", "/string/replace", headers, iter(pieces))
    assert response.status == 200
    return response.body.decode()
