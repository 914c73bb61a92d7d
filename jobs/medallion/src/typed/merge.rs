//! The statement that merges a window of `silver.changes` into a typed table.

use std::collections::BTreeMap;

use lakepulse_types::SourceType;

use super::naming::MetaColumns;
use crate::control::{Position, Shape, ShapeColumn};
use crate::lake::{Lake, quoted, quoted_table, text_literal};

/// Events of one table.
#[derive(Debug, Clone)]
pub(super) struct Window<'a> {
    pub(super) source_table: &'a str,
    /// Events at or before it are in the table already.
    pub(super) after: Position,
    /// Events at or before it are merged.
    pub(super) to: Position,
    /// The shapes that the events have, the oldest first.
    pub(super) shapes: &'a [Shape],
    /// Columns that some event did not tell.
    pub(super) untold: &'a [String],
    /// Some rows were given another key while values of theirs were not told. No event of the window before such a move is about either of its
    /// keys.
    pub(super) has_moves: bool,
}

/// Whether an event gives a row another key and leaves a value out: a delete of the old key comes right before it.
const IS_MOVE: &str = "op = 'c' AND size(untold) > 0";

/// More than files of `silver.changes` are worth.
const MOST_TASKS: u32 = 64;

impl Window<'_> {
    /// The rows of `silver.changes` in it.
    pub(super) fn condition(&self) -> String {
        let (after, to) = (self.after, self.to);
        format!(
            "source_table = {} AND commit_lsn >= {} AND commit_lsn <= {} AND (commit_lsn > {} OR ordinal > {}) AND (commit_lsn < {} OR ordinal <= {})",
            text_literal(self.source_table),
            after.commit_lsn,
            to.commit_lsn,
            after.commit_lsn,
            after.ordinal,
            to.commit_lsn,
            to.ordinal,
        )
    }

    /// The query for its rows of `silver.changes` that meet a further condition. Its hint keeps the LSNs, which differ in each window, out of
    /// the stages behind, so that Spark generates their code once.
    pub(super) fn events(&self, lake: &Lake, condition: &str) -> String {
        format!(
            "SELECT /*+ COALESCE({MOST_TASKS}) */ * FROM {} WHERE {} AND {condition}",
            quoted_table(&lake.changes()),
            self.condition()
        )
    }

    /// [`Window::events`] of rows, with the row as `j`, the key as `k`, and if there are moves the key that the row had before as `m`.
    pub(super) fn row_events(&self, lake: &Lake) -> String {
        let (events, schema) = (self.events(lake, "op IN ('c', 'u', 'd')"), self.json_schema());
        let parsed = format!("SELECT *, from_json(`row`, {schema}) AS j, from_json(key, {schema}) AS k");
        if !self.has_moves {
            return format!("{parsed} FROM ({events})");
        }
        format!(
            "{parsed}, from_json(key_before, {schema}) AS m FROM (SELECT e.*, p.key AS key_before FROM ({events}) AS e \
             LEFT JOIN (SELECT commit_lsn, ordinal + 1 AS ordinal, key FROM ({events}) WHERE op = 'd') AS p \
             ON e.{IS_MOVE} AND e.commit_lsn = p.commit_lsn AND e.ordinal = p.ordinal)"
        )
    }

    /// The places of moves before which a step has to end, since an earlier event is about one of their keys: commit_lsn, ordinal.
    pub(super) fn ends_before_moves(&self, lake: &Lake, shape: &Shape) -> String {
        let (new, old) = (self.key(shape, "k"), self.key(shape, "m"));
        format!(
            "WITH e AS (SELECT commit_lsn, ordinal, op, untold, {new} AS new, {old} AS old FROM ({})), \
             moves AS (SELECT commit_lsn, ordinal - 1 AS ordinal, explode(array(new, old)) AS key FROM e WHERE {IS_MOVE}) \
             SELECT DISTINCT commit_lsn, ordinal FROM moves WHERE EXISTS (SELECT * FROM e WHERE e.new = moves.key \
             AND (e.commit_lsn < moves.commit_lsn OR e.commit_lsn = moves.commit_lsn AND e.ordinal < moves.ordinal)) ORDER BY 1, 2",
            self.row_events(lake),
        )
    }

    /// The key in an event's object as a struct of canonical texts `k0`, `k1`, ….
    fn key(&self, shape: &Shape, object: &str) -> String {
        let columns = shape.key.iter().filter_map(|name| shape.column(name)).enumerate();
        let members: Vec<String> = columns
            .map(|(number, column)| format!("'k{number}', {}", self.canonical(column, object)))
            .collect();
        format!("named_struct({})", members.join(", "))
    }

    /// Of a move: its old key, and its place.
    pub(super) fn moved(&self, shape: &Shape) -> String {
        format!("named_struct('key', {}, 'commit_lsn', commit_lsn, 'ordinal', ordinal)", self.key(shape, "m"))
    }

    /// Whether a row of a table or of its open versions is the one that a move `{moved}` took its values from: it is there still, and no later
    /// one is in its place.
    pub(super) fn is_origin(shape: &Shape, meta: &MetaColumns, row: &str, moved: &str) -> String {
        let columns = shape.key.iter().filter_map(|name| shape.column(name)).enumerate();
        let same = columns.map(|(number, column)| {
            let key = typed(&column.lake_type(), &format!("{moved}.key.k{number}"));
            format!("{row}.{} = {key}", quoted(&column.column))
        });
        let (lsn, ordinal) = (quoted(&meta.commit_lsn), quoted(&meta.ordinal));
        let earlier = format!(
            "({row}.{lsn} < {moved}.commit_lsn OR {row}.{lsn} = {moved}.commit_lsn AND {row}.{ordinal} < {moved}.ordinal)"
        );
        same.chain([earlier]).collect::<Vec<_>>().join(" AND ")
    }

    /// A column's canonical text in `{json}`, a struct that [`Window::json_schema`] describes.
    pub(super) fn canonical(&self, column: &ShapeColumn, json: &str) -> String {
        let value = |shape: &Shape| match shape.columns.iter().find(|former| former.is(column)) {
            Some(former) => format!("{json}.{}", quoted(&former.column)),
            None => column.missing.as_deref().map_or_else(|| "NULL".to_owned(), text_literal),
        };
        let newest = self.shapes.last().map_or_else(|| "NULL".to_owned(), value);
        let cases: String = self
            .shapes
            .iter()
            .map(|shape| (shape.version, value(shape)))
            .filter(|(_, value)| *value != newest)
            .map(|(version, value)| format!(" WHEN {version} THEN {value}"))
            .collect();
        if cases.is_empty() { newest } else { format!("CASE shape{cases} ELSE {newest} END") }
    }

    /// How `from_json` reads rows of all shapes.
    pub(super) fn json_schema(&self) -> String {
        let mut fields: BTreeMap<&str, String> = BTreeMap::new();
        for column in self.shapes.iter().flat_map(|shape| &shape.columns) {
            let kind = column.lake_type().canonical_json();
            let known = fields.entry(&column.column).or_insert_with(|| kind.clone());
            if *known != kind {
                "STRING".clone_into(known);
            }
        }
        let fields: Vec<String> =
            fields.iter().map(|(name, kind)| format!("{} {kind}", quoted(name))).collect();
        text_literal(&fields.join(", "))
    }
}

