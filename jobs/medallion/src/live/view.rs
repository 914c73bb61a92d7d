//! The query of a live view.

use super::engine::{Engine, Field};
use crate::control::{Position, Shape, ShapeColumn};
use crate::typed::MetaColumns;

/// What a view is made of.
#[derive(Debug, Clone)]
pub(super) struct View<'a> {
    /// `schema.table`, as `silver.changes` has it.
    pub(super) source_table: &'a str,
    /// The typed table, with its database.
    pub(super) typed: String,
    /// `silver.changes`, with its database.
    pub(super) changes: String,
    /// The Delta version of the typed table that equals the source at `cut`.
    pub(super) version: i64,
    pub(super) cut: i64,
    /// Events from here on are not followed.
    pub(super) until: Option<Position>,
    /// The typed table's, at that version.
    pub(super) from: &'a Shape,
    /// Those that events may have, the oldest first.
    pub(super) shapes: &'a [Shape],
    /// The view's own.
    pub(super) shape: &'a Shape,
}

impl View<'_> {
    /// Its columns and those of [`MetaColumns`]: rows of the typed table that no event behind its cut is about, and the last event of each
    /// key behind it.
    pub(super) fn query(&self, engine: Engine<'_>) -> String {
        let parts =
            if self.shape.key.is_empty() { self.known_by_event(engine) } else { self.known_by_key(engine) };
        format!(
            "WITH base AS ({}), bounds AS ({}), events AS ({}), {parts}",
            self.base(engine),
            self.bounds(engine),
            self.events(engine)
        )
    }

    /// The typed table in the view's columns: c0 …, m0 ….
    fn base(&self, engine: Engine<'_>) -> String {
        let shape = self.shape;
        let mut values: Vec<String> = Vec::new();
        for (number, column) in shape.columns.iter().enumerate() {
            let kind = engine.type_name(&column.lake_type());
            let value = match self.from.columns.iter().find(|former| former.is(column)) {
                Some(former) => {
                    let name = engine.name(&former.column);
                    let value = if former.lake_type() == column.lake_type() {
                        name
                    } else {
                        format!("CAST({name} AS {kind})")
                    };
                    self.relabelled(engine, column, self.from.version, value)
                }
                None => match &column.missing {
                    Some(missing) => engine.typed(&column.lake_type(), &engine.text(missing)),
                    None => format!("CAST(NULL AS {kind})"),
                },
            };
            values.push(format!("{value} AS c{number}"));
        }
        for (number, name) in MetaColumns::of(self.from).names().enumerate() {
            values.push(format!("{} AS m{number}", engine.name(name)));
        }
        format!("SELECT {} FROM {}", values.join(", "), engine.table_at(&self.typed, self.version))
    }

    /// One row: emptied, the position of the last TRUNCATE, and halt, that of the first event that can't be followed.
    fn bounds(&self, engine: Engine<'_>) -> String {
        let newest = self.shape.version;
        let unfit = if self.shape.key.is_empty() {
            "op IN ('u', 'd', '?')"
        } else {
            // Of a row that was given another key the values are not known that were not told.
            "op = '?' OR op = 'c' AND coalesce(cardinality(untold), 0) > 0"
        };
        format!(
            "SELECT max(CASE WHEN op = 't' AND (halt IS NULL OR pos < halt) THEN pos END) AS emptied, max(halt) AS halt FROM \
             (SELECT op, pos, min(CASE WHEN unfit THEN pos END) OVER () AS halt FROM \
             (SELECT op, {} AS pos, shape > {newest} OR {unfit} AS unfit FROM {} WHERE {}) AS marks WHERE unfit OR op = 't') AS marked",
            engine.position(),
            engine.changes(&self.changes),
            self.condition(engine),
        )
    }

    /// Rows of `silver.changes`.
    fn condition(&self, engine: Engine<'_>) -> String {
        let mut condition =
            format!("source_table = {} AND commit_lsn > {}", engine.text(self.source_table), self.cut);
        if let Some(until) = self.until {
            condition.push_str(&format!(" AND {}", until.is_behind("commit_lsn", "ordinal")));
        }
        condition
    }

    /// Events of rows between the bounds; j: the row, k: the key, pos: the position.
    fn events(&self, engine: Engine<'_>) -> String {
        let row = engine.name("row");
        format!(
            "SELECT op, {row}, shape, untold, commit_lsn, ordinal, committed_at, pos, {} AS j, {} AS k FROM \
             (SELECT *, {} AS pos FROM {} WHERE {} AND op IN ('c', 'u', 'd')) AS behind CROSS JOIN bounds \
             WHERE (emptied IS NULL OR pos > emptied) AND (halt IS NULL OR pos < halt)",
            engine.object(&row),
            engine.object(&engine.name("key")),
            engine.position(),
            engine.changes(&self.changes),
            self.condition(engine),
        )
    }

    fn known_by_event(&self, engine: Engine<'_>) -> String {
        let shape = self.shape;
        let texts: Vec<String> = (shape.columns.iter().enumerate())
            .map(|(number, column)| format!("{} AS c{number}", self.canonical(engine, column, "j")))
            .collect();
        let typed: Vec<String> = (shape.columns.iter().enumerate())
            .map(|(number, column)| engine.typed(&column.lake_type(), &format!("c{number}")))
            .chain(["commit_lsn", "ordinal", "committed_at"].map(str::to_owned))
            .collect();
        format!(
            "texts AS (SELECT {}, commit_lsn, ordinal, committed_at FROM events WHERE op = 'c') \
             SELECT {} FROM base CROSS JOIN bounds WHERE emptied IS NULL UNION ALL SELECT {} FROM texts",
            texts.join(", "),
            self.named(engine, &self.all()),
            self.named(engine, &typed),
        )
    }

    fn known_by_key(&self, engine: Engine<'_>) -> String {
        let shape = self.shape;
        let is_key = |column: &ShapeColumn| shape.key.contains(&column.column);
        let keys: Vec<usize> = numbers(shape, is_key);
        let untold: Vec<usize> =
            numbers(shape, |column| column.lake_type().can_be_toasted() && !is_key(column));
        let column = |number: &usize| shape.columns.get(*number);
        let row = engine.name("row");

        let key_texts: Vec<String> = (keys.iter())
            .filter_map(|number| {
                Some(format!("{} AS k{number}", self.canonical(engine, column(number)?, "k")))
            })
            .collect();
        let key_names: Vec<String> = keys.iter().map(|number| format!("k{number}")).collect();
        let last = engine.record(&[
            ("op", "op".to_owned(), Field::Text),
            ("row", row.clone(), Field::Text),
            ("shape", "shape".to_owned(), Field::Integer),
            ("untold", "untold".to_owned(), Field::Names),
            ("commit_lsn", "commit_lsn".to_owned(), Field::Bigint),
            ("ordinal", "ordinal".to_owned(), Field::Bigint),
            ("committed_at", "committed_at".to_owned(), Field::Time),
        ]);
        let mut lasts = key_names.clone();
        lasts.push(format!("max_by({last}, pos) AS l"));
        lasts.extend(untold.iter().filter_map(|number| {
            let column = column(number)?;
            let lake_type = column.lake_type();
            let told =
                engine.record(&[("v", self.canonical(engine, column, "j"), Field::Canonical(&lake_type))]);
            let is_untold = self.is_untold(engine, column);
            Some(format!("max_by({told}, pos) FILTER (WHERE op <> 'd' AND NOT {is_untold}) AS t{number}"))
        }));

        let mut texts = vec!["op, commit_lsn, ordinal, committed_at".to_owned()];
        for (number, column) in shape.columns.iter().enumerate() {
            let text = if keys.contains(&number) {
                format!("k{number}")
            } else if untold.contains(&number) {
                let is_untold = self.is_untold(engine, column);
                texts.push(format!("{is_untold} AND t{number} IS NULL AS u{number}"));
                format!(
                    "CASE WHEN {is_untold} THEN t{number}.v ELSE {} END",
                    self.canonical(engine, column, "j")
                )
            } else {
                self.canonical(engine, column, "j")
            };
            texts.push(format!("{text} AS c{number}"));
        }
        let opened: Vec<String> = (key_names.iter().cloned())
            .chain(untold.iter().map(|number| format!("t{number}")))
            .chain(
                ["op", "shape", "untold", "commit_lsn", "ordinal", "committed_at"]
                    .map(|name| format!("l.{name} AS {name}")),
            )
            .collect();

        let mut values = vec!["op, commit_lsn AS m0, ordinal AS m1, committed_at AS m2".to_owned()];
        for (number, column) in shape.columns.iter().enumerate() {
            values.push(format!("{} AS c{number}", engine.typed(&column.lake_type(), &format!("c{number}"))));
        }
        let kept: Vec<String> = untold.iter().map(|number| format!("u{number}")).collect();
        values.extend(kept.iter().cloned());
        let is_kept = if kept.is_empty() { "false".to_owned() } else { kept.join(" OR ") };
        values.push(format!("{is_kept} AS kept"));

        let same: Vec<String> = keys.iter().map(|number| format!("t.c{number} = n.c{number}")).collect();
        let merged = |name: &str, number: Option<usize>| match number {
            Some(number) if keys.contains(&number) => format!("t.{name}"),
            _ if untold.is_empty() => format!("t.{name}"),
            Some(number) if untold.contains(&number) => {
                format!("CASE WHEN n.op IS NULL OR n.u{number} THEN t.{name} ELSE n.{name} END")
            }
            _ => format!("CASE WHEN n.op IS NULL THEN t.{name} ELSE n.{name} END"),
        };
        let mut old: Vec<String> =
            (0..shape.columns.len()).map(|number| merged(&format!("c{number}"), Some(number))).collect();
        old.extend(["m0", "m1", "m2"].map(|name| merged(name, None)));
        let or_kept = if untold.is_empty() { "" } else { " OR n.kept" };
        format!(
            "lasts AS (SELECT {} FROM (SELECT *, {} FROM events) AS keyed GROUP BY {}), \
             texts AS (SELECT {} FROM (SELECT {}, {} AS j FROM lasts) AS opened), \
             news AS (SELECT {} FROM texts) \
             SELECT {} FROM base AS t LEFT JOIN news AS n ON {} CROSS JOIN bounds AS b WHERE b.emptied IS NULL AND (n.op IS NULL{or_kept}) \
             UNION ALL SELECT {} FROM news WHERE op <> 'd' AND NOT kept",
            lasts.join(", "),
            key_texts.join(", "),
            key_names.join(", "),
            texts.join(", "),
            opened.join(", "),
            engine.object(&format!("l.{row}")),
            values.join(", "),
            self.named(engine, &old),
            same.join(" AND "),
            self.named(engine, &self.all()),
        )
    }

    /// c0 …, m0 ….
    fn all(&self) -> Vec<String> {
        let columns = (0..self.shape.columns.len()).map(|number| format!("c{number}"));
        columns.chain((0..3).map(|number| format!("m{number}"))).collect()
    }

    /// Values under the names of the view's columns.
    fn named(&self, engine: Engine<'_>, values: &[String]) -> String {
        let shape = self.shape;
        let meta = MetaColumns::of(shape);
        let names = shape.columns.iter().map(|column| column.column.as_str()).chain(meta.names());
        let named: Vec<String> = values
            .iter()
            .zip(names)
            .map(|(value, name)| format!("{value} AS {}", engine.name(name)))
            .collect();
        named.join(", ")
    }

    /// A column's canonical text in an object of an event of any of the shapes.
    fn canonical(&self, engine: Engine<'_>, column: &ShapeColumn, object: &str) -> String {
        self.by_shape(|shape| match shape.columns.iter().find(|former| former.is(column)) {
            Some(former) => {
                let text = engine.member(object, &former.column, &column.lake_type());
                self.relabelled(engine, column, shape.version, text)
            }
            None => column.missing.as_ref().map_or_else(|| "NULL".to_owned(), |text| engine.text(text)),
        })
    }

    /// Whether an event did not tell a column's value.
    fn is_untold(&self, engine: Engine<'_>, column: &ShapeColumn) -> String {
        self.by_shape(|shape| match shape.columns.iter().find(|former| former.is(column)) {
            Some(former) => engine.has_name("untold", &former.column),
            None => "false".to_owned(),
        })
    }

    fn by_shape(&self, value: impl Fn(&Shape) -> String) -> String {
        let newest = value(self.shape);
        let cases: String = (self.shapes.iter())
            .map(|shape| (shape.version, value(shape)))
            .filter(|(_, value)| *value != newest)
            .map(|(version, value)| format!(" WHEN {version} THEN {value}"))
            .collect();
        if cases.is_empty() { newest } else { format!("(CASE shape{cases} ELSE {newest} END)") }
    }

    /// An enum's value with the name that it has in the view's shape, of one that it had in an earlier shape.
    fn relabelled(&self, engine: Engine<'_>, column: &ShapeColumn, version: i32, value: String) -> String {
        let mut value = value;
        for shape in self.shapes.iter().filter(|shape| shape.version > version) {
            for change in shape.changes.iter().filter(|change| change.what == "label_renamed") {
                let (Some(name), Some(before), Some(after)) = (&change.column, &change.before, &change.after)
                else {
                    continue;
                };
                let is_of_column = shape.columns.iter().any(|was| was.name == *name && was.is(column));
                if is_of_column {
                    let (before, after) = (engine.text(before), engine.text(after));
                    value = format!("(CASE WHEN {value} = {before} THEN {after} ELSE {value} END)");
                }
            }
        }
        value
    }
}

fn numbers(shape: &Shape, which: impl Fn(&ShapeColumn) -> bool) -> Vec<usize> {
    shape.columns.iter().enumerate().filter(|(_, column)| which(column)).map(|(number, _)| number).collect()
}
