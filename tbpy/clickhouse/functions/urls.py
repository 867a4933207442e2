"""Parts of URLs. ClickHouse reads them by simple scans of its own, not by the RFC; so do these.

Source: recorded answers of ClickHouse. What is used much is plain SQL, the rest Python.
"""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import known_text, text
from tbpy.clickhouse.quoting import duckdb_string

# --- protocol and host ------------------------------------------------------------------------------------------------

_SIMPLE = r"^https?://([a-zA-Z0-9_-]+(?:\.[a-zA-Z0-9_-]+)+)(?:[:/?#]|$)"
_SCHEME = r"^(?:[\s\S][a-zA-Z0-9.+-]{0,12}://|//)"
_INSIDE = r" \t<>%{}|\\^~\[\];=&:/?#"  # what cannot stand in a host: restricted characters and what ends it
_USER = rf"(?:[^{_INSIDE}]*@)?"
_HOST = rf"[^{_INSIDE}@]*\.[^{_INSIDE}@]*[^{_INSIDE}@.]"
_BARE = rf"[^{_INSIDE}]*\.[^{_INSIDE}]*@"  # a dot before the @ is enough
_BARE_HOST = rf"[^{_INSIDE}@.]+"
_DOMAIN = rf"^(?:{_USER}(?P<a>{_HOST})|{_BARE}(?P<b>{_BARE_HOST}))(?:[:/?#]|$)"
_PORT = rf"^(?:{_USER}{_HOST}|{_BARE}{_BARE_HOST}):0*([0-9]{{1,5}})(?:[/?#]|$)"


def _schemeless(sql: str) -> str:
    return f"regexp_replace({sql}, {duckdb_string(_SCHEME)}, '')"


def host(sql: str) -> str:
    """The host of a URL; empty where ClickHouse sees none, as in one without a dot.

    Common URLs take a simple pattern. What the others need stands there once, or DuckDB would compute it for all.
    """
    simple = f"nullif(regexp_extract({sql}, {duckdb_string(_SIMPLE)}, 1), '')"
    parts = f"regexp_extract({_schemeless(sql)}, {duckdb_string(_DOMAIN)}, ['a', 'b'])"
    return f"coalesce({simple}, list_transform([{parts}], lambda part: part['a'] || part['b'])[1])"


def _without_www(sql: str) -> str:
    return f"(CASE WHEN starts_with({sql}, 'www.') THEN substring({sql}, 5) ELSE {sql} END)"


@scalar("domain")
def domain(call: Call) -> Typed:
    return call.typed(host(text(call, fixed=False).sql), t.STRING)


@scalar("domainWithoutWWW")
def domain_without_www(call: Call) -> Typed:
    return call.typed(_without_www(host(text(call, fixed=False).sql)), t.STRING)


def _top_level(sql: str) -> str:
    """What stands behind the last dot, unless it starts as a number does."""
    return f"regexp_extract({sql}, '\\.([^.\\x00-9][^.]*)$', 1)"


@scalar("topLevelDomain")
def top_level_domain(call: Call) -> Typed:
    return call.typed(_top_level(host(text(call, fixed=False).sql)), t.STRING)


def _domain_rfc(call: Call) -> str:
    return f"{call.context.udf('tb_domain_rfc')}({text(call, fixed=False).sql})"


@scalar("domainRFC")
def domain_rfc(call: Call) -> Typed:
    return call.typed(_domain_rfc(call), t.STRING)


@scalar("domainWithoutWWWRFC")
def domain_without_www_rfc(call: Call) -> Typed:
    return call.typed(_without_www(_domain_rfc(call)), t.STRING)


@scalar("topLevelDomainRFC")
def top_level_domain_rfc(call: Call) -> Typed:
    return call.typed(_top_level(_domain_rfc(call)), t.STRING)


def _significant(name: str, udf: str, *, www: bool = False) -> None:
    for suffix in ("", "RFC"):

        @scalar(f"{name}{suffix}")
        def build(call: Call, rfc: bool = suffix == "RFC") -> Typed:
            found = _domain_rfc(call) if rfc else host(text(call, fixed=False).sql)
            found = found if www else _without_www(found)
            return call.typed(f"{call.context.udf(udf)}({found})", t.STRING)


_significant("firstSignificantSubdomain", "tb_first_significant")
_significant("cutToFirstSignificantSubdomain", "tb_cut_to_significant")
_significant("cutToFirstSignificantSubdomainWithWWW", "tb_cut_to_significant", www=True)


@scalar("port", args=(1, 2))
def port(call: Call) -> Typed:
    default = "0"
    if len(call.args) == 2:
        if call.args[1].type != t.UINT16:
            call.wrong_type()
        default = call.sql(1)
    digits = f"regexp_extract({_schemeless(text(call, fixed=False).sql)}, {duckdb_string(_PORT)}, 1)"
    number = f"coalesce(nullif(TRY_CAST({digits} AS USMALLINT), 0), {default})"
    return call.typed(f"CAST(CASE WHEN {call.sql(0)} IS NOT NULL THEN {number} END AS USMALLINT)", t.UINT16)


