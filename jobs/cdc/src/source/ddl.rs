//! The optional event trigger at the source, which tells in the log, and so at its exact place, what changes a table.

use tokio_postgres::Client;

use super::facts::FACTS;
use super::refused;
use crate::error::{Error, ErrorKind, Result};

/// The prefix of the logical messages that the event trigger writes.
pub(crate) const DDL_PREFIX: &str = "lakepulse.ddl";

/// The statements that install the event trigger. Each command of the application goes on whatever happens in it.
pub(crate) fn install_ddl() -> String {
    format!(
        "CREATE SCHEMA IF NOT EXISTS lakepulse;
CREATE OR REPLACE FUNCTION lakepulse.tell_ddl() RETURNS event_trigger LANGUAGE plpgsql
    SET search_path = pg_catalog SET datestyle = ISO SET timezone = UTC SET intervalstyle = postgres SET extra_float_digits = 3
    SET bytea_output = hex SET lc_monetary = 'C' SET quote_all_identifiers = off
AS $lakepulse$
DECLARE
    told text;
BEGIN
    IF tg_event = 'sql_drop' THEN
        SELECT json_build_object('event', 'dropped', 'oids', json_agg(d.objid::bigint))::text INTO told
          FROM pg_event_trigger_dropped_objects() d WHERE d.object_type = 'table' AND NOT d.is_temporary HAVING count(*) > 0;
    ELSIF tg_event = 'table_rewrite' THEN
        told := json_build_object('event', 'rewrite', 'oid', pg_event_trigger_table_rewrite_oid()::bigint)::text;
    ELSE
        WITH RECURSIVE commands AS (SELECT classid, objid FROM pg_event_trigger_ddl_commands()),
            types (oid) AS (
                SELECT objid FROM commands WHERE classid = 'pg_type'::regclass
                UNION SELECT t.oid FROM pg_type t JOIN types ON types.oid IN (t.typbasetype, t.typelem)),
            touched (oid) AS (
                SELECT objid FROM commands WHERE classid = 'pg_class'::regclass
                UNION SELECT i.indrelid FROM pg_index i JOIN commands ON objid = i.indexrelid
                UNION SELECT c.oid FROM pg_class c JOIN commands ON classid = 'pg_namespace'::regclass AND objid = c.relnamespace
                UNION SELECT a.attrelid FROM pg_attribute a JOIN types ON a.atttypid = types.oid WHERE a.attnum > 0 AND NOT a.attisdropped)
        SELECT json_build_object('event', 'tables', 'tables', json_agg({FACTS}))::text INTO told
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid IN (SELECT oid FROM touched UNION SELECT pg_partition_root(oid) FROM touched)
           AND c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND n.nspname !~ '^(pg_|information_schema$)'
        HAVING count(*) > 0;
    END IF;
    IF told IS NOT NULL THEN
        PERFORM pg_logical_emit_message(true, '{DDL_PREFIX}', told);
    END IF;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'LakePulse is not told of this command: %', SQLERRM;
END
$lakepulse$;
DROP EVENT TRIGGER IF EXISTS lakepulse_ddl_command_end;
DROP EVENT TRIGGER IF EXISTS lakepulse_sql_drop;
DROP EVENT TRIGGER IF EXISTS lakepulse_table_rewrite;
CREATE EVENT TRIGGER lakepulse_ddl_command_end ON ddl_command_end EXECUTE FUNCTION lakepulse.tell_ddl();
CREATE EVENT TRIGGER lakepulse_sql_drop ON sql_drop EXECUTE FUNCTION lakepulse.tell_ddl();
CREATE EVENT TRIGGER lakepulse_table_rewrite ON table_rewrite EXECUTE FUNCTION lakepulse.tell_ddl();
"
    )
}

/// The statements that remove it.
pub(crate) const REMOVE_DDL: &str = "DROP EVENT TRIGGER IF EXISTS lakepulse_ddl_command_end;
DROP EVENT TRIGGER IF EXISTS lakepulse_sql_drop;
DROP EVENT TRIGGER IF EXISTS lakepulse_table_rewrite;
DROP FUNCTION IF EXISTS lakepulse.tell_ddl();
DROP SCHEMA IF EXISTS lakepulse;
";

/// Runs statements of the event trigger, in one transaction.
pub(crate) async fn run_ddl(client: &Client, statements: &str) -> Result<()> {
    client.batch_execute(&format!("BEGIN;\n{statements}COMMIT")).await.map_err(|cause| {
        if cause.code().is_none() {
            return refused("cannot change the event trigger")(cause);
        }
        let what =
            "cannot change the event trigger: let a superuser run what `lakepulse-cdc ddl print` prints";
        Error::new(ErrorKind::SourceRefused, what).caused_by(cause)
    })
}

/// What the source has of the event trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DdlTrigger {
    Absent,
    /// Some of it is missing or disabled, or it is of another version.
    Partial,
    Installed,
}

/// Looks at the event trigger.
pub(crate) async fn ddl_trigger(client: &Client) -> Result<DdlTrigger> {
    let row = client
        .query_one(
            "SELECT count(*), count(*) FILTER (WHERE e.evtenabled <> 'D' AND position(p.prosrc IN $1) > 0)
               FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid
              WHERE e.evtname IN ('lakepulse_ddl_command_end', 'lakepulse_sql_drop', 'lakepulse_table_rewrite')",
            &[&install_ddl()],
        )
        .await
        .map_err(refused("cannot look at the event triggers"))?;
    Ok(match (row.get::<_, i64>(0), row.get::<_, i64>(1)) {
        (0, _) => DdlTrigger::Absent,
        (3, 3) => DdlTrigger::Installed,
        _ => DdlTrigger::Partial,
    })
}
