//! What independent code makes of the bytes that this crate writes.

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;

/// The value that the Avro library reads from exactly these bytes, which have no wire header.
pub(super) fn read_back(schema: &str, mut bytes: &[u8]) -> Value {
    let schema = Schema::parse_str(schema).unwrap();
    let value = GenericDatumReader::builder(&schema).build().unwrap().read_value(&mut bytes).unwrap();
    assert!(bytes.is_empty(), "{} bytes left", bytes.len());
    value
}
