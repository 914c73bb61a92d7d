//! Types that become records, arrays or maps: points and geometries, pgvector's vectors, hstore.

use serde_json::{Map, Value};

use super::binary;

/// A little-endian point in WKB.
const WKB_POINT: [u8; 5] = [1, 1, 0, 0, 0];
/// An empty collection in WKB, which stands for a geometry that is not known.
pub(crate) const WKB_NOTHING: [u8; 9] = [1, 7, 0, 0, 0, 0, 0, 0, 0];
/// The flag of a type in EWKB that an SRID follows.
const EWKB_SRID: u32 = 0x2000_0000;

/// Writes `(1.5,-2)` as Debezium's `Point`: coordinates, WKB, no SRID.
pub(crate) fn point(text: &str, out: &mut Vec<u8>) -> bool {
    let coordinates =
        text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).and_then(|text| text.split_once(','));
    let Some((x, y)) = coordinates else { return false };
    let (Ok(x), Ok(y)) = (x.parse(), y.parse()) else { return false };
    write_point(x, y, out);
    true
}

pub(crate) fn write_point(x: f64, y: f64, out: &mut Vec<u8>) {
    binary::double(x, out);
    binary::double(y, out);
    out.push(2);
    binary::long(21, out);
    out.extend_from_slice(&WKB_POINT);
    binary::double(x, out);
    binary::double(y, out);
    out.push(0);
}

/// Writes PostGIS' hexadecimal EWKB as Debezium's `Geometry`: the EWKB, and its SRID if it has one.
pub(crate) fn geometry(text: &str, out: &mut Vec<u8>) -> bool {
    let Some(bytes) = from_hex(text.as_bytes()) else { return false };
    let Some((order, rest)) = bytes.split_first() else { return false };
    let number = |bytes: &[u8; 4]| match order {
        0 => u32::from_be_bytes(*bytes),
        _ => u32::from_le_bytes(*bytes),
    };
    let Some((kind, rest)) = rest.split_first_chunk::<4>() else { return false };
    let srid = if number(kind) & EWKB_SRID == 0 { None } else { rest.first_chunk::<4>().map(number) };
    write_geometry(&bytes, srid, out);
    true
}

pub(crate) fn write_geometry(wkb: &[u8], srid: Option<u32>, out: &mut Vec<u8>) {
    binary::bytes(wkb, out);
    binary::option(srid.map(i64::from), out, binary::long);
}

pub(crate) fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let nibble = |digit: &u8| char::from(*digit).to_digit(16);
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs
        .map(|pair| match pair {
            [high, low] => Some((nibble(high)? << 4 | nibble(low)?) as u8),
            _ => None,
        })
        .collect()
}

/// Writes `[1,2.5]` as an array.
pub(crate) fn vector<T: std::str::FromStr>(
    text: &str,
    out: &mut Vec<u8>,
    write: impl Fn(T, &mut Vec<u8>),
) -> bool {
    let Some(body) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) else { return false };
    let Ok(numbers) = body.split(',').map(|number| number.trim().parse()).collect::<Result<Vec<T>, _>>()
    else {
        return false;
    };
    binary::items(numbers, out, write);
    true
}

/// Writes `{1:1.5,3:2}/5` as the number of dimensions and an array of index and value.
pub(crate) fn sparse_vector(text: &str, out: &mut Vec<u8>) -> bool {
    let Some((body, dimensions)) = text.split_once('/') else { return false };
    let Some(body) = body.strip_prefix('{').and_then(|body| body.strip_suffix('}')) else { return false };
    let Ok(dimensions) = dimensions.parse::<i16>() else { return false };
    let entries: Option<Vec<(i16, f64)>> = body
        .split(',')
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            let (index, value) = entry.split_once(':')?;
            Some((index.trim().parse().ok()?, value.trim().parse().ok()?))
        })
        .collect();
    let Some(entries) = entries else { return false };
    binary::long(i64::from(dimensions), out);
    binary::items(entries, out, |(index, value), out| {
        binary::long(i64::from(index), out);
        binary::double(value, out);
    });
    true
}

/// The keys and values of `"a"=>"1", "b"=>NULL`.
fn hstore(text: &str) -> Option<Vec<(String, Option<String>)>> {
    let mut characters = text.chars().peekable();
    let mut pairs = Vec::new();
    let quoted = |characters: &mut std::iter::Peekable<std::str::Chars<'_>>| -> Option<String> {
        characters.next_if_eq(&'"')?;
        let mut word = String::new();
        loop {
            match characters.next()? {
                '"' => return Some(word),
                '\\' => word.push(characters.next()?),
                other => word.push(other),
            }
        }
    };
    if characters.peek().is_none() {
        return Some(pairs);
    }
    loop {
        let key = quoted(&mut characters)?;
        characters.next_if_eq(&'=')?;
        characters.next_if_eq(&'>')?;
        let value = if characters.peek() == Some(&'"') {
            Some(quoted(&mut characters)?)
        } else {
            for expected in "NULL".chars() {
                characters.next_if_eq(&expected)?;
            }
            None
        };
        pairs.push((key, value));
        match (characters.next(), characters.next()) {
            (None, None) => return Some(pairs),
            (Some(','), Some(' ')) => {}
            _ => return None,
        }
    }
}

/// The pairs as a JSON object of texts.
pub(crate) fn hstore_json(text: &str) -> Option<String> {
    let object: Map<String, Value> =
        hstore(text)?.into_iter().map(|(key, value)| (key, value.into())).collect();
    Some(Value::Object(object).to_string())
}

/// Writes the pairs as a map of texts, each possibly null.
pub(crate) fn hstore_map(text: &str, out: &mut Vec<u8>) -> bool {
    let Some(pairs) = hstore(text) else { return false };
    binary::items(pairs, out, |(key, value), out| {
        binary::bytes(key.as_bytes(), out);
        binary::option(value, out, |value, out| binary::bytes(value.as_bytes(), out));
    });
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hstores() {
        let table = [
            ("", Some("{}")),
            (r#""a"=>"1", "b"=>NULL"#, Some(r#"{"a":"1","b":null}"#)),
            (r#""q\"\\"=>"NULL""#, Some(r#"{"q\"\\":"NULL"}"#)),
            (r#""a"=>"1","#, None),
            (r#""a""#, None),
            ("a=>1", None),
        ];
        for (text, expected) in table {
            assert_eq!(hstore_json(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn geometries() {
        let read = |text: &str| {
            let mut out = Vec::new();
            geometry(text, &mut out).then_some(out)
        };
        // SELECT ST_SetSRID(ST_MakePoint(1, 2), 4326)
        let with_srid = "0101000020E6100000000000000000F03F0000000000000040";
        let out = read(with_srid).unwrap();
        assert_eq!(out.first(), Some(&50), "25 bytes");
        assert_eq!(&out[26..], [2, 0xCC, 0x43], "SRID 4326");
        let without = read("0101000000000000000000F03F0000000000000040").unwrap();
        assert_eq!(without.last(), Some(&0));
        for wrong in ["", "01", "0", "zz", "010100"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,30}") {
            let mut out = Vec::new();
            let _ = (point(&text, &mut out), geometry(&text, &mut out), sparse_vector(&text, &mut out));
            let _ = (vector::<f64>(&text, &mut out, binary::double), hstore_json(&text), hstore_map(&text, &mut out));
        }
    }
}
