"""The grammar of expressions: a kind, and SQL in which `{kind}` stands for an expression of that kind.

`{kind|x:other}` is an expression that may also use the lambda parameter x of kind `other`. Kinds that start with `agg_`
hold aggregates, those that start with `win_` window functions.
"""

from __future__ import annotations

CONSTANTS: dict[str, tuple[str, ...]] = {
    "int": ("0", "1", "2", "-1", "7", "255", "256", "-129", "toUInt64(3)", "toInt8(-5)", "toInt64(100)"),
    "nint": ("NULL", "toNullable(3)", "toInt32OrNull('x')"),
    "float": ("0.5", "-2.25", "1e3", "3.", "toFloat32(0.1)", "0."),
    "nfloat": ("toNullable(1.5)", "toFloat64OrNull('q')"),
    "dec": ("toDecimal32(1.5, 2)", "toDecimal64('12.345', 3)"),
    "ndec": ("toNullable(toDecimal32(2, 1))",),
    "bool": ("true", "false"),
    "str": ("'abc'", "''", "'a'", "'12'", "'x,y'"),
    "nstr": ("toNullable('a')", "nullIf('b', 'b')"),
    "fixed": ("toFixedString('abc', 3)",),
    "enum": ("CAST('b' AS Enum8('a' = -1, 'b' = 0, 'c' = 5))",),
    "date": ("toDate('2024-02-29')", "toDate('2024-12-31')"),
    "ndate": ("toDateOrNull('x')", "toNullable(toDate('2024-01-15'))"),
    "date32": ("toDate32('2024-02-28')",),
    "dt": ("toDateTime('2024-03-31 01:30:00')", "toDateTime('2024-01-01 00:00:00', 'UTC')"),
    "ndt": ("toDateTimeOrNull('2024-02-15 10:00:00')",),
    "dt64": ("toDateTime64('2024-02-15 10:00:00.123', 3)",),
    "uuid": ("toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0')",),
    "ip": ("toIPv4('10.0.0.1')",),
    "ints": ("[1, 2, 3]", "range(4)", "[0, -1]", "CAST([] AS Array(Int32))"),
    "nints": ("[1, NULL, 3]",),
    "strs": ("['a', 'b']", "['']", "splitByChar(',', 'a,b,a')"),
    "floats": ("[0.5, 1.5]",),
    "dates": ("[toDate('2024-01-01')]",),
    "mapi": ("map('a', 1, 'z', -2)",),
    "maps": ("map('a', 'x')",),
    "tuple": ("(1, 'a')", "tuple(toInt32(2), 'b')"),
    "named": ("CAST((1, 'x') AS Tuple(a Int32, b String))",),
    "json": ("""'{"a": 3, "b": "q"}'""",),
    "cond": ("1", "0"),
    "small": ("-3", "-1", "0", "1", "2", "5", "31"),
    "place": ("1", "2", "-1", "3", "10"),
    "unit": ("DAY", "HOUR", "MONTH", "WEEK", "MINUTE", "YEAR"),
}

UNIONS: dict[str, tuple[str, ...]] = {
    "num": ("int", "int", "float"),
    "nnum": ("nint", "nfloat"),
    "number": ("int", "float", "nint", "nfloat", "dec"),
    "intdec": ("int", "dec"),
    "text": ("str", "str", "lc", "nstr", "nlc"),
    "day": ("date", "date", "dt"),
    "moment": ("dt", "dt", "dt64"),
    "time": ("date", "dt", "dt64"),
    "optional": ("nint", "nfloat", "nstr", "ndate", "ndt", "ndec", "nlc"),
    "array": ("ints", "strs", "nints", "floats", "dates"),
    "key": ("int", "int", "str", "lc", "nstr", "nlc", "date", "ndate", "dt", "bool", "enum", "nint", "cond", "fixed"),
    "scalar": (
        *("int", "int", "float", "str", "str", "lc", "nstr", "nint", "nfloat", "dec", "date", "dt", "dt64", "cond"),
        *("bool", "enum", "ndec", "ndate", "ndt", "nlc", "fixed", "uuid", "ip", "date32"),
    ),
    "any": ("scalar", "scalar", "scalar", "scalar", "array", "tuple", "named", "mapi", "maps"),
    "agg": ("agg_int", "agg_int", "agg_float", "agg_str", "agg_any", "agg_array", "agg_nint"),
    "win": ("win_int", "win_float", "win_any"),
}

