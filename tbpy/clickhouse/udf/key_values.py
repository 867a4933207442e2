"""Pairs of keys and values in a text: `name:neymar, age:31 team:psg`.

Source: ClickHouse's public documentation of extractKeyValuePairs and recorded answers.
"""

from __future__ import annotations

from dataclasses import dataclass

from tbpy.clickhouse.udf import Udf


@dataclass(slots=True)
class _Reader:
    """Reads pairs from left to right. A quote in the middle of a key or value starts it anew, quoted."""

    text: str
    between: str  # the character between key and value
    ends: str  # the characters between pairs
    quote: str
    index: int = 0

    def word(self, stops: str) -> str | None:
        """A key or value up to one of the stops; None when its quote is not closed."""
        start = self.index
        while self.index < len(self.text) and self.text[self.index] not in stops:
            if self.text[self.index] == self.quote:
                close = self.text.find(self.quote, self.index + 1)
                start, self.index = self.index + 1, close + 1
                return self.text[start:close] if close >= 0 else None
            self.index += 1
        return self.text[start : self.index]

    def pairs(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        while self.index < len(self.text):
            key = self.word(self.ends + self.between)
            if key is None:
                break
            if self.text[self.index : self.index + 1] != self.between:
                self.index += self.text[self.index : self.index + 1] in self.ends
                continue
            self.index += 1
            if not key:
                continue
            value = self.word(self.ends)
            if value is None:
                break
            found.append((key, value))
        return found


def extract_key_values(text: str, between: str, ends: str, quote: str) -> dict[str, str]:
    """Raises ValueError where a key comes twice: DuckDB's maps hold it once, ClickHouse's as often as it comes."""
    pairs = _Reader(text, between, ends, quote).pairs()
    if len(dict(pairs)) < len(pairs):
        raise ValueError("Function extractKeyValuePairs with a key that comes twice is not supported by tbpy yet")
    return dict(pairs)


FUNCTIONS: dict[str, Udf] = {
    "tb_extract_key_values": Udf(extract_key_values, ("VARCHAR",) * 4, "MAP(VARCHAR, VARCHAR)"),
}
