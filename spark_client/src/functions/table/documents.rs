//! JSON, variants, XML, URLs and geometries.

functions! {
    "1.6.0" "The value at a JSON path of a text, as text."
    get_json_object(column: col, path: text);
    "3.5.0" "The number of elements of a JSON array."
    json_array_length(column: col);
    "3.5.0" "The keys of a JSON object."
    json_object_keys(column: col);
    "4.2.0" "Whether a variant's bytes are well formed."
    is_valid_variant(value: col);
    "4.0.0" "Whether a variant is JSON's null."
    is_variant_null(value: col);
    "4.0.0" "A variant from JSON text; fails where it is not JSON."
    parse_json(column: col);
    "4.0.0" "The type of a variant, as DDL."
    schema_of_variant(value: col);
    "4.0.0" "The type that all variants of a group have in common, as DDL."
    schema_of_variant_agg(value: col);
    "4.0.0" "[`variant_get`] that gives NULL where the value is not of the type."
    try_variant_get(value: col, path: text, target_type: text);
    "4.0.0" "The value at a JSON path of a variant, as this type; NULL where there is none."
    variant_get(value: col, path: text, target_type: text);
    "4.0.0" "A variant from JSON text; NULL where it is not JSON."
    try_parse_json(column: col);
    "4.0.0" "A struct, array or map as a variant."
    to_variant_object(column: col);
    "3.5.0" "The texts of the nodes at an XPath of an XML text, as an array."
    xpath(xml: col, path: col);
    "3.5.0" "Whether an XPath of an XML text holds or finds a node."
    xpath_boolean(xml: col, path: col);
    "3.5.0" "The number at an XPath of an XML text, as a double."
    xpath_double(xml: col, path: col);
    "3.5.0" "The number at an XPath of an XML text, as a float."
    xpath_float(xml: col, path: col);
    "3.5.0" "The number at an XPath of an XML text, as an integer."
    xpath_int(xml: col, path: col);
    "3.5.0" "The number at an XPath of an XML text, as a long integer."
    xpath_long(xml: col, path: col);
    "3.5.0" "The number at an XPath of an XML text, as a double."
    xpath_number(xml: col, path: col);
    "3.5.0" "The number at an XPath of an XML text, as a short integer."
    xpath_short(xml: col, path: col);
    "3.5.0" "The text of the first node at an XPath of an XML text."
    xpath_string(xml: col, path: col);
    "3.5.0" "A part of a URL, for example `HOST`, or the value of a key of its `QUERY`."
    parse_url(url: col, part_to_extract: col), parse_url_with(key: col);
    "4.0.0" "[`parse_url`] that gives NULL for what is no URL."
    try_parse_url(url: col, part_to_extract: col), try_parse_url_with(key: col);
    "3.5.0" "Text from `application/x-www-form-urlencoded`."
    url_decode(text: col);
    "3.5.0" "Text as `application/x-www-form-urlencoded`."
    url_encode(text: col);
    "4.0.0" "[`url_decode`] that gives NULL where the text does not fit."
    try_url_decode(text: col);
    "4.1.0" "A geography or geometry as well-known binary, in this byte order."
    st_asbinary(geo: col), st_asbinary_with(endianness: text);
    "4.1.0" "A geography from well-known binary."
    st_geogfromwkb(wkb: col);
    "4.1.0" "A geometry from well-known binary, with a spatial reference."
    st_geomfromwkb(wkb: col), st_geomfromwkb_with(srid: num);
    "4.1.0" "The geography or geometry with another spatial reference."
    st_setsrid(geo: col, srid: num);
    "4.1.0" "The spatial reference of a geography or geometry."
    st_srid(geo: col);
}
