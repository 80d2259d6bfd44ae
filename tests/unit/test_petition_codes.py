"""Tracking codes and keys carry at least 100 bits, come from the system's chance, and forgive slips of the pen."""

from __future__ import annotations

import math
import re
from collections import Counter
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.petitions.domain import code as codes
from services.petitions.domain.code import ALPHABET, BITS, LENGTH, derived, new_code, new_salt, normal, opens, sha256_of

WRITTEN = re.compile(rf"[{ALPHABET}]{{5}}(-[{ALPHABET}]{{5}}){{3}}-[{ALPHABET}]{{6}}")
MANY = 4_000


def test_a_code_carries_at_least_100_bits() -> None:
    assert 32 == len(set(ALPHABET))
    assert 100 <= LENGTH * math.log2(len(ALPHABET)) == BITS


def test_every_letter_of_a_code_is_used_and_none_more_than_by_chance() -> None:
    made = [new_code() for _ in range(MANY)]
    assert MANY == len(set(made))
    assert all(WRITTEN.fullmatch(each) for each in made)
    for place in range(LENGTH):
        counted = Counter(each.replace("-", "")[place] for each in made)
        assert set(ALPHABET) == set(counted)
        # 125 each by chance; ten standard deviations are 110.
        assert all(15 < number < 235 for number in counted.values()), (place, counted)


def test_a_code_is_all_the_bits_that_the_system_gave() -> None:
    for number in (0, 1, 2**BITS - 1, 0b10110 << 65):
        with mock.patch.object(codes.secrets, "randbits", return_value=number) as source:
            letters = new_code().replace("-", "")
        source.assert_called_once_with(BITS)
        assert number == sum(ALPHABET.index(letter) << (5 * place) for place, letter in enumerate(reversed(letters)))


@given(st.integers(0, 2**BITS - 1))
def test_a_code_is_read_as_people_write_it(number: int) -> None:
    with mock.patch.object(codes.secrets, "randbits", return_value=number):
        written = new_code()
    slipped = written.replace("0", "o").replace("1", "l").replace("-", " ").lower()
    assert written == normal(written) == normal(written.lower()) == normal(slipped)


@pytest.mark.parametrize("text", ["", "ABC", "U" * LENGTH, "0" * (LENGTH + 1), "ş" * LENGTH, "-" * 40])
def test_what_is_no_code_is_read_as_none(text: str) -> None:
    assert None is normal(text)
    assert not opens(text, sha256_of(text))


@given(st.text(min_size=1, max_size=200), st.text(min_size=1, max_size=200))
def test_a_derived_code_follows_from_its_secret_and_salt_and_from_neither_alone(one: str, two: str) -> None:
    salt, other = new_salt(), new_salt()
    assert derived(one, salt) == derived(one, salt)
    assert WRITTEN.fullmatch(derived(one, salt))
    assert derived(one, salt) != derived(one, other)
    assert (one == two) == (derived(one, salt) == derived(two, salt))


def test_a_key_opens_what_holds_its_hash_and_nothing_else() -> None:
    key, other = new_code(), new_code()
    assert opens(key, sha256_of(key))
    assert opens(key.lower(), sha256_of(key))
    assert not opens(other, sha256_of(key))
    assert not opens(None, sha256_of(key))
    assert not opens(key, None)
    assert key not in sha256_of(key)
