//! What `lakepulse verify` found.

use serde::Serialize;

/// How the rows of a table at the source compare with silver's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TableReport {
    /// `schema.table`.
    pub table: String,
    /// Rows at the source.
    pub rows: i64,
    /// Rows that silver lacks.
    pub missing: i64,
    /// Rows that silver has and the source has not.
    pub extra: i64,
    /// Rows with the same key and other values.
    pub different: i64,
    /// Foreign keys of silver's rows that lead nowhere.
    pub orphans: i64,
    /// Why the table stands still and was not compared; none while it does not.
    pub held: Option<String>,
    /// Columns that silver has a mask of instead of the value, which were not compared.
    pub masked: Vec<String>,
}

impl TableReport {
    /// Whether the table was compared and nothing was found.
    pub fn is_clean(&self) -> bool {
        self.held.is_none() && self.missing + self.extra + self.different + self.orphans == 0
    }
}

/// All tables at a cut.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The LSN of the cut that silver was merged to.
    pub cut: i64,
    /// Every captured table.
    pub tables: Vec<TableReport>,
}

impl Report {
    /// Whether nothing was found in any table.
    pub fn is_clean(&self) -> bool {
        self.tables.iter().all(TableReport::is_clean)
    }

    /// The report as a table on standard output, and below it what was not compared.
    pub fn print(&self) {
        println!("source and silver at cut {}:", self.cut);
        println!(
            "{:32} {:>10} {:>8} {:>8} {:>10} {:>8}",
            "table", "rows", "missing", "extra", "different", "orphans"
        );
        for table in &self.tables {
            if table.held.is_some() {
                println!("{:32} {:>10}", table.table, "held");
                continue;
            }
            println!(
                "{:32} {:>10} {:>8} {:>8} {:>10} {:>8}",
                table.table, table.rows, table.missing, table.extra, table.different, table.orphans
            );
        }
        for table in &self.tables {
            if let Some(reason) = &table.held {
                println!("held: {} was not compared: {reason}", table.table);
            }
            if !table.masked.is_empty() {
                println!("masked: columns of {} were not compared: {}", table.table, table.masked.join(", "));
            }
        }
    }
}
