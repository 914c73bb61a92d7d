//! Sketches, bitmaps and histograms.

use super::random_seed;

functions! {
    "3.5.0" "A count-min sketch as bytes, by relative error, confidence and seed."
    count_min_sketch(column: col, eps: float, confidence: float), count_min_sketch_with(seed: int = random_seed());
    "3.5.0" "The centers and heights of a histogram of that many bins."
    histogram_numeric(column: col, bins: int);
    "3.5.0" "The position of a number's bit in its bitmap."
    bitmap_bit_position(column: col);
    "3.5.0" "The number of the bitmap that a number's bit is in."
    bitmap_bucket_number(column: col);
    "3.5.0" "The number of bits that are set in a bitmap."
    bitmap_count(column: col);
    "3.5.0" "A HyperLogLog sketch of the values, of 2 to the power of this (12) buckets."
    hll_sketch_agg(column: col), hll_sketch_agg_with(log2_buckets: int);
    "3.5.0" "The union of HyperLogLog sketches, also of different sizes when allowed."
    hll_union_agg(column: col), hll_union_agg_with(allow_different_sizes: flag);
    "3.5.0" "About how many different values a HyperLogLog sketch has seen."
    hll_sketch_estimate(column: col);
    "3.5.0" "The union of two HyperLogLog sketches, also of different sizes when allowed."
    hll_union(left: col, right: col), hll_union_with(allow_different_sizes: flag);
    "4.1.0" "The intersection of theta sketches."
    theta_intersection_agg(column: col);
    "4.1.0" "A theta sketch of the values, of 2 to the power of this nominal entries."
    theta_sketch_agg(column: col), theta_sketch_agg_with(lg_nom_entries: int);
    "4.1.0" "The union of theta sketches, of 2 to the power of this nominal entries."
    theta_union_agg(column: col), theta_union_agg_with(lg_nom_entries: int);
    "4.1.0" "What the first theta sketch has seen and the second has not."
    theta_difference(left: col, right: col);
    "4.1.0" "What both theta sketches have seen."
    theta_intersection(left: col, right: col);
    "4.1.0" "About how many different values a theta sketch has seen."
    theta_sketch_estimate(column: col);
    "4.1.0" "What either theta sketch has seen."
    theta_union(left: col, right: col), theta_union_with(lg_nom_entries: int);
    "4.1.0" "A KLL sketch of whole numbers for quantiles; a larger `k` is more exact."
    kll_sketch_agg_bigint(column: col), kll_sketch_agg_bigint_with(k: int);
    "4.1.2" "KLL sketches of whole numbers merged into one."
    kll_merge_agg_bigint(column: col), kll_merge_agg_bigint_with(k: int);
    "4.1.0" "How many values a KLL sketch of whole numbers has seen."
    kll_sketch_get_n_bigint(column: col);
    "4.1.0" "About the value at a rank from 0 to 1, or at each of an array of ranks, in a KLL sketch of whole numbers."
    kll_sketch_get_quantile_bigint(sketch: col, rank: col);
    "4.1.0" "About the rank from 0 to 1 of a value, or of each of an array of values, in a KLL sketch of whole numbers."
    kll_sketch_get_rank_bigint(sketch: col, quantile: col);
    "4.1.0" "Two KLL sketches of whole numbers merged into one."
    kll_sketch_merge_bigint(left: col, right: col);
    "4.1.0" "A KLL sketch of whole numbers described in words."
    kll_sketch_to_string_bigint(column: col);
    "4.1.0" "A KLL sketch of floats for quantiles; a larger `k` is more exact."
    kll_sketch_agg_float(column: col), kll_sketch_agg_float_with(k: int);
    "4.1.2" "KLL sketches of floats merged into one."
    kll_merge_agg_float(column: col), kll_merge_agg_float_with(k: int);
    "4.1.0" "How many values a KLL sketch of floats has seen."
    kll_sketch_get_n_float(column: col);
    "4.1.0" "About the value at a rank from 0 to 1, or at each of an array of ranks, in a KLL sketch of floats."
    kll_sketch_get_quantile_float(sketch: col, rank: col);
    "4.1.0" "About the rank from 0 to 1 of a value, or of each of an array of values, in a KLL sketch of floats."
    kll_sketch_get_rank_float(sketch: col, quantile: col);
    "4.1.0" "Two KLL sketches of floats merged into one."
    kll_sketch_merge_float(left: col, right: col);
    "4.1.0" "A KLL sketch of floats described in words."
    kll_sketch_to_string_float(column: col);
    "4.1.0" "A KLL sketch of doubles for quantiles; a larger `k` is more exact."
    kll_sketch_agg_double(column: col), kll_sketch_agg_double_with(k: int);
    "4.1.2" "KLL sketches of doubles merged into one."
    kll_merge_agg_double(column: col), kll_merge_agg_double_with(k: int);
    "4.1.0" "How many values a KLL sketch of doubles has seen."
    kll_sketch_get_n_double(column: col);
    "4.1.0" "About the value at a rank from 0 to 1, or at each of an array of ranks, in a KLL sketch of doubles."
    kll_sketch_get_quantile_double(sketch: col, rank: col);
    "4.1.0" "About the rank from 0 to 1 of a value, or of each of an array of values, in a KLL sketch of doubles."
    kll_sketch_get_rank_double(sketch: col, quantile: col);
    "4.1.0" "Two KLL sketches of doubles merged into one."
    kll_sketch_merge_double(left: col, right: col);
    "4.1.0" "A KLL sketch of doubles described in words."
    kll_sketch_to_string_double(column: col);
    "4.2.0" "A tuple sketch of keys and doubles, of 2 to the power of this nominal entries; summaries of the same key are joined by the mode."
    tuple_sketch_agg_double(key: col, summary: col), tuple_sketch_agg_double_with(lg_nom_entries: int = 12, mode: text = "sum");
    "4.2.0" "The union of tuple sketches of doubles; summaries of the same key are joined by the mode."
    tuple_union_agg_double(column: col), tuple_union_agg_double_with(lg_nom_entries: int = 12, mode: text = "sum");
    "4.2.0" "The intersection of tuple sketches of doubles; summaries of the same key are joined by the mode."
    tuple_intersection_agg_double(column: col), tuple_intersection_agg_double_with(mode: text);
    "4.2.0" "What the first tuple sketch of doubles has seen and the second has not."
    tuple_difference_double(left: col, right: col);
    "4.2.0" "What a tuple sketch of doubles has seen and a theta sketch has not."
    tuple_difference_theta_double(left: col, right: col);
    "4.2.0" "What both tuple sketches of doubles have seen; summaries of the same key are joined by the mode."
    tuple_intersection_double(left: col, right: col), tuple_intersection_double_with(mode: text);
    "4.2.0" "What a tuple sketch of doubles and a theta sketch have both seen; summaries of the same key are joined by the mode."
    tuple_intersection_theta_double(left: col, right: col), tuple_intersection_theta_double_with(mode: text);
    "4.2.0" "About how many different keys a tuple sketch of doubles has seen."
    tuple_sketch_estimate_double(column: col);
    "4.2.0" "The summaries of a tuple sketch of doubles joined by the mode."
    tuple_sketch_summary_double(column: col), tuple_sketch_summary_double_with(mode: text);
    "4.2.0" "The fraction of keys that a tuple sketch of doubles keeps."
    tuple_sketch_theta_double(column: col);
    "4.2.0" "What either tuple sketch of doubles has seen; summaries of the same key are joined by the mode."
    tuple_union_double(left: col, right: col), tuple_union_double_with(lg_nom_entries: int = 12, mode: text = "sum");
    "4.2.0" "What a tuple sketch of doubles or a theta sketch has seen; summaries of the same key are joined by the mode."
    tuple_union_theta_double(left: col, right: col), tuple_union_theta_double_with(lg_nom_entries: int = 12, mode: text = "sum");
    "4.2.0" "A tuple sketch of keys and integers, of 2 to the power of this nominal entries; summaries of the same key are joined by the mode."
    tuple_sketch_agg_integer(key: col, summary: col), tuple_sketch_agg_integer_with(lg_nom_entries: int = 12, mode: text = "sum");
    "4.2.0" "The union of tuple sketches of integers; summaries of the same key are joined by the mode."
    tuple_union_agg_integer(column: col), tuple_union_agg_integer_with(lg_nom_entries: int = 12, mode: text = "sum");
    "4.2.0" "The intersection of tuple sketches of integers; summaries of the same key are joined by the mode."
    tuple_intersection_agg_integer(column: col), tuple_intersection_agg_integer_with(mode: text);
    "4.2.0" "What the first tuple sketch of integers has seen and the second has not."
    tuple_difference_integer(left: col, right: col);
    "4.2.0" "What a tuple sketch of integers has seen and a theta sketch has not."
    tuple_difference_theta_integer(left: col, right: col);
    "4.2.0" "What both tuple sketches of integers have seen; summaries of the same key are joined by the mode."
    tuple_intersection_integer(left: col, right: col), tuple_intersection_integer_with(mode: text);
    "4.2.0" "What a tuple sketch of integers and a theta sketch have both seen; summaries of the same key are joined by the mode."
    tuple_intersection_theta_integer(left: col, right: col), tuple_intersection_theta_integer_with(mode: text);
    "4.2.0" "About how many different keys a tuple sketch of integers has seen."
    tuple_sketch_estimate_integer(column: col);
    "4.2.0" "The summaries of a tuple sketch of integers joined by the mode."
    tuple_sketch_summary_integer(column: col), tuple_sketch_summary_integer_with(mode: text);
    "4.2.0" "The fraction of keys that a tuple sketch of integers keeps."
    tuple_sketch_theta_integer(column: col);
    "4.2.0" "What either tuple sketch of integers has seen; summaries of the same key are joined by the mode."
    tuple_union_integer(left: col, right: col), tuple_union_integer_with(lg_nom_entries: int = 12, mode: text = "sum");
    "4.2.0" "What a tuple sketch of integers or a theta sketch has seen; summaries of the same key are joined by the mode."
    tuple_union_theta_integer(left: col, right: col), tuple_union_theta_integer_with(lg_nom_entries: int = 12, mode: text = "sum");
}
