use proptest::prelude::*;

use super::*;
use crate::pgoutput::{Datum, TupleBuffer};

/// A row as a test makes it: none is null, an empty list of texts for unchanged.
#[derive(Debug, Clone)]
enum Value {
    Null,
    Unchanged,
    Text(Vec<u8>),
}

type Row = Vec<Value>;

/// A message of the server: its bytes, and how it should be described.
#[derive(Debug, Clone)]
struct Sent {
    bytes: Vec<u8>,
    rows: Vec<Row>,
    kind: char,
}

fn put_row(row: &Row, out: &mut Vec<u8>) {
    out.extend((row.len() as u16).to_be_bytes());
    for value in row {
        match value {
            Value::Null => out.push(b'n'),
            Value::Unchanged => out.push(b'u'),
            Value::Text(text) => {
                out.push(b't');
                out.extend((text.len() as u32).to_be_bytes());
                out.extend(text);
            }
        }
    }
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    out.extend(text.as_bytes());
    out.push(0);
}

fn rows() -> impl Strategy<Value = Row> {
    let value = prop_oneof![
        Just(Value::Null),
        Just(Value::Unchanged),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Value::Text),
    ];
    prop::collection::vec(value, 0..8)
}

fn changes() -> impl Strategy<Value = Sent> {
    let old = prop::option::of((any::<bool>(), rows()));
    (any::<u32>(), old, prop::option::of(rows())).prop_map(|(relation, old, new)| {
        let kind = match (&old, &new) {
            (_, None) => 'D',
            (None, Some(_)) => 'I',
            (Some(_), Some(_)) => 'U',
        };
        let mut bytes = vec![kind as u8];
        bytes.extend(relation.to_be_bytes());
        let mut sent = Vec::new();
        let old = old.or_else(|| (kind == 'D').then(|| (true, vec![Value::Null])));
        if let Some((full, row)) = old {
            bytes.push(if full { b'O' } else { b'K' });
            put_row(&row, &mut bytes);
            sent.push(row);
        }
        if let Some(row) = new {
            bytes.push(b'N');
            put_row(&row, &mut bytes);
            sent.push(row);
        }
        Sent { bytes, rows: sent, kind }
    })
}

fn others() -> impl Strategy<Value = Sent> {
    let name = "[^\0]{0,12}";
    let made = |kind: char, body: Vec<u8>| {
        let mut bytes = vec![kind as u8];
        bytes.extend(body);
        Sent { bytes, rows: Vec::new(), kind }
    };
    prop_oneof![
        prop::array::uniform20(any::<u8>()).prop_map(move |body| made('B', body.to_vec())),
        prop::array::uniform25(any::<u8>()).prop_map(move |body| made('C', body.to_vec())),
        (any::<u64>(), name).prop_map(move |(lsn, name)| {
            let mut body = lsn.to_be_bytes().to_vec();
            put_text(&name, &mut body);
            made('O', body)
        }),
        (any::<u32>(), name, name, prop::collection::vec((name, any::<u32>(), any::<i32>()), 0..6)).prop_map(
            move |(id, schema, table, columns)| {
                let mut body = id.to_be_bytes().to_vec();
                put_text(&schema, &mut body);
                put_text(&table, &mut body);
                body.push(b'd');
                body.extend((columns.len() as u16).to_be_bytes());
                for (name, oid, modifier) in columns {
                    body.push(0);
                    put_text(&name, &mut body);
                    body.extend(oid.to_be_bytes());
                    body.extend(modifier.to_be_bytes());
                }
                made('R', body)
            }
        ),
        prop::collection::vec(any::<u32>(), 0..5).prop_map(move |relations| {
            let mut body = (relations.len() as u32).to_be_bytes().to_vec();
            body.push(0);
            body.extend(relations.iter().flat_map(|id| id.to_be_bytes()));
            made('T', body)
        }),
    ]
}

fn same(row: &Row, tuple: &Tuple<'_>) -> bool {
    row.len() == tuple.len()
        && row.len() == tuple.iter().count()
        && row.iter().zip(tuple.iter()).all(|(value, datum)| match value {
            Value::Null => datum == Datum::Null,
            Value::Unchanged => datum == Datum::Unchanged,
            Value::Text(text) => datum == Datum::Text(text),
        })
}