# --- pieces, by scans -------------------------------------------------------------------------------------------------

_AFTER_HOST = "regexp_replace({0}, '^[^/]*//', '')"


def _found(mark: str, then: str, otherwise: str) -> str:
    """A case for URLs with and without a mark."""
    return f"(CASE WHEN contains({{0}}, '{mark}') THEN {then} ELSE {otherwise} END)"


_BEHIND_QUESTION = "substring({0}, instr({0}, '?') + 1)"
_FROM_HASH = _found("#", "substring({0}, instr({0}, '#'))", "left({0}, 0)")
_TO_HASH = _found("#", "left({0}, instr({0}, '#') - 1)", "{0}")
_PIECES = {
    "protocol": r"regexp_extract({0}, '(?s)^([a-zA-Z][a-zA-Z0-9+.-]*):.{{3}}', 1)",
    "path": (
        "coalesce(nullif(regexp_extract({0}, '^[^/]*//[^/]*(/[^?#]*)', 1), ''), "
        f"regexp_extract({_AFTER_HOST}, '/[^?#]*'))"
    ),
    "pathFull": f"regexp_extract({_AFTER_HOST}, '(?s)/.*')",
    "queryString": _found("?", f"split_part({_BEHIND_QUESTION}, '#', 1)", "left({0}, 0)"),
    "fragment": _found("#", "substring({0}, instr({0}, '#') + 1)", "left({0}, 0)"),
    "queryStringAndFragment": _found("?", _BEHIND_QUESTION, _FROM_HASH),
    "cutQueryString": r"regexp_replace({0}, '\?[^#]*', '')",
    "cutFragment": _TO_HASH,
    "cutQueryStringAndFragment": _found("?", "left({0}, instr({0}, '?') - 1)", _TO_HASH),
    "cutWWW": r"regexp_replace({0}, '(?s)^((?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//)www\.(.)', '\1\2')",
    "encodeURLComponent": "url_encode({0})",
    "encodeURLFormComponent": "replace(url_encode({0}), '%20', '+')",
    "decodeURLComponent": "url_decode({0})",
    "decodeURLFormComponent": "url_decode(replace({0}, '+', ' '))",
}


def _piece(name: str, sql: str) -> None:
    @scalar(name)
    def build(call: Call) -> Typed:
        return call.typed(sql.format(text(call, fixed=False).sql), t.STRING)


for _name, _sql in _PIECES.items():
    _piece(_name, _sql)


def _by_udf(name: str, udf: str, gives: t.Type) -> None:
    @scalar(name)
    def build(call: Call) -> Typed:
        return call.typed(f"{call.context.udf(udf)}({text(call, fixed=False).sql})", gives)


for _name, _udf, _gives in (
    ("netloc", "tb_netloc", t.STRING),
    ("portRFC", "tb_port_rfc", t.UINT16),
    ("URLHierarchy", "tb_url_hierarchy", t.Array(t.STRING)),
    ("URLPathHierarchy", "tb_url_path_hierarchy", t.Array(t.STRING)),
    ("extractURLParameters", "tb_url_parameters", t.Array(t.STRING)),
    ("extractURLParameterNames", "tb_url_parameter_names", t.Array(t.STRING)),
):
    _by_udf(_name, _udf, _gives)


# --- parameters -------------------------------------------------------------------------------------------------------


@scalar("extractURLParameter", args=2)
def extract_url_parameter(call: Call) -> Typed:
    """The value of the first `name=` behind `?`, `#` or `&`; empty when there is none."""
    url, name = text(call, 0, fixed=False).sql, text(call, 1, fixed=False)
    before, after = r"(?s)^[^?#]*[?#](?:.*?[?#&])??\Q", r"\E=([^&#]*)"
    known = known_text(name)
    if known is not None:
        pattern = duckdb_string(before + known.replace("\\E", "\\E\\\\E\\Q") + after)
    else:
        pattern = f"({duckdb_string(before)} || {name.sql} || {duckdb_string(after)})"
    return call.typed(f"regexp_extract({url}, {pattern}, 1)", t.STRING)


@scalar("cutURLParameter", args=2)
def cut_url_parameter(call: Call) -> Typed:
    url, names = text(call, 0, fixed=False).sql, call.args[1]
    listed = (
        f"CAST({names.sql} AS VARCHAR[])" if isinstance(names.type, t.Array) else f"[{text(call, 1, fixed=False).sql}]"
    )
    return call.typed(f"{call.context.udf('tb_cut_url_parameters')}({url}, {listed})", t.STRING)
