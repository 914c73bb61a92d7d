//! The publications of a capture: one for tables whose rows PostgreSQL can name, and one for the rest.
//!
//! PostgreSQL refuses an application's UPDATE or DELETE of a table without a replica identity as long as a publication
//! tells updates or deletes of it. Such a table is in `<publication>_inserts`, which tells inserts and truncations alone.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::identities::{Identities, Publication, Standing, older_than};
use super::{literal, quoted, refused};
use crate::config::{Config, Partitions};
use crate::error::{Error, ErrorKind, Result};
use crate::table::TableName;

/// Where the tables are published.
#[derive(Debug, Default)]
pub(crate) struct Arranged {
    /// The publications that a stream can be read of from now on.
    pub(crate) streamed: Vec<String>,
    /// Whether the publication of inserts is younger than something in the slot: it can't be read of yet.
    pub(crate) is_too_young: bool,
    /// Tables of which updates and deletes went untold until now.
    pub(crate) to_read_again: Vec<TableName>,
    /// Tables of which inserts alone are told, with the rows updated and deleted since PostgreSQL counts them.
    pub(crate) inserts_only: Vec<(TableName, i64)>,
    /// Tables that no publication has, since this user may not make it so.
    pub(crate) left_out: Vec<TableName>,
    /// What is wrong with single tables, and what to run.
    pub(crate) problems: Vec<(TableName, String)>,
    /// Why tables with an identity could not be added.
    pub(crate) refused: Option<Error>,
}

/// What is to be done with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Stay,
    /// Into the publication that tells everything.
    Add,
    /// Into the publication of inserts.
    AddInserts,
    /// Out of the publication that tells everything, into that of inserts.
    Lost,
    /// The other way.
    Gained,
}

/// Decides where a table belongs.
fn step(table: &Standing, main: Option<&Publication>) -> Step {
    let is_refused = !table.has_identity && main.is_none_or(Publication::tells_changes);
    match (is_refused, table.in_main, table.in_inserts) {
        (false, false, false) => Step::Add,
        (false, _, true) => Step::Gained,
        (true, true, _) => Step::Lost,
        (true, false, false) => Step::AddInserts,
        (false, true, false) | (true, false, true) => Step::Stay,
    }
}

/// Creates the two publications for these tables, adds those that they lack, and moves those whose replica identity was
/// lost or gained. Other tables stay where they are.
///
/// # Errors
/// [`ErrorKind::Publication`] with the statement to run when the main publication can't be made by this user, or leaves
/// operations out.
pub(crate) async fn arrange_publications(
    client: &Client,
    config: &Config,
    tables: &[TableName],
) -> Result<Arranged> {
    let mut names = tables.to_vec();
    names.extend(config.signals.table.clone().filter(|table| !tables.contains(table)));
    let mut found = Identities::read(client, config, &names).await?;
    if let Some(untold) = found.main.as_ref().and_then(|main| untold_operations(config, &main.left_out)) {
        return Err(Error::new(ErrorKind::Publication, untold));
    }
    let mut work = Work { client, config, arranged: Arranged::default() };
    let steps: Vec<(Step, Standing)> =
        found.tables.iter().map(|table| (step(table, found.main.as_ref()), table.clone())).collect();
    let of = |wanted: Step| steps.iter().filter(move |(step, _)| *step == wanted).map(|(_, table)| table);

    let by_root = config.partitions == Partitions::Root;
    let via_root = found.main.as_ref().map_or(by_root, |main| main.via_root);
    work.main(found.main.as_ref(), &of(Step::Add).collect::<Vec<_>>()).await?;
    let made = match &found.inserts {
        Some(_) => true,
        None => work.create_inserts(via_root, steps.iter().any(|(_, table)| !table.has_identity)).await?,
    };
    if made && found.inserts.is_none() {
        found.inserts = Some(Publication {
            via_root,
            left_out: vec!["update".to_owned(), "delete".to_owned()],
            may_alter: true,
            is_older_than_slot: !found.has_slot,
        });
    }
    if let Some(inserts) = found.inserts.as_ref().filter(|_| !found.has_slot)
        && inserts.may_alter
    {
        work.note_that_it_is_older().await?;
    }
    for table in of(Step::Lost) {
        work.lost(table, made).await?;
    }
    work.add_inserts(&of(Step::AddInserts).collect::<Vec<_>>(), made).await?;
    for table in of(Step::Gained) {
        work.gained(table).await?;
    }

    let mut arranged = work.arranged;
    arranged.inserts_only.extend(
        of(Step::Stay).filter(|table| table.in_inserts).map(|table| (table.name.clone(), table.changes)),
    );
    arranged.streamed = vec![config.publication.clone()];
    match found.inserts {
        Some(inserts) if inserts.is_older_than_slot => arranged.streamed.push(config.inserts_publication()),
        Some(_) => arranged.is_too_young = true,
        None => {}
    }
    Ok(arranged)
}

