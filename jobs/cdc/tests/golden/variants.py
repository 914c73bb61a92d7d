"""The configurations that are compared: Debezium's settings, what means the same here, and tables left out."""

#: What is the default there and a choice here.
LIKE_DEBEZIUM = """
[events]
skip = ["t"]
[types]
unknown_as_text = false
"""

#: Logical messages go to a topic there by default.
NO_MESSAGES = {"message.prefix.exclude.list": ".*"}

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
    "transforms": (
        {"column.exclude.list": "public.texts.x,public.numbers.f4,public.numbers.i2n",
         "column.mask.hash.v2.SHA-256.with.salt.pepper": "public.texts.t,public.texts.tn", "column.truncate.to.2.chars": "public.texts.v",
         "column.mask.with.5.chars": "public.texts.v9", "message.key.columns": "public.no_key:a;public.whole:v,id"},
        LIKE_DEBEZIUM + """
[columns]
exclude = ["public.texts.x", "public.numbers.f4", "public.numbers.i2n"]
[[columns.mask]]
columns = "public.texts.{t,tn}"
hash_salt_env = "GOLDEN_SALT"
[[columns.mask]]
columns = "public.texts.v"
truncate = 2
[[columns.mask]]
columns = "public.texts.v9"
stars = 5
[tables.keys]
"public.no_key" = ["a"]
"public.whole" = ["v", "id"]
""",
        [],
    ),
    "transactions": ({"provide.transaction.metadata": "true"}, LIKE_DEBEZIUM.replace("[events]", "[events]\ntransactions = true"), []),
    "microseconds": ({"time.precision.mode": "microseconds"}, LIKE_DEBEZIUM + 'time = "microseconds"\n', []),
    "messages": (
        {"message.prefix.include.list": "app.*", "binary.handling.mode": "hex"},
        LIKE_DEBEZIUM.replace("[events]", '[events]\nmessages = ["app*"]') + 'binary = "hex"\n',
        [],
    ),
    "time_microseconds": (
        {"time.precision.mode": "adaptive_time_microseconds"},
        LIKE_DEBEZIUM + 'time = "adaptive_time_microseconds"\n',
        [],
    ),
}
