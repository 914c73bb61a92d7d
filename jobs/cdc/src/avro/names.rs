use crate::table::TableName;

/// Makes a field's name valid in Avro: other characters become `_`, a leading digit gets one in front.
pub(crate) fn field_name(name: &str) -> String {
    let mut valid: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    if valid.chars().next().is_none_or(|first| first.is_ascii_digit()) {
        valid.insert(0, '_');
    }
    valid
}

/// The namespace of a table's records, `<prefix>.<schema>.<table>` with every part valid in Avro.
pub(crate) fn namespace(prefix: &str, table: &TableName) -> String {
    let prefix: Vec<String> = prefix.split('.').map(field_name).collect();
    format!("{}.{}.{}", prefix.join("."), field_name(&table.schema), field_name(&table.table))
}

/// The table's topic, `<prefix>.<schema>.<table>` with characters that Kafka refuses as `_`.
pub(crate) fn topic_name(prefix: &str, table: &TableName) -> String {
    format!("{prefix}.{table}")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' })
        .collect()
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
        let table = TableName { schema: "sales-eu".into(), table: "Order Lines".into() };
        assert_eq!(namespace("a.b-c", &table), "a.b_c.sales_eu.Order_Lines");
        assert_eq!(topic_name("a.b-c", &table), "a.b-c.sales-eu.Order_Lines");
    }
}