/// What a run would make of the publications, found out without a change.
#[derive(Debug, Default)]
pub(crate) struct Intended {
    /// Tables without an identity, whose inserts alone are or would be told.
    pub(crate) inserts_only: Vec<TableName>,
    /// Those of them that are not published so yet.
    pub(crate) to_add: Vec<TableName>,
    /// Tables without an identity that the main publication tells updates and deletes of, and that this user can't take out.
    pub(crate) stuck: Vec<TableName>,
    /// Whether the publication of inserts is there, and whether this user may alter it.
    pub(crate) inserts: Option<bool>,
    /// Whether it is younger than what the slot still has to tell, or would be.
    pub(crate) is_too_young: bool,
}

/// Looks at the publications.
pub(crate) async fn intended(client: &Client, config: &Config, tables: &[TableName]) -> Result<Intended> {
    let found = Identities::read(client, config, tables).await?;
    let may_take_out = found.main.as_ref().is_none_or(|main| main.may_alter);
    let mut intended = Intended {
        inserts: found.inserts.as_ref().map(|inserts| inserts.may_alter),
        is_too_young: match &found.inserts {
            Some(inserts) => !inserts.is_older_than_slot,
            None => found.has_slot,
        },
        ..Intended::default()
    };
    for table in &found.tables {
        let step = step(table, found.main.as_ref());
        if step == Step::Lost && !(may_take_out && table.named_in_main) {
            intended.stuck.push(table.name.clone());
        } else if !table.has_identity && (step != Step::Stay || table.in_inserts) {
            intended.inserts_only.push(table.name.clone());
            if !table.in_inserts {
                intended.to_add.push(table.name.clone());
            }
        }
    }
    Ok(intended)
}

struct Work<'a> {
    client: &'a Client,
    config: &'a Config,
    arranged: Arranged,
}

