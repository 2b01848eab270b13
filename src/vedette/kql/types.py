"""The scalar types of KQL and how a value of each is represented inside a query.

| type     | literal value in the plan           | SQL representation (DuckDB)              | null |
|----------|-------------------------------------|------------------------------------------|------|
| bool     | bool                                | BOOLEAN                                  | yes  |
| int      | int (32 bit)                        | INTEGER                                  | yes  |
| long     | int (64 bit, wraps)                 | BIGINT                                   | yes  |
| real     | float                               | DOUBLE                                   | yes  |
| decimal  | decimal.Decimal                     | VARCHAR, an ordered text (kql.decimals)  | yes  |
| string   | str                                 | VARCHAR                                  | never: "" |
| datetime | int, ticks of 100 ns since year 1   | BIGINT                                   | yes  |
| timespan | int, ticks of 100 ns                | BIGINT                                   | yes  |
| guid     | str, lower case with hyphens        | UUID                                     | yes  |
| dynamic  | str, JSON text                      | JSON                                     | yes  |

A string expression is never NULL in emitted SQL: whoever introduces NULLs (outer joins, missing columns, JSON access)
replaces them there, so that nobody downstream has to.
"""

import enum


class ScalarType(enum.StrEnum):
    """A scalar type, by its KQL name."""

    BOOL = "bool"
    INT = "int"
    LONG = "long"
    REAL = "real"
    DECIMAL = "decimal"
    STRING = "string"
    DATETIME = "datetime"
    TIMESPAN = "timespan"
    GUID = "guid"
    DYNAMIC = "dynamic"
