//! The operators that order keys as ORDER BY does.

use std::collections::HashMap;

use tokio_postgres::Client;

use super::refused;
use crate::error::Result;
use crate::table::KeyOperators;

/// Types, and domains over them, whose default order is not PostgreSQL's own, such as that of an extension: ORDER BY takes
/// it wherever it is, while a plain `>` is looked for along the search path and may be that of another type.
const OPERATORS: &str = "
    WITH RECURSIVE own (type, greater, at_most, equal) AS (
           SELECT c.opcintype, max(o.name) FILTER (WHERE a.amopstrategy = 5), max(o.name) FILTER (WHERE a.amopstrategy = 2),
                  max(o.name) FILTER (WHERE a.amopstrategy = 3)
             FROM pg_opclass c JOIN pg_am m ON m.oid = c.opcmethod AND m.amname = 'btree'
             JOIN pg_amop a ON a.amopfamily = c.opcfamily AND a.amoplefttype = c.opcintype AND a.amoprighttype = c.opcintype
             JOIN (SELECT p.oid, n.nspname, 'OPERATOR(' || quote_ident(n.nspname) || '.' || p.oprname || ')' AS name
                     FROM pg_operator p JOIN pg_namespace n ON n.oid = p.oprnamespace WHERE n.nspname <> 'pg_catalog') AS o
               ON o.oid = a.amopopr
            WHERE c.opcdefault GROUP BY c.opcintype),
         known AS (
           SELECT * FROM own
            UNION ALL
           SELECT t.oid, k.greater, k.at_most, k.equal FROM known k JOIN pg_type t ON t.typbasetype = k.type AND t.typtype = 'd')
    SELECT type, greater, at_most, equal FROM known WHERE greater IS NOT NULL AND at_most IS NOT NULL AND equal IS NOT NULL";

/// The operators of those types, by the types' OIDs.
pub(super) async fn read(client: &Client) -> Result<HashMap<u32, KeyOperators>> {
    let rows = client.query(OPERATORS, &[]).await.map_err(refused("cannot read the operators of keys"))?;
    let operators = |row: &tokio_postgres::Row| {
        (row.get(0), KeyOperators { greater: row.get(1), at_most: row.get(2), equal: row.get(3) })
    };
    Ok(rows.iter().map(operators).collect())
}
