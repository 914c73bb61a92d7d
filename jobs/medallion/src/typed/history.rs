//! A table's history (SCD type 2): every version that a row ever had, from every event.
//!
//! A version is known by the event that made it, and is valid from that event's commit up to, and not including, the commit of the next
//! event of its key, or of the TRUNCATE that took it away.

use super::merge::{Window, same_key, typed};
use super::naming::MetaColumns;
use crate::control::{Position, Shape, ShapeColumn};
use crate::lake::{Lake, quoted, quoted_table, text_literal};

/// The rows of a table, as the open versions of its history.
pub(super) fn first(table: &str, shape: &Shape) -> String {
    let (current, history) = (MetaColumns::of(shape), MetaColumns::of_history(shape));
    let columns = shape.columns.iter().map(|column| quoted(&column.column));
    let meta = current
        .names()
        .zip(history.names())
        .map(|(name, new)| format!("{} AS {}", quoted(name), quoted(new)));
    let valid_to = std::iter::once(format!("CAST(NULL AS TIMESTAMP) AS {}", valid_to(&history)));
    let selected: Vec<String> = columns.chain(meta).chain(valid_to).collect();
    format!("SELECT {} FROM {}", selected.join(", "), quoted_table(table))
}

/// Merges every event of the window. Merging one that is there already changes nothing, or sets its version's end.
pub(super) fn merge(
    lake: &Lake,
    history: &str,
    window: &Window<'_>,
    shape: &Shape,
    is_emptied: bool,
) -> String {
    let meta = MetaColumns::of_history(shape);
    let [lsn, ordinal, end] = [quoted(&meta.commit_lsn), quoted(&meta.ordinal), valid_to(&meta)];
    format!(
        "MERGE INTO {} AS t USING ({}) AS s ON {} AND (s.opens AND t.{lsn} = s.r.{lsn} AND t.{ordinal} = s.r.{ordinal} \
         OR NOT s.opens AND t.{end} IS NULL AND (t.{lsn} < s.r.{lsn} OR t.{lsn} = s.r.{lsn} AND t.{ordinal} < s.r.{ordinal})) {}",
        quoted_table(history),
        versions(lake, history, window, shape, is_emptied),
        same_key(shape, "t", "s.r"),
        clauses(shape, &meta),
    )
}

/// What becomes of a version that is there, and of one that is not. The rows that are merged are `r`, a struct of a history's columns, and
/// `opens` boolean: whether it is a version, or the end of the one before.
fn clauses(shape: &Shape, meta: &MetaColumns) -> String {
    let end = valid_to(meta);
    let names: Vec<String> = all_columns(shape, meta).map(quoted).collect();
    let values: Vec<String> = names.iter().map(|name| format!("s.r.{name}")).collect();
    format!(
        "WHEN MATCHED AND NOT t.{end} <=> s.r.{end} THEN UPDATE SET t.{end} = s.r.{end} \
         WHEN NOT MATCHED AND s.opens THEN INSERT ({}) VALUES ({})",
        names.join(", "),
        values.join(", ")
    )
}