impl Work<'_> {
    /// Creates the main publication, or adds tables to it.
    async fn main(&mut self, main: Option<&Publication>, missing: &[&Standing]) -> Result<()> {
        let publication = &self.config.publication;
        let by_root = self.config.partitions == Partitions::Root;
        let Some(main) = main else {
            let tables =
                if missing.is_empty() { String::new() } else { format!(" FOR TABLE {}", list(missing)) };
            let failed = |cause| {
                if is_gone(&cause) {
                    let what = "a table was dropped or renamed while it was put into the publication";
                    return Error::new(ErrorKind::SourceStarting, what).caused_by(cause);
                }
                refused(format!(
                    "cannot create publication {publication} for {} tables: the user must own them and may need CREATE on the database",
                    missing.len()
                ))(cause)
            };
            let create = |tables: &str| {
                format!(
                    "CREATE PUBLICATION {}{tables} WITH (publish_via_partition_root = {by_root})",
                    quoted(publication)
                )
            };
            let created = match self.client.batch_execute(&create(&tables)).await {
                Err(cause) if is_busy(&cause) => {
                    self.client.batch_execute(&create("")).await.map_err(failed)?;
                    return self.add_to_main(missing).await;
                }
                created => created,
            };
            created.map_err(failed)?;
            tracing::info!(publication, tables = missing.len(), "publication created");
            return Ok(());
        };
        if missing.is_empty() {
            return Ok(());
        }
        // Partitions and their root are listed by what is published.
        if main.via_root != by_root && missing.iter().any(|table| table.has_partitions) {
            return Err(Error::new(
                ErrorKind::Publication,
                format!(
                    "publication {publication} publishes partitions otherwise than tables.partitions wants them: run ALTER \
                     PUBLICATION {} SET (publish_via_partition_root = {by_root}), or change the setting",
                    quoted(publication)
                ),
            ));
        }
        self.add_to_main(missing).await
    }

    async fn add_to_main(&mut self, missing: &[&Standing]) -> Result<()> {
        let publication = &self.config.publication;
        let sql = format!("ALTER PUBLICATION {} ADD TABLE {}", quoted(publication), list(missing));
        // The stream of all tables waits meanwhile.
        match self.client.batch_execute(&format!("SET LOCAL lock_timeout = '200ms'; {sql}")).await {
            Ok(()) => tracing::info!(publication, "tables added: {sql}"),
            Err(cause) if cause.code().is_none() => {
                return Err(refused(format!("cannot add tables to publication {publication}"))(cause));
            }
            // Dropped since, another capture was faster, or somebody holds its lock.
            Err(cause)
                if is_gone(&cause)
                    || is_busy(&cause)
                    || cause.code() == Some(&SqlState::DUPLICATE_OBJECT) =>
            {
                if let [table] = missing {
                    if is_busy(&cause) {
                        tracing::warn!(table = %table.name, "somebody holds a lock on the table, which is left out until it can be published");
                        self.arranged.left_out.push(table.name.clone());
                    } else {
                        tracing::debug!(table = %table.name, "the table needs no place in the publication: {cause}");
                    }
                    return Ok(());
                }
                for table in missing {
                    Box::pin(self.add_to_main(&[table])).await?;
                }
            }
            Err(cause) => {
                let what = format!(
                    "publication {publication} lacks tables that the configuration includes, and this user may not add them: run \
                     {sql}; or exclude them",
                );
                self.arranged.refused = Some(Error::new(ErrorKind::Publication, what).caused_by(cause));
            }
        }
        Ok(())
    }

    /// Whether the publication of inserts was made.
    async fn create_inserts(&mut self, via_root: bool, is_needed: bool) -> Result<bool> {
        let sql = create_inserts(self.config, via_root);
        match self.alter(&sql).await? {
            None => {
                tracing::info!(publication = self.config.inserts_publication(), "publication created");
                Ok(true)
            }
            Some(cause) if is_needed => {
                tracing::error!(
                    "tables without a replica identity are left out, since their publication can't be made: let a user with CREATE on \
                     the database run {sql}, or give them an identity: {cause}"
                );
                Ok(false)
            }
            Some(cause) => {
                tracing::debug!("no publication of inserts, and no table that needs it: {cause}");
                Ok(false)
            }
        }
    }

    /// A slot that is made after this reads no catalog without the publication.
    async fn note_that_it_is_older(&self) -> Result<()> {
        let (name, note) = (self.config.inserts_publication(), older_than(&self.config.slot));
        let sql = format!("COMMENT ON PUBLICATION {} IS {}", quoted(&name), literal(&note));
        // Without it, the next session finds out by the slot itself, a little later.
        self.alter(&sql).await.map(drop)
    }

    async fn lost(&mut self, table: &Standing, has_inserts: bool) -> Result<()> {
        let name = &table.name;
        let leave = format!(
            "ALTER PUBLICATION {} DROP TABLE ONLY {}",
            quoted(&self.config.publication),
            name.quoted()
        );
        let enter = self.add_to_inserts(&[table]);
        let sql = match (has_inserts && !table.in_inserts, table.named_in_main) {
            (true, true) => format!("{leave}; {enter}"),
            _ => leave,
        };
        let failure = if table.named_in_main {
            self.alter(&sql).await?
        } else {
            Some("it is published as one of all tables, or with its schema or root".to_owned())
        };
        match failure {
            None => {
                tracing::warn!(table = %name, "the table has no replica identity, so that the publication does not tell its updates and deletes any more, which PostgreSQL would refuse: {}", remedy(name));
                if has_inserts {
                    self.arranged.inserts_only.push((name.clone(), table.changes));
                } else {
                    self.arranged.left_out.push(name.clone());
                }
            }
            Some(cause) => {
                let what = format!(
                    "PostgreSQL refuses updates and deletes of {name}, since publication {} tells them and the table has no replica \
                     identity, and this user can't take it out ({cause}): {}; or run {sql}",
                    self.config.publication,
                    remedy(name)
                );
                self.arranged.problems.push((name.clone(), what));
            }
        }
        Ok(())
    }

    async fn add_inserts(&mut self, tables: &[&Standing], has_inserts: bool) -> Result<()> {
        if tables.is_empty() {
            return Ok(());
        }
        if has_inserts && self.alter(&self.add_to_inserts(tables)).await?.is_none() {
            self.added_to_inserts(tables);
            return Ok(());
        }
        // One after the other, so that one does not keep out the rest.
        for table in tables {
            let sql = self.add_to_inserts(&[table]);
            let cause = if has_inserts {
                self.alter(&sql).await?
            } else {
                Some("there is no such publication".to_owned())
            };
            match cause {
                None => self.added_to_inserts(&[table]),
                Some(cause) => {
                    let name = &table.name;
                    self.arranged.left_out.push(name.clone());
                    let what = format!(
                        "{name} has no replica identity and is left out, since this user can't publish its inserts ({cause}): {}; or run {sql}",
                        remedy(name)
                    );
                    self.arranged.problems.push((name.clone(), what));
                }
            }
        }
        Ok(())
    }

    fn added_to_inserts(&mut self, tables: &[&Standing]) {
        for table in tables {
            tracing::warn!(table = %table.name, "the table has no replica identity: its inserts are told, and after updates and deletes it is read again; {}", remedy(&table.name));
            self.arranged.inserts_only.push((table.name.clone(), table.changes));
        }
    }

    async fn gained(&mut self, table: &Standing) -> Result<()> {
        let name = &table.name;
        let leave = format!(
            "ALTER PUBLICATION {} DROP TABLE ONLY {}",
            quoted(&self.config.inserts_publication()),
            name.quoted()
        );
        let sql = if table.in_main {
            leave
        } else {
            format!(
                "{leave}; ALTER PUBLICATION {} ADD TABLE {}",
                quoted(&self.config.publication),
                list(&[table])
            )
        };
        match self.alter(&sql).await? {
            None => {
                tracing::info!(table = %name, "the table has a replica identity: all its changes are told, and it is read again");
                self.arranged.to_read_again.push(name.clone());
            }
            Some(cause) => {
                self.arranged.inserts_only.push((name.clone(), table.changes));
                let what = format!(
                    "{name} has a replica identity, but this user can't publish its updates and deletes ({cause}): run {sql}"
                );
                self.arranged.problems.push((name.clone(), what));
            }
        }
        Ok(())
    }

    fn add_to_inserts(&self, tables: &[&Standing]) -> String {
        format!("ALTER PUBLICATION {} ADD TABLE {}", quoted(&self.config.inserts_publication()), list(tables))
    }

    /// Runs statements in one transaction; the server's refusal is returned. A lock that somebody holds for long is asked for
    /// again at the next time.
    async fn alter(&self, sql: &str) -> Result<Option<String>> {
        match self.client.batch_execute(sql).await {
            Ok(()) => Ok(None),
            Err(cause) => match cause.as_db_error() {
                // Another capture was faster.
                Some(error) if *error.code() == SqlState::DUPLICATE_OBJECT => Ok(None),
                Some(_) if is_gone(&cause) => Ok(None),
                Some(error) => Ok(Some(error.message().to_owned())),
                None => Err(refused("cannot arrange the publications")(cause)),
            },
        }
    }
}

