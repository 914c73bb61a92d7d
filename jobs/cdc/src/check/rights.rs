use tokio_postgres::Client;

use super::tables::Included;
use super::{Findings, Verdict, some};
use crate::source::{Hidden, Server, quoted};

const WHAT: &str = "rights";

/// Whether the snapshot may read every table.
pub(super) async fn check(
    client: &Client,
    (server, has_replica): (&Server, bool),
    tables: &[Included],
    findings: &mut Findings,
) {
    let ids: Vec<_> = tables.iter().map(|table| table.id).collect();
    let Some(hidden) = findings.known(WHAT, Hidden::among(client, &ids).await) else { return };
    let (hidden, in_columns): (Vec<Hidden>, Vec<Hidden>) = hidden.into_iter().partition(|hidden| {
        let table = tables.iter().find(|table| table.id == hidden.id);
        hidden.hinders(table.and_then(|table| table.shape.as_ref()))
    });
    if !in_columns.is_empty() {
        let names: Vec<String> = in_columns.iter().map(|hidden| hidden.name.quoted()).collect();
        let what = format!(
            "SELECT on single columns is enough for the first snapshot, and not for a table that is read while the stream goes on: run \
             GRANT SELECT ON {} TO {}",
            names.join(", "),
            quoted(&server.user)
        );
        findings.add(if has_replica { Verdict::Fix } else { Verdict::Note }, WHAT, what);
    }
    if hidden.is_empty() {
        findings.ok(WHAT, format!("{} may read {} tables", server.user, tables.len()));
        return;
    }
    let (untold, hidden): (Vec<&Hidden>, Vec<&Hidden>) =
        hidden.iter().partition(|hidden| !hidden.untold.is_empty());
    for hidden in untold {
        findings.fix("partitions", format!("{}; until then this table is not read", hidden.remedy()));
    }
    let (rows, closed): (Vec<&Hidden>, Vec<&Hidden>) = hidden.into_iter().partition(|hidden| hidden.rows);
    let names = |hidden: &[&Hidden]| some(&hidden.iter().map(|hidden| &hidden.name).collect::<Vec<_>>());
    let user = quoted(&server.user);
    if !rows.is_empty() {
        findings.fix(
            WHAT,
            format!(
                "row level security hides rows of {} from {}: run ALTER ROLE {user} BYPASSRLS as a superuser; until then these tables \
                 are not read",
                names(&rows),
                server.user
            ),
        );
    }
    if !closed.is_empty() {
        let quoted_names: Vec<String> = closed.iter().map(|hidden| hidden.name.quoted()).collect();
        let mut schemas: Vec<String> = closed.iter().map(|hidden| quoted(&hidden.name.schema)).collect();
        schemas.dedup();
        findings.fix(
            WHAT,
            format!(
                "{} may not read {}: run GRANT USAGE ON SCHEMA {} TO {user} and GRANT SELECT ON {} TO {user}; until then these tables \
                 are not read",
                server.user,
                names(&closed),
                schemas.join(", "),
                quoted_names.join(", ")
            ),
        );
    }
}
