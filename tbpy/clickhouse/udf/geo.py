"""Distances on the globe as ClickHouse computes them, with its tables and their linear interpolation, and geohashes.

Source: the published method of ClickHouse's geo functions, held to recorded answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from tbpy.clickhouse.udf import Udf

_DIAMETER = 2 * 6371007.180918474
_SIZE = 1024
_ASIN_SIZE = 512
_DIGITS = "0123456789bcdefghjkmnpqrstuvwxyz"
_LATITUDES = tuple(i * (math.pi / _SIZE) - math.pi / 2 for i in range(_SIZE + 1))
_COS = tuple(math.cos(2 * math.pi * i / _SIZE) for i in range(_SIZE + 1))
_ASIN_SQRT = tuple(math.asin(math.sqrt(i / _ASIN_SIZE)) for i in range(_ASIN_SIZE + 1))
_DEGREE = _DIAMETER * math.pi / 360


def _wgs84_latitude(latitude: float) -> float:
    """Metres in a degree of latitude, squared."""
    return (111132.09 - 566.05 * math.cos(2 * latitude) + 1.20 * math.cos(4 * latitude)) ** 2


def _wgs84_longitude(latitude: float) -> float:
    cosines = (math.cos(latitude), math.cos(3 * latitude), math.cos(5 * latitude))
    return (111415.13 * cosines[0] - 94.55 * cosines[1] + 0.12 * cosines[2]) ** 2


_SPHERE = tuple((_DEGREE * math.cos(latitude)) ** 2 for latitude in _LATITUDES)
_ANGLE = tuple(math.cos(latitude) ** 2 for latitude in _LATITUDES)
_WGS84 = tuple(map(_wgs84_latitude, _LATITUDES)), tuple(map(_wgs84_longitude, _LATITUDES))


def _fast_cos(angle: float) -> float:
    place = abs(angle) * (_SIZE / (2 * math.pi))
    index = int(place)
    part = place - index
    index &= _SIZE - 1
    return _COS[index] + (_COS[index + 1] - _COS[index]) * part


def _fast_sin(angle: float) -> float:
    place = abs(angle) * (_SIZE / (2 * math.pi))
    index = int(place)
    part = place - index
    index = (index - _SIZE // 4) & (_SIZE - 1)
    return _COS[index] + (_COS[index + 1] - _COS[index]) * part


def _asin_sqrt(value: float) -> float:
    if value < 0.122:
        y = math.sqrt(value)
        return y + value * y * 0.166666666666666 + value**2 * y * 0.075 + value**3 * y * 0.044642857142857
    if value < 0.948:
        value *= _ASIN_SIZE
        index = int(value)
        return _ASIN_SQRT[index] + (_ASIN_SQRT[index + 1] - _ASIN_SQRT[index]) * (value - index)
    return math.asin(math.sqrt(min(value, 1.0)))


def _difference(one: float, other: float) -> float:
    """Of two angles in degrees, the shorter way around."""
    degrees = abs(one - other)
    return 360 - degrees if degrees > 180 else degrees


Metric = Callable[[int, float], tuple[float, float]]  # squared lengths of a degree of latitude and of longitude


def _between(table: tuple[float, ...], index: int, part: float) -> float:
    return table[index] + (table[index + 1] - table[index]) * part


def _distance(lon1: float, lat1: float, lon2: float, lat2: float, metric: Metric, factor: float) -> float:
    if not all(map(math.isfinite, (lon1, lat1, lon2, lat2))):
        return math.nan
    lat_diff, lon_diff = _difference(lat1, lat2), _difference(lon1, lon2)
    if lon_diff < 13:
        place = (lat1 + lat2 + 180) * _SIZE / 360
        index = int(place)
        of_lat, of_lon = metric(index & (_SIZE - 1), place - index)
        return math.sqrt(of_lat * lat_diff**2 + of_lon * lon_diff**2)
    radians = math.pi / 180
    across = _fast_cos(lat1 * radians) * _fast_cos(lat2 * radians) * _fast_sin(lon_diff * radians / 2) ** 2
    return factor * _asin_sqrt(_fast_sin(lat_diff * radians / 2) ** 2 + across)


def great_circle_distance(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Metres on a sphere."""

    def metric(index: int, part: float) -> tuple[float, float]:
        return _DEGREE**2, _between(_SPHERE, index, part)

    return _distance(lon1, lat1, lon2, lat2, metric, _DIAMETER)