/// Whether somebody holds a table's lock for long.
fn is_busy(cause: &tokio_postgres::Error) -> bool {
    cause.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
}

/// Whether a table was dropped or renamed since it was found.
fn is_gone(cause: &tokio_postgres::Error) -> bool {
    cause
        .code()
        .is_some_and(|code| *code == SqlState::UNDEFINED_TABLE || *code == SqlState::INVALID_SCHEMA_NAME)
}

/// The statement that makes the publication of inserts.
pub(crate) fn create_inserts(config: &Config, via_root: bool) -> String {
    format!(
        "CREATE PUBLICATION {} WITH (publish = 'insert, truncate', publish_via_partition_root = {via_root})",
        quoted(&config.inserts_publication())
    )
}

/// What to do when the main publication leaves operations out that would be missing in silence.
pub(crate) fn untold_operations<S: AsRef<str>>(config: &Config, left_out: &[S]) -> Option<String> {
    let skip = config.events.skip;
    let is_skipped = |operation: &str| match operation {
        "insert" => skip.create,
        "update" => skip.update,
        "delete" => skip.delete,
        _ => skip.truncate,
    };
    let untold: Vec<&str> = left_out.iter().map(AsRef::as_ref).filter(|name| !is_skipped(name)).collect();
    (!untold.is_empty()).then(|| {
        format!(
            "publication {} leaves out {}: run ALTER PUBLICATION {} SET (publish = 'insert, update, delete, truncate'), or name them \
             in events.skip; `lakepulse-cdc snapshot` tells what was left out until then",
            config.publication,
            untold.join(", "),
            quoted(&config.publication)
        )
    })
}

