//! Aggregates and windows.

functions! {
    "3.5.0" "Some value of a group; never NULL when NULL is to be ignored, unless all are."
    any_value(column: col), any_value_with(ignore_nulls: flag);
    "2.1.0" "About how many different values there are, within this relative standard deviation (0.05)."
    approx_count_distinct(column: col), approx_count_distinct_with(rsd: float);
    "3.5.0" "About the value below which this fraction (or each of an array of fractions) of the values lies; a higher accuracy costs memory."
    approx_percentile(column: col, percentage: float), approx_percentile_with(accuracy: int = 10000);
    "3.5.0" "All values of a group as an array, in no certain order."
    array_agg(column: col);
    "1.3.0" "The average."
    avg(column: col);
    "3.5.0" "The bits that all values have."
    bit_and(column: col);
    "3.5.0" "The bits that any value has."
    bit_or(column: col);
    "3.5.0" "The bits that an odd number of values have."
    bit_xor(column: col);
    "4.1.0" "The bits that all bitmaps of [`bitmap_construct_agg`] have."
    bitmap_and_agg(column: col);
    "3.5.0" "A bitmap of the positions, which `bitmap_bit_position` gives."
    bitmap_construct_agg(column: col);
    "3.5.0" "The bits that any bitmap of [`bitmap_construct_agg`] has."
    bitmap_or_agg(column: col);
    "3.5.0" "Whether every value is true."
    bool_and(column: col);
    "3.5.0" "Whether any value is true."
    bool_or(column: col);
    "1.6.0" "All values of a group as an array, in no certain order."
    collect_list(column: col);
    "1.6.0" "The different values of a group as an array, in no certain order."
    collect_set(column: col);
    "1.6.0" "The Pearson correlation of two columns."
    corr(left: col, right: col);
    "1.3.0" "The number of rows where the column is not NULL; of all rows for `lit(1)`."
    count(column: col);
    "3.5.0" "The number of rows for which the condition holds."
    count_if(condition: col);
    "2.0.0" "The covariance of the population."
    covar_pop(left: col, right: col);
    "2.0.0" "The covariance of a sample."
    covar_samp(left: col, right: col);
    "3.5.0" "Whether every value is true."
    every(column: col);
    "1.3.0" "The value of the first row of a group, in no certain order without a window; the first that is not NULL when NULL is to be ignored."
    first(column: col), first_with(ignore_nulls: flag = false);
    "3.5.0" "The value of the first row of a group or window; the first that is not NULL when NULL is to be ignored."
    first_value(column: col), first_value_with(ignore_nulls: flag);
    "2.0.0" "1 for a column that a row of `rollup` or `cube` sums over, else 0."
    grouping(column: col);
    "2.0.0" "The bits of [`grouping`] of the columns as one number."
    grouping_id(columns: cols);
    "1.6.0" "The kurtosis."
    kurtosis(column: col);
    "1.3.0" "The value of the last row of a group, in no certain order without a window; the last that is not NULL when NULL is to be ignored."
    last(column: col), last_with(ignore_nulls: flag = false);
    "3.5.0" "The value of the last row of a group or window; the last that is not NULL when NULL is to be ignored."
    last_value(column: col), last_value_with(ignore_nulls: flag);
    "4.0.0" "The values of a group as one text or binary, with a delimiter between them."
    listagg(column: col), listagg_with(delimiter: text);
    "4.0.0" "The different values of a group as one text or binary, with a delimiter between them."
    listagg_distinct distinct "listagg"(column: col), listagg_distinct_with(delimiter: text);
    "1.3.0" "The largest value."
    max(column: col);
    "3.3.0" "The value of one column in the row where another is largest, or an array of it in the `k` such rows."
    max_by(column: col, by: col), max_by_with(k: int);
    "1.4.0" "The average."
    mean as "avg"(column: col);
    "3.4.0" "The median."
    median(column: col);
    "1.3.0" "The smallest value."
    min(column: col);
    "3.3.0" "The value of one column in the row where another is smallest, or an array of it in the `k` such rows."
    min_by(column: col, by: col), min_by_with(k: int);
    "3.4.0" "The most frequent value; when told to be deterministic, the smallest of several."
    mode(column: col), mode_with(deterministic: flag = false);
    "3.5.0" "The value below which this fraction (or each of an array of fractions) of the values lies, each value counted as often as its frequency says."
    percentile(column: col, percentage: float), percentile_with(frequency: int = 1);
    "3.1.0" "About the value below which this fraction (or each of an array of fractions) of the values lies; a higher accuracy costs memory."
    percentile_approx(column: col, percentage: float), percentile_approx_with(accuracy: int = 10000);
    "3.2.0" "The product of the values."
    product(column: col);
    "3.5.0" "The average of the independent variable, pairs with a NULL left out."
    regr_avgx(y: col, x: col);
    "3.5.0" "The average of the dependent variable, pairs with a NULL left out."
    regr_avgy(y: col, array: col);
    "3.5.0" "The number of pairs without a NULL."
    regr_count(y: col, array: col);
    "3.5.0" "The intercept of the line of linear regression."
    regr_intercept(y: col, array: col);
    "3.5.0" "The coefficient of determination of linear regression."
    regr_r2(y: col, array: col);
    "3.5.0" "The slope of the line of linear regression."
    regr_slope(y: col, array: col);
    "3.5.0" "The sum of squares of the independent variable about its mean."
    regr_sxx(y: col, array: col);
    "3.5.0" "The sum of products of both variables about their means."
    regr_sxy(y: col, array: col);
    "3.5.0" "The sum of squares of the dependent variable about its mean."
    regr_syy(y: col, array: col);
    "1.6.0" "The skewness."
    skewness(column: col);
    "3.5.0" "Whether any value is true."
    some(column: col);
    "3.5.0" "The standard deviation of a sample."
    std(column: col);
    "1.6.0" "The standard deviation of a sample."
    stddev(column: col);
    "1.6.0" "The standard deviation of the population."
    stddev_pop(column: col);
    "1.6.0" "The standard deviation of a sample."
    stddev_samp(column: col);
    "4.0.0" "The values of a group as one text or binary, with a delimiter between them."
    string_agg(column: col), string_agg_with(delimiter: text);
    "4.0.0" "The different values of a group as one text or binary, with a delimiter between them."
    string_agg_distinct distinct "string_agg"(column: col), string_agg_distinct_with(delimiter: text);
    "1.3.0" "The sum."
    sum(column: col);
    "3.2.0" "The sum of the different values."
    sum_distinct distinct "sum"(column: col);
    "3.5.0" "The average, or NULL where it overflows."
    try_avg(column: col);
    "3.5.0" "The sum, or NULL where it overflows."
    try_sum(column: col);
    "1.6.0" "The variance of the population."
    var_pop(column: col);
    "1.6.0" "The variance of a sample."
    var_samp(column: col);
    "1.6.0" "The variance of a sample."
    variance(column: col);
    "1.6.0" "The fraction of the window's rows up to and with this one's order."
    cume_dist();
    "1.6.0" "The rank of a row in its window, without gaps."
    dense_rank();
    "1.4.0" "The value that many rows (1) earlier in the window, or a default where there is none."
    lag(column: col), lag_with(offset: int = 1, otherwise: lit);
    "1.4.0" "The value that many rows (1) later in the window, or a default where there is none."
    lead(column: col), lead_with(offset: int = 1, otherwise: lit);
    "3.1.0" "The value of the row of this number, from 1, in the window; of rows that are not NULL when NULL is to be ignored."
    nth_value(column: col, offset: int), nth_value_with(ignore_nulls: flag = false);
    "1.4.0" "The number, from 1, of the part that a row is in when the window is cut into that many equal ones."
    ntile(parts: int);
    "1.6.0" "The rank of a row in its window, from 0 to 1."
    percent_rank();
    "1.6.0" "The rank of a row in its window, with gaps after ties."
    rank();
    "1.6.0" "The number of a row in its window, from 1."
    row_number();
}
