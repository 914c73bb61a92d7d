/// Makes a field's name valid in Avro: other characters become `_`, a leading digit gets one in front.
pub(crate) fn field_name(name: &str) -> String {
    let mut valid: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    if valid.chars().next().is_none_or(|first| first.is_ascii_digit()) {
        valid.insert(0, '_');
    }
    valid
}

/// The namespace of the records of a topic: its name with every part valid in Avro, as Debezium has it whatever names
/// its topics.
pub(crate) fn namespace(topic: &str) -> String {
    topic.split('.').map(field_name).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