/// A version for each event but deletes, and for each key one row that ends the version from before the window.
fn versions(lake: &Lake, history: &str, window: &Window<'_>, shape: &Shape, is_emptied: bool) -> String {
    let meta = MetaColumns::of_history(shape);
    let untold: Vec<&ShapeColumn> = shape
        .columns
        .iter()
        .filter(|column| window.untold.contains(&column.column) && !shape.key.contains(&column.column))
        .collect();
    let events = typed_events(lake, window, shape, &meta, &untold, is_emptied);
    let mut filled = format!("({events}) AS e");
    if !untold.is_empty() {
        filled.push_str(&format!(
            " LEFT JOIN {} AS h ON {}",
            open(history, &meta),
            same_key(shape, "e.r", "h")
        ));
    }
    if window.has_moves {
        let is_origin = Window::is_origin(shape, &meta, "o", "e.moved");
        filled.push_str(&format!(" LEFT JOIN {} AS o ON {is_origin}", open(history, &meta)));
    }
    let before = |name: &str| {
        if window.has_moves {
            format!("if(o.{} IS NULL, h.{name}, o.{name})", quoted(&meta.commit_lsn))
        } else {
            format!("h.{name}")
        }
    };
    let mut members: Vec<String> = shape
        .columns
        .iter()
        .map(|column| {
            let name = quoted(&column.column);
            let value = match untold.iter().position(|other| other.column == column.column) {
                Some(number) => format!("if(e.kept_{number}, {}, e.r.{name})", before(&name)),
                None => format!("e.r.{name}"),
            };
            format!("{}, {value}", text_literal(&column.column))
        })
        .collect();
    for name in [&meta.commit_lsn, &meta.ordinal, &meta.committed_at] {
        members.push(format!("{}, e.r.{}", text_literal(name), quoted(name)));
    }
    members.push(format!("{}, v.until", text_literal(meta.valid_to.as_deref().unwrap_or_default())));
    format!(
        "SELECT named_struct({}) AS r, v.opens FROM {filled} LATERAL VIEW inline(filter(array(\
         named_struct('opens', true, 'until', least(e.next_at, e.emptied_at), 'counts', e.op <> 'd'), \
         named_struct('opens', false, 'until', e.r.{}, 'counts', e.place = 1)), x -> x.counts)) v AS opens, until, counts",
        members.join(", "),
        quoted(&meta.committed_at),
    )
}

/// The events of a window: `r`, a struct of a history's columns but the end; op string; place bigint, counted from 1 among the events of its
/// key; next_at timestamp, the commit of the next one; emptied_at timestamp, of the next TRUNCATE; kept_N boolean for each of the columns
/// `untold`: whether neither this nor an earlier event of the window told it; and moved, [`Window::moved`] of the last move so far.
fn typed_events(
    lake: &Lake,
    window: &Window<'_>,
    shape: &Shape,
    meta: &MetaColumns,
    untold: &[&ShapeColumn],
    is_emptied: bool,
) -> String {
    let keys: Vec<String> = shape
        .key
        .iter()
        .filter_map(|name| shape.column(name))
        .map(|column| window.canonical(column, "k"))
        .collect();
    // In a struct, so that a value that is NULL differs from no value.
    let told = untold.iter().enumerate().map(|(number, column)| {
        format!(
            ", last(if(op <> 'd' AND NOT array_contains(coalesce(untold, array()), {}), struct({} AS v), NULL), true) OVER so_far AS t{number}",
            text_literal(&column.column),
            window.canonical(column, "j"),
        )
    });
    let (changes, condition) = (quoted_table(&lake.changes()), window.condition());
    let moved = if window.has_moves {
        format!(", last(if(m IS NULL, NULL, {}), true) OVER so_far AS moved", window.moved(shape))
    } else {
        String::new()
    };
    let in_order = format!("PARTITION BY {} ORDER BY commit_lsn, ordinal", keys.join(", "));
    let ordered = format!(
        "SELECT *, lead(committed_at) OVER in_order AS next_at, row_number() OVER in_order AS place{}{moved} \
         FROM ({}) WINDOW in_order AS ({in_order}), so_far AS ({in_order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
        told.collect::<String>(),
        window.row_events(lake),
    );
    let mut members: Vec<String> = shape
        .columns
        .iter()
        .map(|column| {
            let value = match untold.iter().position(|other| other.column == column.column) {
                Some(number) => format!("t{number}.v"),
                None if shape.key.contains(&column.column) => window.canonical(column, "k"),
                None => window.canonical(column, "j"),
            };
            format!("{}, {}", text_literal(&column.column), typed(&column.lake_type(), &value))
        })
        .collect();
    for (name, value) in meta.names().zip(["commit_lsn", "ordinal", "committed_at"]) {
        members.push(format!("{}, {value}", text_literal(name)));
    }
    let kept: String =
        (0..untold.len()).map(|number| format!(", t{number} IS NULL AS kept_{number}")).collect();
    let (emptied_at, truncates) = if is_emptied {
        let next = "get(filter(t.all, x -> x.commit_lsn > o.commit_lsn OR x.commit_lsn = o.commit_lsn AND x.ordinal > o.ordinal), 0)";
        let all = format!(
            " CROSS JOIN (SELECT array_sort(collect_list(struct(commit_lsn, ordinal, committed_at))) AS all FROM {changes} \
             WHERE {condition} AND op = 't') AS t"
        );
        (format!("{next}.committed_at"), all)
    } else {
        ("CAST(NULL AS TIMESTAMP)".to_owned(), String::new())
    };
    format!(
        "SELECT named_struct({}) AS r, op, place, next_at, {emptied_at} AS emptied_at{kept}{} FROM ({ordered}) AS o{truncates}",
        members.join(", "),
        if window.has_moves { ", moved" } else { "" },
    )
}

