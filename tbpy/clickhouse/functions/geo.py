"""Geography: distances on the globe, geohashes, points in ellipses and polygons."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import integer, text
from tbpy.clickhouse.storage import field_names


def _numbers(call: Call, *positions: int) -> str:
    if not all(t.is_number(call.args[position].type) for position in positions):
        call.wrong_type()
    return ", ".join(f"CAST({call.sql(position)} AS DOUBLE)" for position in positions)


def _distance(name: str, udf: str) -> None:
    @scalar(name, args=4)
    def build(call: Call) -> Typed:
        if not any(arg.type == t.FLOAT64 for arg in call.args):
            call.unsupported("arguments of which none is a Float64")
        return call.typed(f"{call.context.udf(udf)}({_numbers(call, 0, 1, 2, 3)})", t.FLOAT64)


_distance("greatCircleDistance", "tb_great_circle_distance")
_distance("geoDistance", "tb_geo_distance")
_distance("greatCircleAngle", "tb_great_circle_angle")


@scalar("geohashEncode", args=(2, 3))
def geohash_encode(call: Call) -> Typed:
    size = integer(call, 2) if len(call.args) == 3 else "12"
    return call.typed(f"{call.context.udf('tb_geohash_encode')}({_numbers(call, 0, 1)}, {size})", t.STRING)


@scalar("geohashDecode")
def geohash_decode(call: Call) -> Typed:
    pair = f"{call.context.udf('tb_geohash_decode')}({text(call).sql})"
    sql = f"{{'longitude': {pair}[1], 'latitude': {pair}[2]}}"
    return call.typed(sql, t.Tuple((t.FLOAT64, t.FLOAT64), ("longitude", "latitude")))


@scalar("geohashesInBox", args=(4, 5))
def geohashes_in_box(call: Call) -> Typed:
    if not all(isinstance(arg.type, t.Float) for arg in call.args[:4]):
        call.wrong_type()
    size = integer(call, 4) if len(call.args) == 5 else "12"
    values = f"{_numbers(call, 0, 1, 2, 3)}, {size}"
    return call.typed(f"{call.context.udf('tb_geohashes_in_box')}({values})", t.Array(t.STRING))


@scalar("pointInEllipses", args=(6, None))
def point_in_ellipses(call: Call) -> Typed:
    if (len(call.args) - 2) % 4:
        call.wrong_count("2 + 4 * n")
    x, y, *rest = (f"CAST({arg.sql} AS DOUBLE)" for arg in call.args)
    tests = []
    for start in range(0, len(rest), 4):
        center_x, center_y, a, b = rest[start : start + 4]
        tests.append(f"(({x} - {center_x}) / {a}) ** 2 + (({y} - {center_y}) / {b}) ** 2 <= 1")
    return call.condition(f"({' OR '.join(tests)})")


@scalar("pointInPolygon", args=2)
def point_in_polygon(call: Call) -> Typed:
    point, polygon = call.args[0].type, call.args[1].type
    if not isinstance(point, t.Tuple) or len(point.items) != 2:
        call.wrong_type()
    if not isinstance(polygon, t.Array) or not isinstance(polygon.item, t.Tuple) or len(polygon.item.items) != 2:
        call.unsupported("polygons that are not one array of points")
    x, y = (f"CAST({call.sql(0)}['{name}'] AS DOUBLE)" for name in field_names(point))
    corners = ", ".join(f"CAST(e['{name}'] AS DOUBLE)" for name in field_names(polygon.item))
    points = f"list_transform({call.args[1].exact()}, lambda e: [{corners}])"
    return call.condition(f"{call.context.udf('tb_point_in_polygon')}({x}, {y}, {points})")
