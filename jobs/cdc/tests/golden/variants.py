"""The configurations that are compared: Debezium's settings, and what means the same here."""

#: What is the default there and a choice here.
LIKE_DEBEZIUM = """
[events]
skip = ["t"]
[types]
unknown_as_text = false
"""

VARIANTS = {
    "defaults": ({}, LIKE_DEBEZIUM),
    "texts": (
        {"decimal.handling.mode": "string", "time.precision.mode": "isostring", "binary.handling.mode": "base64",
         "interval.handling.mode": "string", "hstore.handling.mode": "map"},
        LIKE_DEBEZIUM + """decimal = "string"
time = "isostring"
binary = "base64"
interval = "string"
hstore = "map"
""",
    ),
    "connect": (
        {"decimal.handling.mode": "double", "time.precision.mode": "connect", "binary.handling.mode": "hex"},
        LIKE_DEBEZIUM + """decimal = "double"
time = "connect"
binary = "hex"
""",
    ),
    "nanoseconds": (
        {"time.precision.mode": "nanoseconds", "binary.handling.mode": "base64-url-safe"},
        LIKE_DEBEZIUM + """time = "nanoseconds"
binary = "base64-url-safe"
""",
    ),
    "microseconds": ({"time.precision.mode": "microseconds"}, LIKE_DEBEZIUM + """time = "microseconds"
"""),
    "time_microseconds": ({"time.precision.mode": "adaptive_time_microseconds"}, LIKE_DEBEZIUM + """time = "adaptive_time_microseconds"
"""),
}
