use rand::Rng;

use super::copy_text::CopyText;
use super::random::{Stream, stream};
use super::reference::{Reference, nth};
use super::{EDITOR, EPOCH, OPEN_END};
use crate::error::Error;

/// Employees have the ids 2 to 20; the first ten of them sell.
pub(crate) const EMPLOYEES: std::ops::RangeInclusive<i32> = 2..=20;
pub(crate) const SALESPERSONS: std::ops::RangeInclusive<i32> = 2..=11;
const FIRST_SUPPLIER_CONTACT: i32 = 21;

/// The primary and the alternate contact of supplier or customer number `index` (from 0).
pub(crate) fn supplier_contacts(index: usize) -> (i32, i32) {
    let first = FIRST_SUPPLIER_CONTACT + 2 * index as i32;
    (first, first + 1)
}

pub(crate) fn customer_contacts(reference: &Reference, index: usize) -> (i32, i32) {
    supplier_contacts(reference.suppliers.len() + index)
}

/// Preferred and full name of a person, unique up to the product of the lists' lengths.
pub(crate) fn name_of(reference: &Reference, person_id: i32) -> Result<(String, String), Error> {
    let combinations = reference.first_names.len() * reference.last_names.len();
    let combination = (person_id.unsigned_abs() as usize * 1409) % combinations.max(1);
    let first = nth(&reference.first_names, combination)?;
    let last = nth(&reference.last_names, combination / reference.first_names.len().max(1))?;
    Ok((first.clone(), format!("{first} {last}")))
}

pub(crate) fn phone(rng: &mut impl Rng) -> String {
    format!("({:03}) 555-{:04}", rng.random_range(201..990), rng.random_range(100..9999))
}

/// Columns in the table's order; `search_name` and `other_languages` are computed by the table.
pub(crate) fn people(
    seed: u64,
    reference: &Reference,
    customers: usize,
    copy: &mut CopyText,
) -> Result<(), Error> {
    let mut rng = stream(seed, Stream::People, 0);
    copy.field(EDITOR)
        .field("Data Conversion Only")
        .field("Data Conversion Only")
        .field(false)
        .field("NO LOGON");
    copy.field(false).null().field(false).field(false).field(false).null().null().null().null().null().null();
    copy.field(EDITOR).field(EPOCH).field(OPEN_END).end();

    let last = customer_contacts(reference, customers.saturating_sub(1)).1;
    for person_id in *EMPLOYEES.start()..=last {
        let (preferred, full) = name_of(reference, person_id)?;
        let employee = EMPLOYEES.contains(&person_id);
        let selling = SALESPERSONS.contains(&person_id);
        let account = full.to_lowercase().replace(' ', ".");
        copy.field(person_id).field(&full).field(&preferred).field(employee);
        if employee {
            let password: [u8; 32] = rng.random();
            copy.field(format_args!("{account}@wideworldimporters.example")).field(false);
            copy.field(format_args!("\\x{}", hex(&password)));
        } else {
            copy.field("NO LOGON").field(false).null();
        }
        copy.field(employee).field(employee).field(selling);
        copy.field(format_args!(
            r#"{{"theme":"{}","dateFormat":"yy-mm-dd","timeZone":"PST","table":{{"pageLength":{}}}}}"#,
            nth(&["blitzer", "humanity", "dark-hive", "ui-darkness"], person_id as usize)?,
            [10, 25, 50].get(rng.random_range(0..3_usize)).unwrap_or(&10)
        ));
        let (phone, fax) = (phone(&mut rng), phone(&mut rng));
        copy.field(phone).field(fax).field(format_args!("{account}{person_id}@example.com")).null();
        if employee {
            let language = nth(&reference.languages, rng.random_range(0..reference.languages.len()))?;
            copy.field(format_args!(
                r#"{{"OtherLanguages":["{language}"],"HireDate":"20{:02}-0{}-1{}T00:00:00","Title":"{}"}}"#,
                rng.random_range(8..13),
                rng.random_range(1..10),
                rng.random_range(0..10),
                if selling { "Team Member" } else { "Warehouse Supervisor" }
            ));
        } else {
            copy.null();
        }
        copy.field(EDITOR).field(EPOCH).field(OPEN_END).end();
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |text, byte| text + &format!("{byte:02x}"))
}
