//! The table of functions that are a name and arguments.
//!
//! A line is `name as "sql_name" (parameter: kind, ...)`; `as` is left out where both names are equal.
//! Kinds: `col` takes a column or the name of one, `lit` a Rust value, `cols` any number of columns.

use crate::{Column, IntoColumn, IntoLiteral};

macro_rules! parameter {
    (col) => { impl IntoColumn };
    (lit) => { impl IntoLiteral };
    (cols) => { impl IntoIterator<Item = impl IntoColumn> };
}

macro_rules! push {
    ($arguments:ident, $value:ident, col) => {
        $arguments.push($value.into_column())
    };
    ($arguments:ident, $value:ident, lit) => {
        $arguments.push($value.into_literal())
    };
    ($arguments:ident, $value:ident, cols) => {
        $arguments.extend($value.into_iter().map(IntoColumn::into_column))
    };
}

macro_rules! sql_name {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:ident, $sql:literal) => {
        $sql
    };
}

macro_rules! functions {
    ($($doc:literal $name:ident $(as $sql:literal)? ($($parameter:ident: $kind:ident),*);)*) => {$(
        #[doc = $doc]
        #[allow(unused_mut, clippy::vec_init_then_push, clippy::allow_attributes)]
        pub fn $name($($parameter: parameter!($kind)),*) -> Column {
            let mut arguments = Vec::new();
            $(push!(arguments, $parameter, $kind);)*
            Column::function(sql_name!($name $(, $sql)?), arguments)
        }
    )*};
}

