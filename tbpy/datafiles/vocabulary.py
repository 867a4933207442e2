"""The instructions of each kind of datafile, as one table that parser and formatter share.

Source: the behaviour of Tinybird's Forward command-line tool, recorded case by case.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import cache

from tbpy.datafiles.model import Kind


class Form(Enum):
    """How the argument of an instruction is read."""

    VALUE = auto()
    DESCRIPTION = auto()
    SQL = auto()
    SCHEMA = auto()
    INDEXES = auto()
    TOKEN = auto()
    TAGS = auto()
    NODE = auto()
    SHARED_WITH = auto()
    ENGINE = auto()
    IGNORED = auto()
    DEPRECATED = auto()
    INCLUDE = auto()


@dataclass(frozen=True, slots=True)
class Word:
    """`attribute` is the name a value is stored under; `block` says whether `WORD >` may open a block."""

    name: str
    form: Form
    attribute: str
    block: bool = False


_BLOCK_FORMS = {Form.DESCRIPTION, Form.SQL, Form.SCHEMA, Form.INDEXES, Form.TAGS, Form.SHARED_WITH, Form.ENGINE}
_SPECIAL = {
    "DESCRIPTION": Form.DESCRIPTION,
    "SQL": Form.SQL,
    "FORWARD_QUERY": Form.SQL,
    "SCHEMA": Form.SCHEMA,
    "INDEXES": Form.INDEXES,
    "TOKEN": Form.TOKEN,
    "TAGS": Form.TAGS,
    "NODE": Form.NODE,
    "SCOPE": Form.NODE,
    "SHARED_WITH": Form.SHARED_WITH,
    "INCLUDE": Form.INCLUDE,
}
_ALIASES = {"MODE": "copy_mode"}

_ACCEPTED = {
    Kind.DATASOURCE: """
        INCLUDE DESCRIPTION SCHEMA ENGINE ENGINE_SORTING_KEY ENGINE_PARTITION_KEY ENGINE_PRIMARY_KEY ENGINE_SAMPLING_KEY
        ENGINE_TTL ENGINE_VER ENGINE_IS_DELETED ENGINE_SIGN ENGINE_VERSION ENGINE_COLUMNS ENGINE_SETTINGS INDEXES TOKEN
        SHARED_WITH TAGS FORWARD_QUERY BACKFILL KAFKA_CONNECTION_NAME KAFKA_TOPIC KAFKA_GROUP_ID KAFKA_AUTO_OFFSET_RESET
        KAFKA_STORE_RAW_VALUE KAFKA_STORE_HEADERS KAFKA_KEY_FORMAT KAFKA_VALUE_FORMAT IMPORT_CONNECTION_NAME
        IMPORT_SCHEDULE IMPORT_BUCKET_URI IMPORT_FROM_TIMESTAMP IMPORT_FORMAT IMPORT_QUERY IMPORT_TABLE_ARN
        IMPORT_EXPORT_BUCKET PG_CONNECTION_NAME PG_TABLE""",
    Kind.PIPE: """
        INCLUDE DESCRIPTION TAGS TOKEN NODE SCOPE SQL TYPE DATASOURCE TARGET_DATASOURCE COPY_SCHEDULE COPY_MODE MODE
        DEPLOYMENT_METHOD FILTER EXPORT_CONNECTION_NAME EXPORT_BUCKET_URI EXPORT_FILE_TEMPLATE EXPORT_FORMAT
        EXPORT_COMPRESSION EXPORT_STRATEGY EXPORT_WRITE_STRATEGY EXPORT_SCHEDULE EXPORT_KAFKA_TOPIC""",
    Kind.CONNECTION: """
        INCLUDE DESCRIPTION TYPE KAFKA_BOOTSTRAP_SERVERS KAFKA_KEY KAFKA_SECRET KAFKA_SECURITY_PROTOCOL
        KAFKA_SASL_MECHANISM KAFKA_SCHEMA_REGISTRY_URL KAFKA_SSL_CA_PEM KAFKA_SASL_OAUTHBEARER_METHOD
        KAFKA_SASL_OAUTHBEARER_AWS_REGION KAFKA_SASL_OAUTHBEARER_AWS_ROLE_ARN KAFKA_SASL_OAUTHBEARER_AWS_EXTERNAL_ID
        S3_REGION S3_ARN S3_ACCESS_KEY S3_SECRET GCS_SERVICE_ACCOUNT_CREDENTIALS_JSON GCS_HMAC_ACCESS_ID GCS_HMAC_SECRET
        GCS_ACCESS_ID GCS_SECRET DYNAMODB_ARN DYNAMODB_REGION PG_HOST PG_PORT PG_USER PG_PASSWORD PG_DATABASE""",
}
_IGNORED = {
    Kind.DATASOURCE: "VERSION KAFKA_TARGET_PARTITIONS IMPORT_SERVICE IMPORT_EXTERNAL_DATASOURCE EXPORT_SERVICE",
    Kind.PIPE: "VERSION EXPORT_SERVICE",
    Kind.CONNECTION: "",
}
_DEPRECATED = {
    Kind.DATASOURCE: "SOURCE IMPORT_STRATEGY KAFKA_STORE_BINARY_HEADERS",
    Kind.PIPE: "",
    Kind.CONNECTION: "KAFKA_KEY_AVRO_DESERIALIZATION",
}


# What Tinybird Classic knows besides. Source: the recorded behaviour of its command-line tool, and public projects.
_CLASSIC_ENGINE = "JOIN_STRICTNESS JOIN_TYPE KEY_COLUMNS"
_CLASSIC_IGNORED = {
    Kind.DATASOURCE: """
        MAINTAINER CACHE SOURCE IMPORT_STRATEGY KAFKA_STORE_BINARY_HEADERS KAFKA_KEY_AVRO_DESERIALIZATION
        KAFKA_BOOTSTRAP_SERVERS KAFKA_KEY KAFKA_SECRET KAFKA_SCHEMA_REGISTRY_URL KAFKA_SASL_MECHANISM""",
    Kind.PIPE: "MAINTAINER CACHE TARGET_WORKSPACE TARGET_TOKEN",
}


@cache
def words(kind: Kind, classic: bool = False) -> dict[str, Word]:
    """Every instruction that is known in files of this kind, by its upper-case name."""
    return {**_forward_words(kind), **(_classic_words(kind) if classic and kind in _CLASSIC_IGNORED else {})}


def _classic_words(kind: Kind) -> dict[str, Word]:
    engine = [name for name in _ACCEPTED[Kind.DATASOURCE].split() if name.startswith("ENGINE")]
    engine += [f"ENGINE_{name}" for name in _CLASSIC_ENGINE.split()]
    ignored = {name: Word(name, Form.IGNORED, name.lower()) for name in _CLASSIC_IGNORED[kind].split()}
    query = {"IMPORT_QUERY": Word("IMPORT_QUERY", Form.VALUE, "import_query", block=True)}
    return {**{name: _word(name) for name in engine}, **(query if kind is Kind.DATASOURCE else {}), **ignored}


def _forward_words(kind: Kind) -> dict[str, Word]:
    accepted = {name: _word(name) for name in _ACCEPTED[kind].split()}
    ignored = {name: Word(name, Form.IGNORED, name.lower()) for name in _IGNORED[kind].split()}
    deprecated = {name: Word(name, Form.DEPRECATED, name.lower()) for name in _DEPRECATED[kind].split()}
    return {**accepted, **ignored, **deprecated}


def _word(name: str) -> Word:
    form = Form.ENGINE if name == "ENGINE" or name.startswith("ENGINE_") else _SPECIAL.get(name, Form.VALUE)
    block = form in _BLOCK_FORMS or name == "KAFKA_SSL_CA_PEM"
    return Word(name, form, _ALIASES.get(name, name.lower()), block)


_CLASSIC_JOIN = 'Tinybird Classic had it: write ENGINE "Join(<strictness>, <type>, <key column>)" instead.'
CLASSIC_HINTS = {
    "ENGINE_JOIN_STRICTNESS": _CLASSIC_JOIN,
    "ENGINE_JOIN_TYPE": _CLASSIC_JOIN,
    "ENGINE_KEY_COLUMNS": _CLASSIC_JOIN,
    "INCLUDE": "INCLUDE belongs to Tinybird Classic: put the text of the included file here, with its $VARIABLES.",
    "MAINTAINER": "MAINTAINER belongs to Tinybird Classic: remove the line.",
    "CACHE": "CACHE belongs to Tinybird Classic: remove the line.",
    "ENGINE": "Tinybird Classic let a pipe describe its target: declare it in a .datasource file of its own.",
    "TARGET_WORKSPACE": "A copy writes to a data source of its own workspace: remove the line.",
    "TARGET_TOKEN": "A copy writes to a data source of its own workspace: remove the line.",
    "SOURCE": "Remove the line.",
    "IMPORT_STRATEGY": "Remove the line; a copy pipe with COPY_MODE replace rewrites a data source.",
    "KAFKA_STORE_BINARY_HEADERS": "Use KAFKA_STORE_HEADERS.",
    "KAFKA_KEY_AVRO_DESERIALIZATION": "Use KAFKA_KEY_FORMAT in the data source.",
    "S3_IAM_ROLE_ARN": "Use S3_ARN.",
    "S3_IAM_ROLE_REGION": "Use S3_REGION.",
}
