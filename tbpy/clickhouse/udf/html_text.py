"""extractTextFromHTML: the words of a page without its markup.

Source: ClickHouse documentation of the function, and answers of a ClickHouse.
"""

from __future__ import annotations

import re

from tbpy.clickhouse.udf import Udf

_CDATA, _COMMENT = "<![CDATA[", "<!--"
_SKIPPED = re.compile(r"<(script|style)(?=[\s/>])")
_BLANK = " \t\n\v\f\r"


def extract_text(html: str) -> str:
    """Runs of blanks become one, tags too; comments, scripts and styles are left out, CDATA stays as it is."""
    out: list[str] = []
    place, apart = 0, False
    while place < len(html):
        start = html.find("<", place)
        words = html[place : start if start >= 0 else len(html)].strip(_BLANK)
        for word in re.split(f"[{_BLANK}]+", words) if words else ():
            out.append(f" {word}" if out and apart else word)
            apart = True
        if start < 0:
            break
        place, kept = _after_markup(html, start)
        if kept:
            out.append(kept)
        apart = True
    return "".join(out)


def _after_markup(html: str, start: int) -> tuple[int, str | None]:
    """Where the markup that begins at `start` ends, and the text to keep of it."""
    if html.startswith(_CDATA, start):
        begin, end = start + len(_CDATA), html.find("]]>", start)
        return (end + 3, html[begin:end]) if end >= 0 else (begin, None)
    if html.startswith(_COMMENT, start):
        end = html.find("-->", start + 2)
        return (end + 3, None) if end >= 0 else (_behind(html, ">", start) if ">" in html[start:] else start + 4, None)
    behind = _behind(html, ">", start)
    skipped = _SKIPPED.match(html, start)
    if skipped is None or html[:behind].endswith("/>"):
        return behind, None
    closing = re.compile(rf"</{skipped[1]}\s*>").search(html, behind)
    return (closing.end() if closing is not None else len(html)), None


def _behind(html: str, sign: str, start: int) -> int:
    end = html.find(sign, start)
    return end + len(sign) if end >= 0 else len(html)


FUNCTIONS = {"tb_extract_html_text": Udf(extract_text, ("VARCHAR",), "VARCHAR")}