_RULES = """
int: ({int} + {int})
int: ({int} - {int})
int: ({int} * {int})
int: intDiv({int}, 3)
int: ({int} % 5)
int: modulo({int}, 7)
int: -{int}
int: abs({int})
int: bitAnd({int}, 7)
int: length({str})
int: length({array})
int: position({str}, 'a')
int: toYear({time})
int: toMonth({day})
int: toDayOfWeek({day})
int: toHour({moment})
int: toYYYYMM({day})
int: toUnixTimestamp({dt})
int: dateDiff('{unit}', {day}, {day})
int: ({date} - {date})
int: if({cond}, {int}, {int})
int: multiIf({cond}, {int}, {cond}, {int}, {int})
int: CASE WHEN {cond} THEN {int} ELSE {int} END
int: CASE {int} WHEN 1 THEN {int} WHEN 2 THEN 0 ELSE -1 END
int: arraySum({ints})
int: {ints}[{place}]
int: indexOf({strs}, {str})
int: toInt32({number})
int: toUInt8({int})
int: toInt64({float})
int: CAST({num} AS Int16)
int: {int}::UInt32
int: greatest({int}, {int})
int: least({int}, {int})
int: arrayCount(x -> {cond|x:int}, {ints})
int: JSONExtractInt({json}, 'a')
int: coalesce({nint}, {int})
int: ifNull({nint}, {int})
int: {mapi}['a']
int: {tuple}.1
int: {named}.a
int: tupleElement({named}, 'a')
int: transform({int}, [1, 2], [10, 20], 0)
int: toUInt8OrZero({str})
int: assumeNotNull({nint})
int: bitShiftLeft({int}, 1)
int: sign({num})
int: ascii({str})
int: toInt8(toInt8({int}) + 1)
nint: ({nint} + {int})
nint: ({nint} * {nint})
nint: if({cond}, NULL, {int})
nint: if({cond}, {nint}, {int})
nint: length({nstr})
nint: nullIf({int}, {int})
nint: toInt32OrNull({str})
nint: {nints}[{place}]
nint: multiIf({cond}, {nint}, {cond}, 1, NULL)
nint: CASE WHEN {cond} THEN {int} END
nint: toMonth({ndate})
nint: greatest({nint}, {int})
nint: CAST({nint} AS Nullable(Int64))
float: ({num} / {num})
float: ({float} + {num})
float: ({float} * {num})
float: ({num} - {float})
float: round({num}, 2)
float: floor({float})
float: ceil({float})
float: sqrt(abs({num}))
float: pow({num}, 2)
float: exp(0 - abs({num}))
float: if({cond}, {float}, {num})
float: toFloat64({number})
float: toFloat32({int})
float: arrayAvg({ints})
float: arraySum({floats})
float: greatest({float}, {num})
float: JSONExtractFloat({json}, 'a')
float: ifNull({nfloat}, {float})
float: {floats}[{place}]
nfloat: ({nfloat} * {num})
nfloat: ({nint} / {int})
nfloat: round({nfloat}, 1)
nfloat: toFloat64OrNull({str})
nfloat: if({cond}, {nfloat}, {float})
nfloat: coalesce({nfloat}, {nfloat})
nfloat: nullIf({float}, 0)
dec: ({dec} + {intdec})
dec: ({dec} - {dec})
dec: ({dec} * {intdec})
dec: round({dec}, 1)
dec: if({cond}, {dec}, {dec})
dec: -{dec}
dec: abs({dec})
dec: toDecimal64({int}, 2)
dec: CAST({dec} AS Decimal(18, 2))
ndec: ({ndec} + {dec})
ndec: if({cond}, {dec}, NULL)
ndec: nullIf({dec}, {dec})
bool: CAST({cond} AS Bool)
bool: if({cond}, {bool}, {bool})
bool: not {bool}
str: concat({str}, {str})
str: {str} || {text}
str: upper({str})
str: substring({str}, {place}, 3)
str: substringUTF8({str}, 1, 2)
str: toString({scalar})
str: toString({array})
str: if({cond}, {str}, {str})
str: if({cond}, {str}, {lc})
str: multiIf({cond}, {str}, {cond}, {lc}, {fixed})
str: replaceAll({str}, 'a', {str})
str: formatDateTime({moment}, '%Y-%m-%d %H')
str: arrayStringConcat({strs}, '-')
str: {strs}[{place}]
str: coalesce({nstr}, {str})
str: ifNull({nstr}, 'none')
str: {maps}['a']
str: {tuple}.2
str: {named}.b
str: JSONExtractString({json}, 'b')
str: JSONExtractRaw({json}, 'c')
str: extract({str}, '[0-9]+')
str: trim({str})
str: toTypeName({any})
str: leftPad({str}, 5, '*')
str: splitByChar(',', {str})[1]
str: CASE {lc} WHEN 'a' THEN {str} ELSE 'other' END
str: CAST({enum} AS String)
str: lower({fixed})
str: repeat({str}, 2)
str: reverse({str})
str: transform({str}, ['a', 'b'], ['A', {str}], 'other')
nstr: if({cond}, {nstr}, {str})
nstr: concat({nstr}, {str})
nstr: upper({nstr})
nstr: nullIf({str}, {str})
nstr: toString({nint})
nstr: if({cond}, NULL, {str})
nstr: CASE WHEN {cond} THEN {str} END
nstr: JSONExtract({json}, 'b', 'Nullable(String)')
lc: upper({lc})
lc: if({cond}, {lc}, {lc})
lc: concat({lc}, '!')
lc: toLowCardinality({str})
lc: CAST({str} AS LowCardinality(String))
nlc: if({cond}, {lc}, NULL)
nlc: lower({nlc})
nlc: nullIf({lc}, 'a')
fixed: if({cond}, {fixed}, {fixed})
enum: if({cond}, {enum}, {enum})
enum: CAST({lc} = 'a' ? 'a' : 'b' AS Enum8('a' = -1, 'b' = 0, 'c' = 5))
date: ({date} + {small})
date: ({date} - INTERVAL {small} DAY)
date: toDate({dt})
date: toStartOfMonth({day})
date: addMonths({date}, {small})
date: toMonday({day})
date: toStartOfWeek({day})
date: toStartOfQuarter({day})
date: if({cond}, {date}, {date})
date: greatest({date}, {date})
date: {dates}[{place}]
date: ifNull({ndate}, {date})
date: toLastDayOfMonth({day})
ndate: if({cond}, {date}, NULL)
ndate: toDateOrNull({str})
ndate: addDays({ndate}, {small})
ndate: toStartOfMonth({ndate})
date32: addDays({date32}, {small})
date32: if({cond}, {date32}, {date})
dt: toDateTime({date})
dt: toStartOfHour({dt})
dt: toStartOfDay({day})
dt: ({dt} + INTERVAL {small} {unit})
dt: toStartOfInterval({dt}, INTERVAL 15 MINUTE)
dt: ({dt} + {small})
dt: ({date} + INTERVAL {small} HOUR)
dt: greatest({dt}, {dt})
dt: if({cond}, {dt}, {dt})
dt: toTimeZone({dt}, 'Asia/Tokyo')
dt: addMinutes({dt}, {small})
ndt: if({cond}, {dt}, NULL)
ndt: ({ndt} + INTERVAL {small} {unit})
ndt: toDateTimeOrNull({str})
dt64: ({dt64} + INTERVAL {small} SECOND)
dt64: toStartOfSecond({dt64})
dt64: toDateTime64({dt}, 3)
dt64: if({cond}, {dt64}, {dt64})
dt64: addDays({dt64}, {small})
uuid: if({cond}, {uuid}, {uuid})
ip: if({cond}, {ip}, {ip})
cond: ({int} > {num})
cond: ({number} <= {number})
cond: ({int} = {number})
cond: ({text} = {text})
cond: ({nint} = {int})
cond: ({nint} != {nint})
cond: ({nstr} != {str})
cond: ({date} >= '2024-02-01')
cond: ({dt} < {dt})
cond: ({time} > {time})
cond: ({date} = toDate({dt}))
cond: ({enum} = 'a')
cond: ({enum} < {enum})
cond: ({cond} AND {cond})
cond: ({cond} OR {cond})
cond: ({cond} AND {nint})
cond: ({cond} OR {nint})
cond: xor({cond}, {cond})
cond: NOT {cond}
cond: {bool}
cond: {int} IN (0, 2, 6)
cond: {int} NOT IN (1, 3)
cond: {nint} IN (1, 2, NULL)
cond: {nint} NOT IN (1, 2)
cond: {text} IN ('a', 'b', '')
cond: {text} NOT IN ('a')
cond: ({int}, {str}) IN ((1, 'a'), (2, 'b'))
cond: {date} IN ('2024-02-29', '2024-01-01')
cond: {enum} IN ('a', 'c')
cond: isNull({optional})
cond: {optional} IS NOT NULL
cond: {str} LIKE '%a%'
cond: {text} ILIKE 'A%'
cond: match({str}, '^[a-z]+')
cond: has({strs}, {str})
cond: has({ints}, {int})
cond: hasAny({strs}, ['a', 'b'])
cond: empty({str})
cond: notEmpty({array})
cond: {int} BETWEEN {int} AND {int}
cond: arrayExists(x -> {cond|x:int}, {ints})
cond: arrayAll(x -> {cond|x:str}, {strs})
cond: startsWith({str}, 'a')
cond: has({mapi}, 'a')
cond: ({tuple} = (1, 'a'))
cond: ({ints} = [1, 2])
cond: {dec} > {num}
cond: {uuid} = toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba1')
cond: ({fixed} = {str})
cond: isNaN({float})
ints: arrayMap(x -> {int|x:int}, {ints})
ints: arrayFilter(x -> {cond|x:int}, {ints})
ints: arraySort({ints})
ints: arrayReverseSort({ints})
ints: arraySort(x -> {int|x:int}, {ints})
ints: arrayConcat({ints}, {ints})
ints: arrayDistinct({ints})
ints: arrayMap(x -> length(x), {strs})
ints: arrayMap((x, y) -> x + y, {ints}, arrayReverse({ints}))
ints: arraySlice({ints}, {place}, 2)
ints: arrayPushBack({ints}, {int})
ints: arrayEnumerate({array})
ints: [{int}, {int}]
ints: mapValues({mapi})
ints: if({cond}, {ints}, {ints})
ints: arrayCumSum({ints})
nints: [{nint}, {int}]
nints: arrayMap(x -> {nint|x:int}, {ints})
nints: arrayFilter(x -> x IS NOT NULL, {nints})
strs: arrayMap(x -> {str|x:str}, {strs})
strs: arrayMap(x -> toString(x), {ints})
strs: arrayFilter(x -> {cond|x:str}, {strs})
strs: mapKeys({mapi})
strs: arrayReverse({strs})
strs: splitByChar('a', {str})
strs: [{str}, {str}]
strs: arraySort(arrayDistinct({strs}))
strs: [{lc}, {str}]
floats: arrayMap(x -> {float|x:int}, {ints})
floats: [{float}, {num}]
dates: [{date}, {date}]
dates: arrayMap(x -> ({date} + x), {ints})
mapi: map('a', {int}, 'b', {int})
mapi: mapFilter((k, v) -> v > 0, {mapi})
mapi: if({cond}, {mapi}, {mapi})
maps: map('a', {str})
tuple: ({int}, {str})
tuple: if({cond}, {tuple}, {tuple})
named: CAST(({int}, {str}) AS Tuple(a Int32, b String))
agg_int: count()
agg_int: count({optional})
agg_int: countIf({cond})
agg_int: sum({int})
agg_int: sumIf({int}, {cond})
agg_int: uniqExact({scalar})
agg_int: uniq({key})
agg_int: count(DISTINCT {key})
agg_int: min({int})
agg_int: max({int})
agg_int: maxIf({int}, {cond})
agg_int: sum({cond})
agg_int: length(groupArray({scalar}))
agg_int: ({agg_int} + {agg_int})
agg_int: ({agg_int} - 1)
agg_int: if({agg_int} > 2, {agg_int}, 0)
agg_int: sum(length({str}))
agg_int: argMax({int}, {order})
agg_int: argMin({int}, {order})
agg_int: groupBitOr({int})
agg_int: sumArray({ints})
agg_int: uniqArray({ints})
agg_int: sumOrDefault({int})
agg_int: sumDistinct({int})
agg_nint: sum({nint})
agg_nint: max({nint})
agg_nint: min({nint})
agg_nint: sumOrNull({int})
agg_nint: minIf({nint}, {cond})
agg_nint: maxOrNull({int})
agg_nint: argMax({nint}, {order})
agg_float: avg({int})
agg_float: avg({float})
agg_float: avg({nint})
agg_float: avgIf({num}, {cond})
agg_float: sum({float})
agg_float: sum({nfloat})
agg_float: stddevPop({int})
agg_float: varSamp({int})
agg_float: quantile(0.5)({int})
agg_float: median({int})
agg_float: quantileExact(0.9)({int})
agg_float: ({agg_int} / {agg_int})
agg_float: round({agg_float}, 3)
agg_str: min({str})
agg_str: max({str})
agg_str: argMax({str}, {order})
agg_str: toString({agg_int})
agg_str: arrayStringConcat(arraySort(groupUniqArray({str})), ',')
agg_any: min({scalar})
agg_any: max({scalar})
agg_any: sum({dec})
agg_any: avg({dec})
agg_any: max({dt})
agg_any: min({date})
agg_any: max({lc})
agg_any: argMin({scalar}, {order})
agg_any: any({const})
agg_any: max({nlc})
agg_array: arraySort(groupArray({int}))
agg_array: arraySort(groupUniqArray({key}))
agg_array: arraySort(groupArrayIf({str}, {cond}))
agg_array: quantiles(0.25, 0.75)({int})
agg_array: sumForEach([{int}, {int}])
agg_array: arraySort(groupArray({nint}))
agg_array: groupArraySorted(3)({int})
win_int: row_number() OVER ({over})
win_int: rank() OVER (ORDER BY {key})
win_int: dense_rank() OVER (PARTITION BY {key} ORDER BY {int})
win_int: count() OVER ({part})
win_int: sum({int}) OVER ({over})
win_int: sum({int}) OVER ({over} ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)
win_int: sum({int}) OVER ({over} ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)
win_int: max({int}) OVER ({part})
win_int: lagInFrame({int}) OVER ({over})
win_int: leadInFrame({int}, 1, {int}) OVER ({over} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
win_int: lag({int}, 1) OVER ({over})
win_int: count({optional}) OVER ({part})
win_int: sum({int}) OVER (ORDER BY {int} RANGE BETWEEN 2 PRECEDING AND CURRENT ROW)
win_int: ntile(3) OVER ({over})
win_float: avg({num}) OVER ({part})
win_float: avg({nint}) OVER ({over})
win_float: ({int} / sum({int}) OVER ({part}))
win_any: max({scalar}) OVER ({part})
win_any: first_value({scalar}) OVER ({over})
win_any: last_value({scalar}) OVER ({over} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
win_any: min({nstr}) OVER ({over})
win_any: lagInFrame({scalar}, 2) OVER ({over})
win_any: arraySort(groupArray({int}) OVER ({part}))
win_any: any({scalar}) OVER ({over})
win_any: nth_value({scalar}, 2) OVER ({over})
part: PARTITION BY {key}
part:
over: PARTITION BY {key} ORDER BY {order}
over: ORDER BY {order}
over: PARTITION BY {key}, {key} ORDER BY {order} DESC
"""


def _parsed() -> dict[str, list[str]]:
    rules: dict[str, list[str]] = {}
    for line in _RULES.strip().split("\n"):
        kind, _, text = line.partition(":")
        rules.setdefault(kind, []).append(text.strip())
    return rules


RULES = _parsed()