/// What gives a table a replica identity.
pub(crate) fn remedy(table: &TableName) -> String {
    format!("give it a primary key, or run ALTER TABLE {} REPLICA IDENTITY FULL", table.quoted())
}

/// Without the tables that inherit from them, which may be excluded.
fn list(tables: &[&Standing]) -> String {
    tables.iter().map(|table| format!("ONLY {}", table.name.quoted())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps() {
        let changes = || vec!["update".to_owned(), "delete".to_owned()];
        let publication = |tells_changes| Publication {
            via_root: true,
            left_out: if tells_changes { Vec::new() } else { changes() },
            may_alter: true,
            is_older_than_slot: true,
        };
        let check = |has_identity, in_main, in_inserts, main: Option<Publication>, expected| {
            let table = Standing {
                name: TableName { schema: "s".into(), table: "t".into() },
                has_partitions: false,
                has_identity,
                changes: 0,
                in_main,
                named_in_main: in_main,
                in_inserts,
            };
            assert_eq!(step(&table, main.as_ref()), expected, "{table:?} {main:?}");
        };
        check(true, false, false, None, Step::Add);
        check(false, false, false, None, Step::AddInserts);
        check(true, true, false, Some(publication(true)), Step::Stay);
        check(false, true, false, Some(publication(true)), Step::Lost);
        check(false, true, true, Some(publication(true)), Step::Lost);
        check(false, true, false, Some(publication(false)), Step::Stay);
        check(false, false, true, Some(publication(true)), Step::Stay);
        check(true, false, true, Some(publication(true)), Step::Gained);
        check(true, true, true, Some(publication(true)), Step::Gained);
    }
}
