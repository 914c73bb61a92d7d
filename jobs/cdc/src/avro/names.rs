use std::collections::HashSet;

use crate::table::Column;

/// Makes a field's name valid in Avro: other characters become `_`, a leading digit gets one in front.
pub(crate) fn field_name(name: &str) -> String {
    let mut valid: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    if valid.chars().next().is_none_or(|first| first.is_ascii_digit()) {
        valid.insert(0, '_');
    }
    valid
}

/// The names of these columns' fields, in their order, all distinct. A column keeps the name that `remembered` has for it;
/// else its own, where Avro allows that; else that with other characters as `_`, to which a later column that would meet an
/// earlier one adds `_` and its place, from 1. A column that is not captured has no field and takes no name away.
pub(crate) fn field_names(columns: &[Column], remembered: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut names: Vec<Option<String>> = columns.iter().map(|_| None).collect();
    let mut taken = HashSet::new();
    let captured = |column: &&Column| column.captured;
    for (name, column) in names.iter_mut().zip(columns).filter(|(_, column)| captured(column)) {
        *name = remembered(&column.name).filter(|name| taken.insert(name.clone()));
    }
    for (name, column) in names.iter_mut().zip(columns).filter(|(_, column)| captured(column)) {
        if name.is_none() && field_name(&column.name) == column.name && taken.insert(column.name.clone()) {
            *name = Some(column.name.clone());
        }
    }
    let mut distinct = Vec::with_capacity(columns.len());
    for (place, (name, column)) in names.into_iter().zip(columns).enumerate() {
        let plain = field_name(&column.name);
        distinct.push(match name {
            Some(name) => name,
            None if !column.captured || taken.insert(plain.clone()) => plain,
            None => {
                let mut longer = format!("{plain}_{}", place + 1);
                while !taken.insert(longer.clone()) {
                    longer = format!("{longer}_{}", place + 1);
                }
                longer
            }
        });
    }
    distinct
}

/// The namespace of the records of a topic: its name with every part valid in Avro, as Debezium has it whatever names
/// its topics.
pub(crate) fn namespace(topic: &str) -> String {
    topic.split('.').map(field_name).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use lakepulse_types::AvroForm;

    #[test]
    fn valid_names() {
        for (name, valid) in [
            ("order_id", "order_id"),
            ("Odd Name", "Odd_Name"),
            ("1st", "_1st"),
            ("größe", "gr__e"),
            ("", "_"),
        ] {
            assert_eq!(field_name(name), valid);
        }
        for (topic, valid) in [
            ("a.b-c.sales-eu.Order_Lines", "a.b_c.sales_eu.Order_Lines"),
            ("wwi.1st", "wwi._1st"),
            ("plain", "plain"),
        ] {
            assert_eq!(namespace(topic), valid);
        }
    }

    #[test]
    fn fields_that_would_meet() {
        let columns = |names: &[&str]| -> Vec<Column> {
            names.iter().map(|name| Column::new(name, AvroForm::Text, true)).collect()
        };
        for (names, fields) in [
            (&["id", "名前", "住所"][..], &["id", "__", "___3"][..]),
            (&["a-b", "a_b"], &["a_b_1", "a_b"]),
            (&["a b", "a-b", "a_b_2"], &["a_b", "a_b_2_2", "a_b_2"]),
            (&["1st", "_1st"], &["_1st_1", "_1st"]),
            (&["A", "a"], &["A", "a"]),
        ] {
            assert_eq!(field_names(&columns(names), |_| None), fields, "{names:?}");
        }
        let remembered = |name: &str| (name == "住所").then(|| "__".to_owned());
        assert_eq!(field_names(&columns(&["名前", "住所"]), remembered), ["___1", "__"]);
        let mut excluded = columns(&["a b", "a-b"]);
        excluded[0].captured = false;
        assert_eq!(field_names(&excluded, |_| None), ["a_b", "a_b"]);
    }
}