/// The letter and rows of a decoded message.
fn described<'a>(message: &Message<'a>) -> (char, Vec<Tuple<'a>>) {
    let old = |old: &OldTuple<'a>| match old {
        OldTuple::Key(tuple) | OldTuple::Full(tuple) => *tuple,
    };
    match message {
        Message::Insert { new, .. } => ('I', vec![*new]),
        Message::Update { old: before, new, .. } => ('U', before.iter().map(old).chain([*new]).collect()),
        Message::Delete { old: before, .. } => ('D', vec![old(before)]),
        Message::Begin(_) => ('B', Vec::new()),
        Message::Commit(_) => ('C', Vec::new()),
        Message::Origin { .. } => ('O', Vec::new()),
        Message::Relation(_) => ('R', Vec::new()),
        Message::Type { .. } => ('Y', Vec::new()),
        Message::Truncate { .. } => ('T', Vec::new()),
        Message::Logical { .. } => ('M', Vec::new()),
    }
}

proptest! {
    #[test]
    fn every_message_is_what_was_sent(sent in prop_oneof![changes(), others()]) {
        let message = decode(&sent.bytes).unwrap();
        let (kind, tuples) = described(&message);
        prop_assert_eq!(kind, sent.kind);
        prop_assert_eq!(tuples.len(), sent.rows.len());
        for (row, tuple) in sent.rows.iter().zip(&tuples) {
            prop_assert!(same(row, tuple), "{:?} {:?}", row, tuple);
        }
    }

    #[test]
    fn a_cut_message_is_refused(sent in prop_oneof![changes(), others()], at in any::<prop::sample::Index>()) {
        prop_assert!(decode(&sent.bytes[..at.index(sent.bytes.len())]).is_err());
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn any_body_of_a_change_is_decoded_or_refused(
        kind in prop::sample::select(b"IUDTRYOM".to_vec()),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let bytes = [&[kind][..], &body].concat();
        if let Ok(message) = decode(&bytes) {
            for tuple in described(&message).1 {
                prop_assert_eq!(tuple.iter().count(), tuple.len());
            }
        }
    }
}

#[test]
fn values_of_known_messages() {
    let begin =
        [&b"B"[..], &7_u64.to_be_bytes(), &1_000_000_i64.to_be_bytes(), &9_u32.to_be_bytes()].concat();
    assert_eq!(
        decode(&begin).unwrap(),
        Message::Begin(Begin { commit_lsn: Lsn(7), committed_at_us: POSTGRES_EPOCH_US + 1_000_000, xid: 9 })
    );
    let commit = [&b"C\0"[..], &7_u64.to_be_bytes(), &8_u64.to_be_bytes(), &[0; 8]].concat();
    assert_eq!(decode(&commit).unwrap(), Message::Commit(Commit { commit_lsn: Lsn(7), end_lsn: Lsn(8) }));
    let logical = [&b"M\x01"[..], &5_u64.to_be_bytes(), b"p\0", &2_u32.to_be_bytes(), b"hi"].concat();
    assert_eq!(
        decode(&logical).unwrap(),
        Message::Logical { transactional: true, lsn: Lsn(5), prefix: "p", content: b"hi" }
    );
    let kind = [&b"Y"[..], &5_u32.to_be_bytes(), b"s\0n\0"].concat();
    assert_eq!(decode(&kind).unwrap(), Message::Type { oid: 5, schema: "s", name: "n" });
}

#[test]
fn a_large_count_reserves_nothing() {
    assert!(decode(b"T\xff\xff\xff\xff\0").is_err());
    assert!(decode(b"R\0\0\0\x01s\0t\0d\xff\xff").is_err());
}

#[test]
fn a_tuple_made_here_is_read_as_one_of_the_stream() {
    let mut buffer = TupleBuffer::default();
    buffer.text(b"a");
    buffer.null();
    let values: Vec<Datum<'_>> = buffer.tuple().iter().collect();
    assert_eq!(values, [Datum::Text(b"a"), Datum::Null]);
    buffer.clear();
    assert_eq!(buffer.tuple().len(), 0);
}
