use super::{Findings, some};
use crate::table::TableShape;

/// Tells the columns whose fields have other names, since Avro does not allow theirs or another column has it.
pub(super) fn check<'a>(shapes: impl Iterator<Item = &'a TableShape>, findings: &mut Findings) {
    let mut renamed = Vec::new();
    for shape in shapes {
        let columns = shape.columns.iter().filter(|column| column.captured && column.field != column.name);
        renamed.extend(columns.map(|column| format!("{}.{} as {}", shape.name, column.name, column.field)));
    }
    if !renamed.is_empty() {
        findings.note(
            "field names",
            format!(
                "Avro allows letters, digits and _ alone; these columns have other names: {}",
                some(&renamed)
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Column, TableName};
    use lakepulse_types::AvroForm;

    #[test]
    fn columns_with_other_names_are_named() {
        let mut columns = ["id", "名前"].map(|name| Column::new(name, AvroForm::Text, true));
        columns[1].field = "___2".into();
        let shape =
            TableShape::new(TableName { schema: "s".into(), table: "t".into() }, columns.into(), vec![0]);
        let mut findings = Findings::default();
        check([&shape].into_iter(), &mut findings);
        let lines: Vec<String> = findings.0.iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), 1);
        assert!(lines[0].contains("s.t.名前 as ___2") && !lines[0].contains("s.t.id"), "{lines:?}");
    }
}
