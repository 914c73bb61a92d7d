use crate::pgoutput::TupleBuffer;

/// Splits a row of COPY's text format into its values, in the form that the stream has.
/// A row of no `columns` is an empty line, like one of an empty text.
pub(crate) fn read_row(row: &[u8], columns: usize, values: &mut TupleBuffer, unescaped: &mut Vec<u8>) {
    values.clear();
    if columns == 0 {
        return;
    }
    let line = row.strip_suffix(b"\n").unwrap_or(row);
    // A tab inside a value is escaped, so that every plain one separates.
    for field in line.split(|byte| *byte == b'\t') {
        if field == b"\\N" {
            values.null();
        } else if field.contains(&b'\\') {
            unescaped.clear();
            unescape(field, unescaped);
            values.text(unescaped);
        } else {
            values.text(field);
        }
    }
}

fn unescape(field: &[u8], out: &mut Vec<u8>) {
    let mut bytes = field.iter().copied();
    while let Some(byte) = bytes.next() {
        let plain = match (byte, byte == b'\\') {
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
        out.push(plain);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pgoutput::Datum;

    fn escaped(text: &str) -> String {
        text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
    }

    #[test]
    fn empty_lines() {
        for (columns, expected) in [(0, &[][..]), (1, &[Datum::Text(b"")])] {
            let mut values = TupleBuffer::default();
            read_row(b"\n", columns, &mut values, &mut Vec::new());
            assert_eq!(values.tuple().iter().collect::<Vec<_>>(), expected);
        }
    }

    proptest! {
        #[test]
        fn rows_and_back(texts in prop::collection::vec(prop::option::of("[ -~\t\n\r\\\\é]{0,12}"), 1..6)) {
            let fields: Vec<String> =
                texts.iter().map(|text| text.as_deref().map_or("\\N".to_owned(), escaped)).collect();
            let mut values = TupleBuffer::default();
            read_row(format!("{}\n", fields.join("\t")).as_bytes(), texts.len(), &mut values, &mut Vec::new());
            let expected: Vec<Datum<'_>> = texts
                .iter()
                .map(|text| text.as_ref().map_or(Datum::Null, |text| Datum::Text(text.as_bytes())))
                .collect();
            prop_assert_eq!(values.tuple().iter().collect::<Vec<_>>(), expected);
        }

        #[test]
        fn any_bytes_are_read(row in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut values = TupleBuffer::default();
            read_row(&row, 1, &mut values, &mut Vec::new());
            prop_assert_eq!(values.tuple().iter().count(), values.tuple().len());
        }
    }
}