/// Canonical text as the source type's Spark type.
pub(super) fn typed(source: &SourceType, canonical: &str) -> String {
    format!("CAST({} AS {})", source.typed_canonical(canonical), source.spark())
}

/// The last event of each key: `r`, a struct of the shape's columns and the meta columns; op string; and for each column that was untold
/// kept_N boolean: whether neither an event of the window told it, nor the table has the row that was given this key.
fn last_events(lake: &Lake, table: &str, window: &Window<'_>, shape: &Shape, meta: &MetaColumns) -> String {
    let untold: Vec<&ShapeColumn> =
        shape.columns.iter().filter(|column| window.untold.contains(&column.column)).collect();
    let position = "struct(commit_lsn, ordinal)";
    let mut aggregates = vec![format!(
        "max_by(struct(op, j, k, shape, untold, commit_lsn, ordinal, committed_at), {position}) AS l"
    )];
    for (number, column) in untold.iter().enumerate() {
        aggregates.push(format!(
            "max_by(struct({} AS v), {position}) FILTER (WHERE op <> 'd' AND NOT array_contains(coalesce(untold, array()), {})) AS t{number}",
            window.canonical(column, "j"),
            text_literal(&column.column),
        ));
    }
    let origin = if window.has_moves {
        let moved = window.moved(shape);
        aggregates.push(format!("max_by({moved}, {position}) FILTER (WHERE {IS_MOVE}) AS moved"));
        format!(" LEFT JOIN {} AS o ON {}", quoted_table(table), Window::is_origin(shape, meta, "o", "moved"))
    } else {
        String::new()
    };
    let keys: Vec<String> = shape
        .key
        .iter()
        .filter_map(|name| shape.column(name))
        .map(|column| window.canonical(column, "k"))
        .collect();
    let is_unknown = |number: usize, column: &ShapeColumn| {
        format!(
            "array_contains(coalesce(l.untold, array()), {}) AND t{number} IS NULL",
            text_literal(&column.column)
        )
    };
    let columns = shape.columns.iter().map(|column| {
        let from = if shape.key.contains(&column.column) { "l.k" } else { "l.j" };
        let value = window.canonical(column, from).replace("CASE shape", "CASE l.shape");
        let name = text_literal(&column.column);
        let Some(number) = untold.iter().position(|other| other.column == column.column) else {
            return format!("{name}, {}", typed(&column.lake_type(), &value));
        };
        let told = format!("if(array_contains(coalesce(l.untold, array()), {name}), t{number}.v, {value})");
        let told = typed(&column.lake_type(), &told);
        if window.has_moves {
            format!("{name}, if({}, o.{}, {told})", is_unknown(number, column), quoted(&column.column))
        } else {
            format!("{name}, {told}")
        }
    });
    let names = meta.names().zip(["commit_lsn", "ordinal", "committed_at"]);
    let names = names.map(|(name, value)| format!("{}, l.{value}", text_literal(name)));
    let members: Vec<String> = columns.chain(names).collect();
    let kept = untold.iter().enumerate().map(|(number, column)| {
        let no_origin = if window.has_moves {
            format!(" AND o.{} IS NULL", quoted(&meta.commit_lsn))
        } else {
            String::new()
        };
        format!(", {}{no_origin} AS kept_{number}", is_unknown(number, column))
    });
    format!(
        "SELECT named_struct({}) AS r, l.op AS op{} FROM (SELECT {} FROM ({}) GROUP BY {}){origin}",
        members.join(", "),
        kept.collect::<String>(),
        aggregates.join(", "),
        window.row_events(lake),
        keys.join(", "),
    )
}