def geo_distance(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Metres on the WGS-84 ellipsoid where the points are close, on a sphere where they are far."""

    def metric(index: int, part: float) -> tuple[float, float]:
        return _between(_WGS84[0], index, part), _between(_WGS84[1], index, part)

    return _distance(lon1, lat1, lon2, lat2, metric, _DIAMETER)


def great_circle_angle(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Degrees at the centre of a sphere."""

    def metric(index: int, part: float) -> tuple[float, float]:
        return 1.0, _between(_ANGLE, index, part)

    return _distance(lon1, lat1, lon2, lat2, metric, 360 / math.pi)


# --- geohashes --------------------------------------------------------------------------------------------------------


def geohash_encode(longitude: float, latitude: float, size: int) -> str:
    """So many letters, 12 where that is not 1 to 12. Coordinates outside of the globe are brought to its edge."""
    size = size if 1 <= size <= 12 else 12
    bits = size * 5
    lon_bits, lat_bits = (bits + 1) // 2, bits // 2
    lon, lat = _cell(longitude, 180.0, lon_bits), _cell(latitude, 90.0, lat_bits)
    mixed = 0
    for position in range(bits):
        source, width = (lon, lon_bits) if position % 2 == 0 else (lat, lat_bits)
        mixed = mixed << 1 | source >> (width - 1 - position // 2) & 1
    return "".join(_DIGITS[mixed >> (bits - 5 * place) & 31] for place in range(1, size + 1))


def _cell(value: float, most: float, bits: int) -> int:
    share = (min(max(value, -most), most) + most) / (2 * most)
    return min(int(share * (1 << bits)), (1 << bits) - 1)


def _cells(low: float, high: float, most: float, bits: int) -> range:
    """The cells of a line between two values; one that only ends in the higher value is the last."""
    first, last = _cell(low, most, bits), _cell(high, most, bits)
    ends_before = last > first and last * (2 * most) / (1 << bits) - most == high
    return range(first, last + (not ends_before))


def geohash_decode(text: str) -> list[float]:
    """Longitude and latitude of the middle of a cell; (0, 0) of nothing."""
    bounds = [[-180.0, 180.0], [-90.0, 90.0]]
    if not text:
        return [0.0, 0.0]
    position = 0
    for char in text[:12].lower():
        digit = _DIGITS.index(char)
        for shift in (4, 3, 2, 1, 0):
            axis = bounds[position % 2]
            axis[1 - (digit >> shift & 1)] = (axis[0] + axis[1]) / 2
            position += 1
    return [(low + high) / 2 for low, high in bounds]


def geohashes_in_box(low_lon: float, low_lat: float, high_lon: float, high_lat: float, size: int) -> list[str]:
    """The cells that cover a box, column after column from the west. Raises ValueError for more than 10,000,000."""
    if low_lon > high_lon or low_lat > high_lat:
        return []
    size = size if 1 <= size <= 12 else 12
    lon_bits, lat_bits = (size * 5 + 1) // 2, size * 5 // 2
    columns = _cells(low_lon, high_lon, 180.0, lon_bits)
    rows = _cells(low_lat, high_lat, 90.0, lat_bits)
    if len(columns) * len(rows) > 10_000_000:
        raise ValueError("Function geohashesInBox would produce too many cells")
    width, height = 360 / (1 << lon_bits), 180 / (1 << lat_bits)
    return [
        geohash_encode((column + 0.5) * width - 180, (row + 0.5) * height - 90, size)
        for column in columns
        for row in rows
    ]


def point_in_polygon(x: float, y: float, corners: list[list[float]]) -> bool:
    """By crossings of a ray. Raises ValueError for a point on the edge, where ClickHouse's answer is open."""
    inside = False
    for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        cross = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
        if cross == 0 and min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
            raise ValueError("Function pointInPolygon of a point on the edge is not supported by tbpy yet")
        if (y1 > y) != (y2 > y) and (cross > 0) == (y2 > y1):
            inside = not inside
    return inside


_POINTS = ("DOUBLE",) * 4

FUNCTIONS: dict[str, Udf] = {
    "tb_great_circle_distance": Udf(great_circle_distance, _POINTS, "DOUBLE"),
    "tb_geo_distance": Udf(geo_distance, _POINTS, "DOUBLE"),
    "tb_great_circle_angle": Udf(great_circle_angle, _POINTS, "DOUBLE"),
    "tb_geohash_encode": Udf(geohash_encode, ("DOUBLE", "DOUBLE", "BIGINT"), "VARCHAR"),
    "tb_geohash_decode": Udf(geohash_decode, ("VARCHAR",), "DOUBLE[]"),
    "tb_geohashes_in_box": Udf(geohashes_in_box, (*_POINTS, "BIGINT"), "VARCHAR[]"),
    "tb_point_in_polygon": Udf(point_in_polygon, ("DOUBLE", "DOUBLE", "DOUBLE[][]"), "BOOLEAN"),
}