/// Ends the versions that the first TRUNCATE of a window took away; `at_us`: when it was committed, in microseconds since 1970.
pub(super) fn empty(history: &str, shape: &Shape, truncated: Position, at_us: i64) -> String {
    let meta = MetaColumns::of_history(shape);
    let end = valid_to(&meta);
    format!(
        "UPDATE {} SET {end} = timestamp_micros({at_us}) WHERE {end} IS NULL AND {}",
        quoted_table(history),
        truncated.is_behind(&quoted(&meta.commit_lsn), &quoted(&meta.ordinal)),
    )
}

/// Brings the open versions to what a table holds after an image. Rows that vanished have no event; they end at `at_us`, in microseconds
/// since 1970.
pub(super) fn follow(history: &str, table: &str, shape: &Shape, at_us: i64) -> String {
    let meta = MetaColumns::of_history(shape);
    let values = |alias: &str| {
        let values: Vec<String> =
            shape.columns.iter().map(|column| format!("{alias}.{}", quoted(&column.column))).collect();
        format!("struct({})", values.join(", "))
    };
    let first_key = shape.key.first().map(|key| quoted(key)).unwrap_or_default();
    let rows = |join: &str, members: String, opens: bool, absent: &str| {
        format!(
            "SELECT named_struct({members}) AS r, {opens} AS opens FROM ({}) AS n {join} JOIN {} AS o ON {} \
             WHERE {absent}.{first_key} IS NULL OR NOT {} <=> {}",
            first(table, shape),
            open(history, &meta),
            same_key(shape, "n", "o"),
            values("n"),
            values("o"),
        )
    };
    let members = |alias: &str, ended: Option<String>| {
        let of = |name: &str| match &ended {
            Some(at) if Some(name) == meta.valid_to.as_deref() => format!("{}, {at}", text_literal(name)),
            _ => format!("{}, {alias}.{}", text_literal(name), quoted(name)),
        };
        all_columns(shape, &meta).map(of).collect::<Vec<_>>().join(", ")
    };
    let ended = format!("coalesce(n.{}, timestamp_micros({at_us}))", quoted(&meta.committed_at));
    let [lsn, ordinal] = [&meta.commit_lsn, &meta.ordinal].map(|name| quoted(name));
    format!(
        "MERGE INTO {} AS t USING ({} UNION ALL {}) AS s ON {} AND t.{lsn} = s.r.{lsn} AND t.{ordinal} = s.r.{ordinal} {}",
        quoted_table(history),
        rows("LEFT", members("n", None), true, "o"),
        rows("RIGHT", members("o", Some(ended)), false, "n"),
        same_key(shape, "t", "s.r"),
        clauses(shape, &meta),
    )
}

fn open(history: &str, meta: &MetaColumns) -> String {
    format!("(SELECT * FROM {} WHERE {} IS NULL)", quoted_table(history), valid_to(meta))
}

fn all_columns<'a>(shape: &'a Shape, meta: &'a MetaColumns) -> impl Iterator<Item = &'a str> {
    shape.columns.iter().map(|column| column.column.as_str()).chain(meta.names())
}

fn valid_to(meta: &MetaColumns) -> String {
    quoted(meta.valid_to.as_deref().unwrap_or_default())
}
