"""The configurations that are compared: Debezium's settings, what means the same here, and tables left out."""

#: What is the default there and a choice here.
LIKE_DEBEZIUM = """
[events]
skip = ["t"]
[types]
unknown_as_text = false
"""

VARIANTS = {
    "defaults": ({}, LIKE_DEBEZIUM, []),
    "texts": (
        {"decimal.handling.mode": "string", "time.precision.mode": "isostring", "binary.handling.mode": "base64",
         "interval.handling.mode": "string", "hstore.handling.mode": "map"},
        LIKE_DEBEZIUM + 'decimal = "string"\ntime = "isostring"\nbinary = "base64"\ninterval = "string"\nhstore = "map"\n',
        # Debezium has null for bytes that an update left alone, which cannot be told from a null.
        ["public.toasted"],
    ),
    "connect": (
        {"decimal.handling.mode": "double", "time.precision.mode": "connect", "binary.handling.mode": "hex"},
        LIKE_DEBEZIUM + 'decimal = "double"\ntime = "connect"\nbinary = "hex"\n',
        [],
    ),
    "nanoseconds": (
        {"time.precision.mode": "nanoseconds", "binary.handling.mode": "base64-url-safe"},
        LIKE_DEBEZIUM + 'time = "nanoseconds"\nbinary = "base64-url-safe"\n',
        # Debezium stops at the delete of a row whose timestamp has no default, and turns times that nanoseconds do not
        # reach into others.
        ["public.toasted", "public.no_defaults", "public.infinite_times", "public.times"],
    ),
    "microseconds": ({"time.precision.mode": "microseconds"}, LIKE_DEBEZIUM + 'time = "microseconds"\n', []),
    "time_microseconds": (
        {"time.precision.mode": "adaptive_time_microseconds"},
        LIKE_DEBEZIUM + 'time = "adaptive_time_microseconds"\n',
        [],
    ),
}