/// Merges the last event of each key. Events that the table has already change nothing, so that a merge that was broken off may be
/// repeated with a later end. Of inserts alone, a key that is there was merged before: Delta adds the others in one pass, without looking for
/// rows to rewrite.
pub(super) fn keyed(
    lake: &Lake,
    table: &str,
    window: &Window<'_>,
    shape: &Shape,
    only_inserts: bool,
) -> String {
    let meta = MetaColumns::of(shape);
    let untold: Vec<&ShapeColumn> =
        shape.columns.iter().filter(|column| window.untold.contains(&column.column)).collect();
    let (lsn, ordinal) = (quoted(&meta.commit_lsn), quoted(&meta.ordinal));
    let newer = format!("(s.r.{lsn} > t.{lsn} OR s.r.{lsn} = t.{lsn} AND s.r.{ordinal} > t.{ordinal})");
    let names: Vec<&str> =
        shape.columns.iter().map(|column| column.column.as_str()).chain(meta.names()).collect();
    let sets: Vec<String> = names
        .iter()
        .map(|name| {
            let column = quoted(name);
            match untold.iter().position(|column| column.column == **name) {
                Some(number) => format!("t.{column} = if(s.kept_{number}, t.{column}, s.r.{column})"),
                None => format!("t.{column} = s.r.{column}"),
            }
        })
        .collect();
    let columns: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    let values: Vec<String> = columns.iter().map(|column| format!("s.r.{column}")).collect();
    let matched = if only_inserts {
        String::new()
    } else {
        format!(
            "WHEN MATCHED AND {newer} AND s.op = 'd' THEN DELETE WHEN MATCHED AND {newer} THEN UPDATE SET {}",
            sets.join(", ")
        )
    };
    format!(
        "MERGE INTO {} AS t USING ({}) AS s ON {} {matched} WHEN NOT MATCHED AND s.op <> 'd' THEN INSERT ({}) VALUES ({})",
        quoted_table(table),
        last_events(lake, table, window, shape, &meta),
        same_key(shape, "t", "s.r"),
        columns.join(", "),
        values.join(", "),
    )
}