functions! {
    // Aggregates
    "The number of rows where the column is not NULL; of all rows for `lit(1)`." count(column: col);
    "The sum of a column." sum(column: col);
    "The average of a column." avg(column: col);
    "The smallest value of a column." min(column: col);
    "The largest value of a column." max(column: col);
    "The value of one column in the row where another is largest." max_by(column: col, by: col);
    "The value of one column in the row where another is smallest." min_by(column: col, by: col);
    "The value of the first row of a group, in no certain order." first(column: col);
    "The value of the last row of a group, in no certain order." last(column: col);
    "All values of a column as an array, in no certain order." collect_list(column: col);
    "The different values of a column as an array, in no certain order." collect_set(column: col);
    "About how many different values a column has." approx_count_distinct(column: col);
    "The value below which this fraction (0 to 1) of the values lies." percentile(column: col, fraction: lit);
    "About the value below which this fraction (0 to 1) of the values lies." percentile_approx(column: col, fraction: lit, accuracy: lit);
    "The standard deviation of a sample." stddev(column: col);
    "The variance of a sample." variance(column: col);
    "Whether every value is true." bool_and(column: col);
    "Whether any value is true." bool_or(column: col);
    "The number of rows for which the condition holds." count_if(condition: col);
    "1 for a column that a row of `rollup` or `cube` sums over, else 0." grouping(column: col);

    // Windows
    "The number of a row in its window, from 1." row_number();
    "The rank of a row in its window, with gaps after ties." rank();
    "The rank of a row in its window, without gaps." dense_rank();
    "The value some rows later in the window." lead(column: col, offset: lit);
    "The value some rows earlier in the window." lag(column: col, offset: lit);
    "The part (from 1) of the window, cut in `parts` equal parts, that a row is in." ntile(parts: lit);

    // NULL and conditions
    "The first of the columns that is not NULL." coalesce(columns: cols);
    "The first column, or the second where the first is NULL." ifnull(column: col, otherwise: col);
    "The first column, or NULL where it equals the second." nullif(column: col, other: col);
    "Whether a column is NULL." isnull(column: col);
    "The largest of the columns in a row, NULL not counted." greatest(columns: cols);
    "The smallest of the columns in a row, NULL not counted." least(columns: cols);
    "Fails the query with a message." raise_error(message: lit);
    "Fails the query with a message unless the condition holds." assert_true(condition: col, message: lit);

    // Numbers
    "Without the sign." abs(column: col);
    "The smallest integer not below." ceil(column: col);
    "The largest integer not above." floor(column: col);
    "Rounded half up to this many decimal places." round(column: col, scale: lit);
    "Rounded half to even to this many decimal places." bround(column: col, scale: lit);
    "The square root." sqrt(column: col);
    "A number to a power." pow as "power" (base: col, exponent: col);
    "e to a power." exp(column: col);
    "The natural logarithm." ln(column: col);
    "The remainder that is never negative." pmod(dividend: col, divisor: col);
    "-1, 0 or 1." signum(column: col);
    "A random number from 0 to 1, by a seed." rand(seed: lit);
    "Digits of a number in another base." conv(column: col, from_base: lit, to_base: lit);
    "A number as hexadecimal text." hex(column: col);
    "Bytes from hexadecimal text." unhex(column: col);

    // Texts
    "In capital letters." upper(column: col);
    "In small letters." lower(column: col);
    "Without spaces at both ends." trim(column: col);
    "Without spaces at the left end." ltrim(column: col);
    "Without spaces at the right end." rtrim(column: col);
    "The number of characters of a text or bytes of a binary." length(column: col);
    "Texts or arrays put together, NULL if one is NULL." concat(columns: cols);
    "Texts put together with a separator, NULL left out." concat_ws(separator: lit, columns: cols);
    "Texts and values put together by a format as of `printf`." format_string(format: lit, columns: cols);
    "A part of a text from a position counted from 1." substring(column: col, position: lit, length: lit);
    "The parts of a text between matches of a Java regular expression; `limit` -1 for all." split(column: col, pattern: lit, limit: lit);
    "All matches of a Java regular expression replaced." regexp_replace(column: col, pattern: lit, replacement: lit);
    "A group of the first match of a Java regular expression, empty without a match." regexp_extract(column: col, pattern: lit, group: lit);
    "Filled up at the left to a length." lpad(column: col, length: lit, pad: lit);
    "Filled up at the right to a length." rpad(column: col, length: lit, pad: lit);
    "The position of a text in a column, from 1, or 0." instr(column: col, text: lit);
    "Characters replaced one by one." translate(column: col, matching: lit, replacement: lit);
    "Bytes as base64 text." base64(column: col);
    "Bytes from base64 text." unbase64(column: col);
    "Text as bytes in a character set." encode(column: col, charset: lit);
    "Bytes as text from a character set." decode(column: col, charset: lit);
    "The MD5 digest as hexadecimal text." md5(column: col);
    "The SHA-2 digest of that many bits as hexadecimal text." sha2(column: col, bits: lit);
    "A 64-bit hash of the columns." xxhash64(columns: cols);
    "A random UUID for each row." uuid();

    // Dates and times
    "The date at the start of the query." current_date();
    "The time at the start of the query." current_timestamp();
    "The year." year(column: col);
    "The month, 1 to 12." month(column: col);
    "The quarter, 1 to 4." quarter(column: col);
    "The day of the month." dayofmonth(column: col);
    "The day of the week, 1 (Sunday) to 7." dayofweek(column: col);
    "The day of the year." dayofyear(column: col);
    "The ISO week of the year." weekofyear(column: col);
    "The hour." hour(column: col);
    "The minute." minute(column: col);
    "The second." second(column: col);
    "A date or time as text by a pattern such as `yyyy-MM-dd`." date_format(column: col, format: lit);
    "A time cut to a unit such as `hour`." date_trunc(unit: lit, column: col);
    "A date cut to a unit such as `month`." trunc(column: col, unit: lit);
    "A date that many days later." date_add(column: col, days: lit);
    "A date that many days earlier." date_sub(column: col, days: lit);
    "Days from the second date to the first." datediff(end: col, start: col);
    "The last day of a date's month." last_day(column: col);
    "A date that many months later." add_months(column: col, months: lit);
    "A date from text by a pattern." to_date(column: col, format: lit);
    "A time from text by a pattern." to_timestamp(column: col, format: lit);
    "A time from seconds since 1970." timestamp_seconds(column: col);
    "A time from milliseconds since 1970." timestamp_millis(column: col);
    "A time from microseconds since 1970." timestamp_micros(column: col);
    "Microseconds since 1970 of a time." unix_micros(column: col);
    "Milliseconds since 1970 of a time." unix_millis(column: col);
    "Seconds since 1970 of a time." unix_seconds(column: col);
    "A date from days since 1970." date_from_unix_date(column: col);
    "A date from year, month and day." make_date(year: col, month: col, day: col);
    "The window of a stream's time that a row falls into, for example of `10 minutes`." window(time: col, duration: lit);

    // Structs, arrays and maps
    "A struct of the columns." struct_ as "struct" (columns: cols);
    "A struct of alternating names and values." named_struct(columns: cols);
    "An array of the columns." array(columns: cols);
    "Whether an array holds a value." array_contains(column: col, value: lit);
    "The different elements of an array." array_distinct(column: col);
    "The elements of an array as one text." array_join(column: col, separator: lit);
    "The elements of an array in order." array_sort(column: col);
    "The elements of an array in order, ascending or not." sort_array(column: col, ascending: lit);
    "The elements of the first array that the second lacks." array_except(left: col, right: col);
    "The element of an array at a position counted from 1, or the value of a key of a map." element_at(column: col, key: lit);
    "The number of elements." size(column: col);
    "One row for each element." explode(column: col);
    "One row for each element, one row with NULL for none." explode_outer(column: col);
    "One row for each element, with its position from 0." posexplode(column: col);
    "An array of arrays as one array." flatten(column: col);
    "The integers from the first to the second." sequence(start: col, stop: col);
    "A part of an array from a position counted from 1." slice(column: col, start: lit, length: lit);
    "The keys of a map." map_keys(column: col);
    "The values of a map." map_values(column: col);
    "A map from an array of keys and one of values." map_from_arrays(keys: col, values: col);
    "A map from an array of structs of key and value." map_from_entries(column: col);
    "The maps put together." map_concat(columns: cols);

    // Others
    "The value at a JSON path of a text." get_json_object(column: col, path: lit);
    "Numbers that grow with the rows of each partition." monotonically_increasing_id();
    "The number of the partition of a row." spark_partition_id();
    "The file a row was read from." input_file_name();
    "The type of a column as text." typeof_ as "typeof" (column: col);
}
