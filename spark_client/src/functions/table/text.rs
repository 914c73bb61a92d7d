//! Texts and bytes.

use super::random_seed;

functions! {
    "1.5.0" "The number of the first character of a text."
    ascii(column: col);
    "1.5.0" "Bytes as base64 text."
    base64(column: col);
    "3.3.0" "The number of bits of a text or of bytes."
    bit_length(column: col);
    "3.5.0" "Without spaces, or these characters, at both ends."
    btrim(text: col), btrim_with(trim: col);
    "3.5.0" "The character of this number, modulo 256."
    char(column: col);
    "3.5.0" "The number of characters of a text or bytes of a binary."
    char_length(text: col);
    "3.5.0" "The number of characters of a text or bytes of a binary."
    character_length(text: col);
    "3.5.0" "The character of this number, modulo 256."
    chr(column: col);
    "4.0.0" "The text with a collation, for example `UTF8_LCASE`."
    collate(column: col, collation: text);
    "4.0.0" "The name of a text's collation."
    collation(column: col);
    "1.5.0" "Texts put together with a separator, NULL left out."
    concat_ws(sep: text, columns: cols);
    "3.5.0" "Whether the first text or binary holds the second."
    contains(left: col, right: col);
    "1.5.0" "Bytes as text, from a character set."
    decode(column: col, charset: text);
    "3.5.0" "The text whose number, from 1, the first column gives."
    elt(columns: cols);
    "1.5.0" "Text as bytes, in a character set."
    encode(column: col, charset: text);
    "3.5.0" "Whether the first text or binary ends with the second."
    endswith(text: col, suffix: col);
    "3.5.0" "The position, from 1, of a text in a list separated by commas; 0 when it is not there."
    find_in_set(text: col, list: col);
    "1.5.0" "A number as text with commas between thousands and this many decimal places."
    format_number(column: col, scale: int);
    "1.5.0" "Values put into a format like that of `printf`."
    format_string(format: text, columns: cols);
    "1.5.0" "Each word with a capital letter first."
    initcap(column: col);
    "1.5.0" "The position, from 1, of a text in a column; 0 when it is not there."
    instr(text: col, part: text);
    "4.0.0" "Whether the bytes of a text are UTF-8."
    is_valid_utf8(text: col);
    "3.5.0" "In small letters."
    lcase(text: col);
    "3.5.0" "That many characters from the left."
    left(text: col, length: col);
    "1.5.0" "The number of characters of a text or bytes of a binary."
    length(column: col);
    "1.5.0" "The Levenshtein distance of two texts; -1 when it is more than the threshold."
    levenshtein(left: col, right: col), levenshtein_with(threshold: int);
    "1.5.0" "The position, from 1, of a text in a column at or after a position; 0 when it is not there."
    locate(part: text, text: col), locate_with(position: int = 1);
    "1.5.0" "In small letters."
    lower(column: col);
    "1.5.0" "Filled up, or cut, to a length at the left."
    lpad(column: col, length: int, pad: text);
    "1.5.0" "Without spaces at the left end."
    ltrim(column: col);
    "4.0.0" "The text with each invalid sequence of bytes replaced by U+FFFD."
    make_valid_utf8(text: col);
    "3.5.0" "The text with its letters and digits replaced; NULL characters stay."
    mask(column: col), mask_with(upper_char: col = "X", lower_char: col = "x", digit_char: col = "n", other_char: col = None::<&str>);
    "3.3.0" "The number of bytes of a text or binary."
    octet_length(column: col);
    "3.0.0" "The text with a part from a position (from 1) on replaced; as many characters as are put in, or this many."
    overlay(text: col, replacement: col, position: num), overlay_with(length: num = -1);
    "3.5.0" "The position, from 1, of the first text in the second, at or after a position; 0 when it is not there."
    position(part: col, text: col), position_with(start: col);
    "3.5.0" "Values put into a format like that of C."
    printf(format: col, columns: cols);
    "4.1.0" "The text in single quotes, those in it escaped with a backslash."
    quote(column: col);
    "4.0.0" "A random text of this many digits and letters for each row."
    randstr(length: int), randstr_with(seed: int = random_seed());
    "3.5.0" "How often a Java regular expression matches."
    regexp_count(text: col, regexp: col);
    "1.5.0" "A group of the first match of a Java regular expression; empty without a match."
    regexp_extract(text: col, pattern: text, group: int);
    "3.5.0" "A group (1 unless told) of all matches of a Java regular expression, as an array."
    regexp_extract_all(text: col, regexp: col), regexp_extract_all_with(group: int);
    "3.5.0" "The position, from 1, of the first match of a Java regular expression; 0 without one."
    regexp_instr(text: col, regexp: col), regexp_instr_with(group: int);
    "1.5.0" "All matches of a Java regular expression replaced."
    regexp_replace(text: col, pattern: text, replacement: text);
    "3.5.0" "The first match of a Java regular expression; NULL without one."
    regexp_substr(text: col, regexp: col);
    "1.5.0" "The text that many times."
    repeat(text: col, count: num);
    "3.5.0" "Each occurrence of a text replaced; removed when no replacement is given."
    replace(text: col, search: col), replace_with(replacement: col);
    "3.5.0" "That many characters from the right."
    right(text: col, length: col);
    "1.5.0" "Filled up, or cut, to a length at the right."
    rpad(column: col, length: int, pad: text);
    "1.5.0" "Without spaces at the right end."
    rtrim(column: col);
    "3.2.0" "The text as an array of sentences, each an array of words, by a language and country."
    sentences(text: col), sentences_with(language: col = "", country: col = "");
    "1.5.0" "The Soundex code of a word."
    soundex(column: col);
    "1.5.0" "The parts of a text between matches of a Java regular expression; at most `limit`, all when it is not positive."
    split(text: col, pattern: text), split_with(limit: num = -1);
    "3.5.0" "The part of this number, from 1, between delimiters; from the end when negative."
    split_part(text: col, delimiter: col, part: col);
    "3.5.0" "Whether the first text or binary begins with the second."
    startswith(text: col, prefix: col);
    "3.5.0" "The part from a position, counted from 1, to the end or of a length."
    substr(text: col, position: col), substr_with(length: col);
    "1.5.0" "The part from a position, counted from 1, of a length."
    substring(text: col, position: num, length: num);
    "1.5.0" "What comes before that many delimiters; from the end when negative."
    substring_index(text: col, delimiter: text, count: int);
    "3.5.0" "Bytes from text in a format (`hex`, `utf-8` or `base64`; `hex` unless told)."
    to_binary(column: col), to_binary_with(format: col);
    "3.5.0" "A number or time as text by a pattern."
    to_char(column: col, format: col);
    "3.5.0" "A number from text by a pattern of digits; fails where it does not fit."
    to_number(column: col, format: col);
    "3.5.0" "A number or time as text by a pattern."
    to_varchar(column: col, format: col);
    "1.5.0" "Characters replaced one by one; those without a replacement removed."
    translate(text: col, matching: text, replacement: text);
    "1.5.0" "Without spaces at both ends."
    trim(column: col);
    "3.5.0" "Bytes from text in a format (`hex`, `utf-8` or `base64`; `hex` unless told); NULL where it does not fit."
    try_to_binary(column: col), try_to_binary_with(format: col);
    "3.5.0" "A number from text by a pattern of digits; NULL where it does not fit."
    try_to_number(column: col, format: col);
    "4.0.0" "The text, or NULL where its bytes are not UTF-8."
    try_validate_utf8(text: col);
    "3.5.0" "In capital letters."
    ucase(text: col);
    "1.5.0" "Bytes from base64 text."
    unbase64(column: col);
    "1.5.0" "In capital letters."
    upper(column: col);
    "4.0.0" "The text; fails where its bytes are not UTF-8."
    validate_utf8(text: col);
    "3.5.0" "A map from text with delimiters between pairs (`,`) and between key and value (`:`)."
    str_to_map(text: col), str_to_map_with(pair_delim: col = ",", key_value_delim: col = ":");
}