/// Whether two rows have one key.
pub(super) fn same_key(shape: &Shape, left: &str, right: &str) -> String {
    let same: Vec<String> =
        shape.key.iter().map(|key| format!("{left}.{0} = {right}.{0}", quoted(key))).collect();
    same.join(" AND ")
}

/// Changes a table that nothing identifies a row of and whose updates and deletes tell the row before. What counts is how often a row was
/// written and taken away: as many of the equal rows are added or deleted as make the difference. A row that is taken away and is not there is an
/// error.
pub(super) fn keyless_changes(lake: &Lake, table: &str, window: &Window<'_>, shape: &Shape) -> String {
    let meta = MetaColumns::of(shape);
    let (table, lsn, ordinal) = (quoted_table(table), quoted(&meta.commit_lsn), quoted(&meta.ordinal));
    let row = |value: &dyn Fn(&ShapeColumn) -> String| {
        let values = shape.columns.iter().enumerate();
        let values: Vec<String> =
            values.map(|(number, column)| format!("'c{number}', {}", value(column))).collect();
        format!("named_struct({})", values.join(", "))
    };
    let after = row(&|column| {
        let (after, before) = (window.canonical(column, "j"), window.canonical(column, "b"));
        let value = if window.untold.contains(&column.column) {
            format!(
                "if(array_contains(coalesce(untold, array()), {}), {before}, {after})",
                text_literal(&column.column)
            )
        } else {
            after
        };
        typed(&column.lake_type(), &value)
    });
    let before = row(&|column| typed(&column.lake_type(), &window.canonical(column, "b")));
    let present = row(&|column| format!("t.{}", quoted(&column.column)));
    let columns: Vec<String> =
        shape.columns.iter().map(|column| quoted(&column.column)).chain(meta.names().map(quoted)).collect();
    let values = (0..shape.columns.len()).map(|number| format!("s.r.c{number}"));
    let values: Vec<String> =
        values.chain(["commit_lsn", "ordinal", "committed_at"].map(|name| format!("s.{name}"))).collect();
    let schema = window.json_schema();
    format!(
        "MERGE INTO {table} AS t USING (\
         WITH events AS (SELECT *, from_json(`row`, {schema}) AS j, from_json(before, {schema}) AS b FROM ({})), \
         told AS (SELECT {after} AS r, struct(commit_lsn, ordinal, committed_at) AS place FROM events WHERE op IN ('c', 'u') \
         UNION ALL SELECT {before}, NULL FROM events WHERE op IN ('u', 'd')), \
         sums AS (SELECT r, CAST(2 * count(place) - count(*) AS INT) AS more, sort_array(collect_list(place), false) AS places FROM told GROUP BY r), \
         removed AS (SELECT n.r, n.more, t.{lsn} AS commit_lsn, t.{ordinal} AS ordinal, count(t.{lsn}) OVER (PARTITION BY n.r) AS present, \
         row_number() OVER (PARTITION BY n.r ORDER BY t.{lsn} DESC, t.{ordinal} DESC) AS number \
         FROM (SELECT * FROM sums WHERE more < 0) AS n LEFT JOIN {table} AS t ON {present} <=> n.r) \
         SELECT r, place.commit_lsn, place.ordinal, place.committed_at, true AS adds FROM \
         (SELECT r, explode(slice(places, 1, more)) AS place FROM sums WHERE more > 0) \
         UNION ALL SELECT r, commit_lsn, ordinal, CAST(NULL AS TIMESTAMP), if(present < -more, \
         CAST(raise_error('a row was changed or deleted that the table does not have') AS BOOLEAN), false) FROM removed WHERE number <= -more) AS s \
         ON t.{lsn} = s.commit_lsn AND t.{ordinal} = s.ordinal WHEN MATCHED AND NOT s.adds THEN DELETE \
         WHEN NOT MATCHED AND s.adds THEN INSERT ({}) VALUES ({})",
        window.events(lake, "op IN ('c', 'u', 'd')"),
        columns.join(", "),
        values.join(", "),
    )
}

