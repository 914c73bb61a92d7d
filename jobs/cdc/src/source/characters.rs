//! Texts of a database that is not in UTF-8. They come as the bytes that the database has, and are converted here: PostgreSQL
//! itself breaks a whole stream off at a character that UTF-8 lacks. What each character is, PostgreSQL is asked once.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_postgres::{Client, Row};

use super::refused;
use crate::error::{Error, Result};
use crate::pgoutput::{Tuple, TupleBuffer, recode, recode_tuple};

/// Characters that one statement asks for.
const TOGETHER: usize = 256;

/// The characters of the database's encoding.
pub(crate) struct Characters {
    client: Arc<Client>,
    widths: Widths,
    /// None for those that UTF-8 lacks.
    known: Mutex<HashMap<Vec<u8>, Option<Box<str>>>>,
}

/// How long characters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Widths {
    /// The database has no encoding: what is UTF-8 is text.
    Unknown,
    One,
    /// Those that begin with the bytes 0x8e and 0x8f; all others above ASCII have two bytes.
    Euc(usize, usize),
}

impl Widths {
    fn of(encoding: &str) -> Self {
        match encoding {
            "SQL_ASCII" => Self::Unknown,
            "EUC_TW" => Self::Euc(4, 3),
            "EUC_CN" => Self::Euc(2, 2),
            "EUC_JP" | "EUC_JIS_2004" | "EUC_KR" => Self::Euc(2, 3),
            _ => Self::One,
        }
    }

    fn next(self, bytes: &[u8]) -> usize {
        match (self, bytes.first()) {
            (Self::Euc(width, _), Some(0x8e)) | (Self::Euc(_, width), Some(0x8f)) => width,
            (Self::Euc(..), Some(0x80..)) => 2,
            _ => 1,
        }
    }
}

/// Takes the known characters of a text off into UTF-8; false when one of them has none. Those that are not known are noted.
fn convert(
    widths: Widths,
    known: &HashMap<Vec<u8>, Option<Box<str>>>,
    mut bytes: &[u8],
    out: &mut Vec<u8>,
    unknown: &mut BTreeSet<Vec<u8>>,
) -> bool {
    if bytes.is_ascii() || widths == Widths::Unknown {
        out.extend_from_slice(bytes);
        return bytes.is_ascii() || std::str::from_utf8(bytes).is_ok();
    }
    let mut is_text = true;
    while let Some(first) = bytes.first() {
        let (character, rest) =
            bytes.split_at_checked(widths.next(bytes)).unwrap_or((bytes, Default::default()));
        match known.get(character) {
            _ if first.is_ascii() => out.push(*first),
            Some(Some(text)) => out.extend_from_slice(text.as_bytes()),
            Some(None) => is_text = false,
            None => drop(unknown.insert(character.to_vec())),
        }
        bytes = rest;
    }
    is_text
}

impl Characters {
    /// Those of the database's encoding; none when it is UTF-8.
    pub(crate) async fn of(client: &Arc<Client>) -> Result<Option<Arc<Self>>> {
        let row = client.query_one("SELECT getdatabaseencoding()::text", &[]).await;
        let encoding: String = row.map_err(refused("cannot read the encoding of the database"))?.get(0);
        let new = || {
            Arc::new(Self {
                client: Arc::clone(client),
                widths: Widths::of(&encoding),
                known: Mutex::new(HashMap::new()),
            })
        };
        Ok((encoding != "UTF8").then(new))
    }

    /// A message of the stream with its texts in UTF-8.
    pub(crate) async fn message(&self, message: &[u8]) -> Result<Vec<u8>> {
        loop {
            let mut unknown = BTreeSet::new();
            let recoded = {
                let known = self.known();
                recode(message, |bytes, out| convert(self.widths, &known, bytes, out, &mut unknown))?
            };
            if unknown.is_empty() {
                return Ok(recoded);
            }
            self.ask(&unknown).await?;
        }
    }

    /// A row with its texts in UTF-8.
    pub(crate) async fn row(&self, row: Tuple<'_>, recoded: &mut TupleBuffer) -> Result<()> {
        loop {
            let mut unknown = BTreeSet::new();
            {
                let known = self.known();
                recode_tuple(row, recoded, |bytes, out| {
                    convert(self.widths, &known, bytes, out, &mut unknown)
                });
            }
            if unknown.is_empty() {
                return Ok(());
            }
            self.ask(&unknown).await?;
        }
    }

