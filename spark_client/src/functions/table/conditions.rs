//! NULL, NaN and conditions.

functions! {
    "1.4.0" "The first of the columns that is not NULL."
    coalesce(columns: cols);
    "3.5.0" "The first column, or the second where the first is NULL."
    ifnull(column: col, otherwise: col);
    "1.6.0" "The first column, or the second where the first is NaN."
    nanvl(column: col, otherwise: col);
    "3.5.0" "The first column, or NULL where it equals the second."
    nullif(column: col, other: col);
    "4.0.0" "The column, or NULL where it is zero."
    nullifzero(column: col);
    "3.5.0" "The first column, or the second where the first is NULL."
    nvl(column: col, otherwise: col);
    "3.5.0" "The second column where the first is not NULL, else the third."
    nvl2(column: col, value: col, otherwise: col);
    "4.0.0" "The column, or zero where it is NULL."
    zeroifnull(column: col);
    "3.5.0" "Whether two columns are equal, where NULL equals NULL."
    equal_null(left: col, right: col);
    "3.5.0" "Whether a text matches a LIKE pattern in any case."
    ilike(text: col, pattern: col), ilike_with(escape_char: text);
    "1.6.0" "Whether a number is NaN."
    isnan(column: col);
    "3.5.0" "Whether a column is not NULL."
    isnotnull(column: col);
    "1.6.0" "Whether a column is NULL."
    isnull(column: col);
    "3.5.0" "Whether a text matches a LIKE pattern, with `%` and `_`."
    like(text: col, pattern: col), like_with(escape_char: text);
    "3.5.0" "Whether a part of a text matches a Java regular expression."
    regexp(text: col, regexp: col);
    "3.5.0" "Whether a part of a text matches a Java regular expression."
    regexp_like(text: col, regexp: col);
    "3.5.0" "Whether a part of a text matches a Java regular expression."
    rlike(text: col, regexp: col);
    "1.5.0" "The largest of the columns in a row, NULL not counted."
    greatest(columns: cols);
    "1.5.0" "The smallest of the columns in a row, NULL not counted."
    least(columns: cols);
    "3.1.0" "NULL where the condition holds; where it does not, the query fails, with this message."
    assert_true(condition: col), assert_true_with(message: text);
    "3.1.0" "Fails the query with a message."
    raise_error(message: text);
}
