use super::cursor::Cursor;
use super::tuple::{Datum, Tuple, TupleBuffer};
use crate::error::Result;

/// Rewrites the texts of a message. `convert` appends a text as it is to be, and says whether it is one: a value that is none
/// stays as bytes, and a name gets replacement characters.
pub(crate) fn recode(
    message: &[u8],
    mut convert: impl FnMut(&[u8], &mut Vec<u8>) -> bool,
) -> Result<Vec<u8>> {
    let mut cursor = Cursor::new(message);
    let mut out = Vec::with_capacity(message.len() * 2);
    let kind = cursor.u8("kind")?;
    out.push(kind);
    match kind {
        b'I' | b'U' | b'D' => {
            out.extend_from_slice(&cursor.u32("relation OID")?.to_be_bytes());
            let mut recoded = TupleBuffer::default();
            while !cursor.rest().is_empty() {
                out.push(cursor.u8("tuple kind")?);
                let tuple = Tuple::read(&mut cursor)?;
                recode_tuple(tuple, &mut recoded, &mut convert);
                recoded.write(&mut out);
            }
        }
        b'R' => {
            out.extend_from_slice(&cursor.u32("relation OID")?.to_be_bytes());
            name(&mut cursor, &mut out, &mut convert)?;
            name(&mut cursor, &mut out, &mut convert)?;
            out.push(cursor.u8("replica identity")?);
            let count = cursor.u16("number of columns")?;
            out.extend_from_slice(&count.to_be_bytes());
            for _ in 0..count {
                out.push(cursor.u8("column flags")?);
                name(&mut cursor, &mut out, &mut convert)?;
                out.extend_from_slice(&cursor.u64("column type")?.to_be_bytes());
            }
        }
        b'Y' => {
            out.extend_from_slice(&cursor.u32("type OID")?.to_be_bytes());
            name(&mut cursor, &mut out, &mut convert)?;
            name(&mut cursor, &mut out, &mut convert)?;
        }
        b'O' => {
            out.extend_from_slice(&cursor.u64("origin LSN")?.to_be_bytes());
            name(&mut cursor, &mut out, &mut convert)?;
        }
        b'M' => {
            out.push(cursor.u8("message flags")?);
            out.extend_from_slice(&cursor.u64("message LSN")?.to_be_bytes());
            name(&mut cursor, &mut out, &mut convert)?;
        }
        // The others have no text.
        _ => {}
    }
    // The content of a logical message is never converted.
    out.extend_from_slice(cursor.rest());
    Ok(out)
}

/// The same for a row.
pub(crate) fn recode_tuple(
    row: Tuple<'_>,
    recoded: &mut TupleBuffer,
    mut convert: impl FnMut(&[u8], &mut Vec<u8>) -> bool,
) {
    recoded.clear();
    let mut text = Vec::new();
    for datum in row.iter() {
        match datum {
            Datum::Null => recoded.null(),
            Datum::Unchanged => recoded.unchanged(),
            Datum::Bytes(bytes) => recoded.bytes(bytes),
            Datum::Text(bytes) => {
                text.clear();
                if convert(bytes, &mut text) {
                    recoded.text(&text);
                } else {
                    recoded.bytes(bytes);
                }
            }
        }
    }
}

fn name(
    cursor: &mut Cursor<'_>,
    out: &mut Vec<u8>,
    convert: &mut impl FnMut(&[u8], &mut Vec<u8>) -> bool,
) -> Result<()> {
    let bytes = cursor.until_zero("name")?;
    let start = out.len();
    if !convert(bytes, out) {
        out.truncate(start);
        out.extend_from_slice(String::from_utf8_lossy(bytes).as_bytes());
    }
    out.push(0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Message, OldTuple, decode};
    use super::*;

    /// Latin 1 without the character 0x81.
    fn convert(bytes: &[u8], out: &mut Vec<u8>) -> bool {
        out.extend(bytes.iter().map(|byte| char::from(*byte)).collect::<String>().bytes());
        !bytes.contains(&0x81)
    }

    #[test]
    fn values() {
        let mut row = TupleBuffer::default();
        row.null();
        row.text(b"caf\xe9");
        row.unchanged();
        row.text(b"\x81");
        let mut message = b"U\0\0\0\x07O".to_vec();
        row.write(&mut message);
        message.push(b'N');
        row.write(&mut message);
        let recoded = recode(&message, convert).unwrap();
        let Message::Update { old: Some(OldTuple::Full(old)), new, .. } = decode(&recoded).unwrap() else {
            panic!("{recoded:?}")
        };
        let expected = [Datum::Null, Datum::Text("café".as_bytes()), Datum::Unchanged, Datum::Bytes(b"\x81")];
        assert_eq!(new.iter().collect::<Vec<_>>(), expected);
        assert_eq!(old, new);
    }

    #[test]
    fn names() {
        let relation = b"R\0\0\0\x07s\xe9\0t\x81\0d\0\x01\x01c\xe9\0\0\0\0\x17\xff\xff\xff\xff";
        let recoded = recode(relation, convert).unwrap();
        let Message::Relation(relation) = decode(&recoded).unwrap() else { panic!("{recoded:?}") };
        assert_eq!((&*relation.schema, &*relation.table), ("sé", "t\u{fffd}"));
        assert_eq!(relation.columns[0].name, "cé");
        let logical = b"M\x01\0\0\0\0\0\0\0\x09p\xe9\0\0\0\0\x02\xe9\x81";
        let recoded = recode(logical, convert).unwrap();
        let Message::Logical { prefix, content, .. } = decode(&recoded).unwrap() else {
            panic!("{recoded:?}")
        };
        assert_eq!((prefix, content), ("pé", &b"\xe9\x81"[..]));
    }

    #[test]
    fn what_is_cut_is_refused() {
        for message in [&b"I\0\0\0\x07N\0\x02n"[..], b"R\0\0\0\x07s", b"M\x01"] {
            assert!(recode(message, convert).is_err(), "{message:?}");
        }
    }
}