/// Adds the rows of a table that nothing identifies a row of, each known by its event.
pub(super) fn keyless(lake: &Lake, table: &str, window: &Window<'_>, shape: &Shape) -> String {
    let meta = MetaColumns::of(shape);
    let mut selected: Vec<String> = shape
        .columns
        .iter()
        .map(|column| {
            format!(
                "{} AS {}",
                typed(&column.lake_type(), &window.canonical(column, "j")),
                quoted(&column.column)
            )
        })
        .collect();
    for (name, value) in meta.names().zip(["commit_lsn", "ordinal", "committed_at"]) {
        selected.push(format!("{value} AS {}", quoted(name)));
    }
    let (lsn, ordinal) = (quoted(&meta.commit_lsn), quoted(&meta.ordinal));
    format!(
        "MERGE INTO {} AS t USING (SELECT {} FROM (SELECT *, from_json(`row`, {}) AS j FROM ({}))) AS s \
         ON t.{lsn} >= {} AND t.{lsn} = s.{lsn} AND t.{ordinal} = s.{ordinal} WHEN NOT MATCHED THEN INSERT *",
        quoted_table(table),
        selected.join(", "),
        window.json_schema(),
        window.events(lake, "op = 'c'"),
        window.after.commit_lsn,
    )
}

/// The statements that give rows of before an enum's value was renamed its new name; `after`: where the table stood.
pub(super) fn renamed_labels(
    table: &str,
    shape: &Shape,
    shapes: &[Shape],
    after: Position,
    meta: &MetaColumns,
) -> Vec<String> {
    let mut statements = Vec::new();
    for renaming in
        shapes.iter().filter(|renaming| renaming.version <= shape.version && renaming.from > after)
    {
        for change in renaming.changes.iter().filter(|change| change.what == "label_renamed") {
            let (Some(name), Some(before), Some(new)) = (&change.column, &change.before, &change.after)
            else {
                continue;
            };
            let was = renaming.columns.iter().find(|column| column.name == *name);
            let Some(column) = was.and_then(|was| shape.columns.iter().find(|column| column.is(was))) else {
                continue;
            };
            let (name, before, new) = (quoted(&column.column), text_literal(before), text_literal(new));
            let earlier = renaming.from.is_behind(&quoted(&meta.commit_lsn), &quoted(&meta.ordinal));
            statements.push(format!(
                "UPDATE {} SET {name} = {new} WHERE {name} = {before} AND {earlier}",
                quoted_table(table)
            ));
        }
    }
    statements
}
