use bytes::{Bytes, BytesMut};

use crate::pgoutput::Datum;

/// Splits a row of COPY's text format into its values; values without escapes borrow from the row.
pub(crate) fn values(row: &Bytes, columns: usize) -> Vec<Datum> {
    let line = if row.last() == Some(&b'\n') { row.slice(..row.len() - 1) } else { row.clone() };
    let mut values = Vec::with_capacity(columns);
    let mut start = 0;
    // A tab inside a value is escaped, so that every plain one separates.
    for end in
        line.iter().enumerate().filter(|(_, byte)| **byte == b'\t').map(|(at, _)| at).chain([line.len()])
    {
        values.push(value(line.slice(start..end)));
        start = end + 1;
    }
    values
}

fn value(field: Bytes) -> Datum {
    if field.as_ref() == b"\\N" {
        return Datum::Null;
    }
    if !field.contains(&b'\\') {
        return Datum::Text(field);
    }
    let mut plain = BytesMut::with_capacity(field.len());
    let mut bytes = field.iter().copied();
    while let Some(byte) = bytes.next() {
        let unescaped = match (byte, byte == b'\\') {
            (plain, false) => plain,
            (_, true) => match bytes.next() {
                Some(b'b') => 0x08,
                Some(b'f') => 0x0C,
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b'v') => 0x0B,
                Some(other) => other,
                None => break,
            },
        };
        plain.extend_from_slice(&[unescaped]);
    }
    Datum::Text(plain.freeze())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(text: &str) -> String {
        text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
    }

    proptest! {
        #[test]
        fn rows_and_back(texts in prop::collection::vec(prop::option::of("[ -~\t\n\r\\\\é]{0,12}"), 1..6)) {
            let fields: Vec<String> =
                texts.iter().map(|text| text.as_deref().map_or("\\N".to_owned(), escaped)).collect();
            let row = Bytes::from(fields.join("\t") + "\n");
            let expected: Vec<Datum> = texts
                .into_iter()
                .map(|text| text.map_or(Datum::Null, |text| Datum::Text(text.into())))
                .collect();
            prop_assert_eq!(values(&row, expected.len()), expected);
        }
    }
}
