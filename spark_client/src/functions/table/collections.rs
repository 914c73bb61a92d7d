//! Structs, arrays, maps and what makes rows of them.

use super::random_seed;

functions! {
    "3.5.0" "The number of elements of an array or entries of a map."
    cardinality(column: col);
    "1.5.0" "Texts, binaries or arrays put together; NULL if one is NULL."
    concat(columns: cols);
    "2.4.0" "The element at a position, counted from 1 or backwards from -1, or the value of a key of a map; fails where there is none."
    element_at(column: col, key: lit);
    "1.5.0" "The text or array from its end."
    reverse(column: col);
    "1.5.0" "The number of elements of an array or entries of a map."
    size(column: col);
    "3.5.0" "[`element_at`] that gives NULL where there is none."
    try_element_at(column: col, key: col);
    "1.4.0" "An array of the columns."
    array(columns: cols);
    "3.4.0" "The array with a value at its end."
    array_append(column: col, value: lit);
    "3.4.0" "The array without its NULLs."
    array_compact(column: col);
    "1.5.0" "Whether an array holds a value."
    array_contains(column: col, value: lit);
    "2.4.0" "The different elements of an array."
    array_distinct(column: col);
    "2.4.0" "The different elements of the first array that the second lacks."
    array_except(left: col, right: col);
    "3.4.0" "The array with a value put in at a position, counted from 1 or backwards from -1."
    array_insert(array: col, position: num, value: lit);
    "2.4.0" "The different elements that both arrays have."
    array_intersect(left: col, right: col);
    "2.4.0" "The elements of an array as one text, NULL left out or replaced."
    array_join(column: col, delimiter: text), array_join_with(null_replacement: text);
    "2.4.0" "The largest element of an array."
    array_max(column: col);
    "2.4.0" "The smallest element of an array."
    array_min(column: col);
    "2.4.0" "The position, from 1, of a value in an array; 0 when it is not there."
    array_position(column: col, value: lit);
    "3.5.0" "The array with a value at its begin."
    array_prepend(column: col, value: lit);
    "2.4.0" "The array without the elements that equal a value."
    array_remove(column: col, element: lit);
    "2.4.0" "An array of a value that many times."
    array_repeat(column: col, count: num);
    "3.5.0" "The number of elements of an array."
    array_size(column: col);
    "2.4.0" "The different elements of both arrays."
    array_union(left: col, right: col);
    "2.4.0" "Whether two arrays have an element other than NULL in common."
    arrays_overlap(left: col, right: col);
    "2.4.0" "An array of structs of the arrays' elements at each position."
    arrays_zip(columns: cols);
    "2.4.0" "An array of arrays as one array."
    flatten(column: col);
    "3.4.0" "The element at a position counted from 0; NULL where there is none."
    get(column: col, index: num);
    "2.4.0" "The values from the first to the second, by a step of 1 (or -1, a day) unless told."
    sequence(start: col, stop: col), sequence_with(step: col);
    "2.4.0" "The array in a random order."
    shuffle(column: col), shuffle_with(seed: int = random_seed());
    "2.4.0" "The part of an array from a position, counted from 1 or backwards from -1, of a length."
    slice(array: col, start: num, length: num);
    "1.5.0" "The elements in order, ascending with NULLs first unless told otherwise."
    sort_array(column: col), sort_array_with(ascending: flag = true);
    "3.5.0" "A struct of alternating names and values."
    named_struct(columns: cols);
    "1.4.0" "A struct of the columns."
    struct_ as "struct"(columns: cols);
    "2.0.0" "A map of alternating keys and values."
    create_map as "map"(columns: cols);
    "2.4.0" "The entries of all maps."
    map_concat(columns: cols);
    "3.4.0" "Whether a map has a key."
    map_contains_key(column: col, value: lit);
    "3.0.0" "The entries of a map as an array of structs of `key` and `value`."
    map_entries(column: col);
    "2.4.0" "A map from an array of keys and one of values."
    map_from_arrays(keys: col, values: col);
    "2.4.0" "A map from an array of structs of key and value."
    map_from_entries(column: col);
    "2.3.0" "The keys of a map."
    map_keys(column: col);
    "2.3.0" "The values of a map."
    map_values(column: col);
    "1.4.0" "A row for each element of an array or entry of a map."
    explode(column: col);
    "2.3.0" "A row for each element of an array or entry of a map, one row of NULL where there is none."
    explode_outer(column: col);
    "3.4.0" "A row for each struct of an array, its fields as columns."
    inline(column: col);
    "3.4.0" "A row for each struct of an array, its fields as columns, one row of NULL where there is none."
    inline_outer(column: col);
    "2.1.0" "A row for each element of an array or entry of a map, with its position from 0."
    posexplode(column: col);
    "2.3.0" "A row for each element of an array or entry of a map, with its position from 0, one row of NULL where there is none."
    posexplode_outer(column: col);
    "3.5.0" "The values after the first argument, put into that many rows."
    stack(columns: cols);
}