    /// A text in UTF-8; none of bytes that are no text.
    pub(crate) async fn text(&self, bytes: &[u8]) -> Result<Option<Vec<u8>>> {
        loop {
            let (mut text, mut unknown) = (Vec::with_capacity(bytes.len()), BTreeSet::new());
            let is_text = convert(self.widths, &self.known(), bytes, &mut text, &mut unknown);
            if unknown.is_empty() {
                return Ok(is_text.then_some(text));
            }
            self.ask(&unknown).await?;
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Option<Box<str>>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, unknown: &BTreeSet<Vec<u8>>) -> Result<()> {
        let unknown: Vec<&Vec<u8>> = unknown.iter().collect();
        for together in unknown.chunks(TOGETHER) {
            let mut answers: Vec<Option<String>> = Vec::with_capacity(together.len());
            if let Some(texts) = self.ask_for(together).await? {
                answers.extend(texts.into_iter().map(Some));
            } else {
                // One after the other, to find those that UTF-8 lacks.
                for character in together {
                    answers.push(self.ask_for(&[character]).await?.and_then(|mut texts| texts.pop()));
                }
            }
            let answers = answers.into_iter().map(|text| text.map(Box::from));
            self.known().extend(together.iter().map(|character| (*character).clone()).zip(answers));
        }
        Ok(())
    }

    /// What these characters are; none when one of them is not in UTF-8.
    async fn ask_for(&self, characters: &[&Vec<u8>]) -> Result<Option<Vec<String>>> {
        let asked = self
            .client
            .query(
                "SELECT convert(c, getdatabaseencoding(), 'UTF8') FROM unnest($1::bytea[]) WITH ORDINALITY AS t (c, n) ORDER BY n",
                &[&characters],
            )
            .await;
        match asked {
            Ok(rows) => {
                let texts = rows.iter().map(|row| String::from_utf8(row.get(0)));
                Ok(texts.collect::<std::result::Result<_, _>>().ok())
            }
            Err(cause) if is_no_text(&cause) => Ok(None),
            Err(cause) => {
                let failed: Error = refused("cannot ask for characters of the database's encoding")(cause);
                Err(failed)
            }
        }
    }
}

/// Whether PostgreSQL refuses a statement since a text is none in its encoding, or has none in UTF-8.
pub(super) fn is_no_text(cause: &tokio_postgres::Error) -> bool {
    use tokio_postgres::error::SqlState;
    matches!(cause.code(), Some(&SqlState::CHARACTER_NOT_IN_REPERTOIRE | &SqlState::UNTRANSLATABLE_CHARACTER))
}

/// Asks something of each of these objects, by a statement that takes their OIDs. Those of which a text has no form in UTF-8
/// are left out, and noted.
pub(super) async fn query_readable(
    client: &Client,
    sql: &str,
    oids: &[u32],
    unreadable: &mut Vec<u32>,
) -> std::result::Result<Vec<Row>, tokio_postgres::Error> {
    let (mut rows, mut left) = (Vec::new(), vec![oids]);
    while let Some(oids) = left.pop() {
        match client.query(sql, &[&oids]).await {
            Ok(found) => rows.extend(found),
            Err(cause) if is_no_text(&cause) => match oids {
                [one] => unreadable.push(*one),
                several => {
                    let (first, second) = several.split_at(several.len() / 2);
                    left.extend([first, second]);
                }
            },
            Err(cause) => return Err(cause),
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_told_apart() {
        let check = |encoding: &str, bytes: &[u8], characters: &[&[u8]]| {
            let mut unknown = BTreeSet::new();
            let mut out = Vec::new();
            convert(Widths::of(encoding), &HashMap::new(), bytes, &mut out, &mut unknown);
            let mut expected: Vec<Vec<u8>> = characters.iter().map(|bytes| bytes.to_vec()).collect();
            expected.sort();
            assert_eq!(unknown.into_iter().collect::<Vec<_>>(), expected, "{encoding}");
        };
        check("WIN1252", b"a\x81\x80b", &[b"\x81", b"\x80"]);
        check(
            "EUC_JP",
            b"a\xa4\xa2\x8e\xb1\x8f\xb0\xa1b\xa4",
            &[b"\xa4\xa2", b"\x8e\xb1", b"\x8f\xb0\xa1", b"\xa4"],
        );
        check("EUC_TW", b"\x8e\xa2\xa1\xa1\xc4\xe3", &[b"\x8e\xa2\xa1\xa1", b"\xc4\xe3"]);
        check("SQL_ASCII", b"\xff", &[]);
    }

    #[test]
    fn texts_are_converted_as_a_whole_or_not_at_all() {
        let known = HashMap::from([(vec![0xe9], Some(Box::from("é"))), (vec![0x81], None)]);
        let check = |encoding: &str, bytes: &[u8]| {
            let mut out = Vec::new();
            let is_text = convert(Widths::of(encoding), &known, bytes, &mut out, &mut BTreeSet::new());
            is_text.then(|| String::from_utf8(out).unwrap())
        };
        assert_eq!(check("WIN1252", b"caf\xe9").as_deref(), Some("café"));
        assert_eq!(check("WIN1252", b"caf\xe9\x81"), None);
        assert_eq!(check("SQL_ASCII", "é".as_bytes()).as_deref(), Some("é"));
        assert_eq!(check("SQL_ASCII", b"\xe9"), None);
    }
}
