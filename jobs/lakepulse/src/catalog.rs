//! The source's catalog: tables, keys, foreign keys.

use std::collections::{BTreeMap, HashSet};

use lakepulse_medallion::contract::{Column, Contract, ForeignKey, Scd};
use lakepulse_types::SourceType;
use tokio_postgres::Client;

use crate::error::{Doing, Result};

const TABLES: &str = "
select n.nspname || '.' || c.relname, c.relkind = 'p',
       array(select attname::text from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped)
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'";

/// Keys of leaves and those that PostgreSQL makes for them have a parent.
const CONSTRAINTS: &str = "
select n.nspname || '.' || c.relname, k.contype = 'p', k.convalidated,
       array(select a.attname::text from unnest(k.conkey) with ordinality o(attnum, position)
               join pg_attribute a on a.attrelid = k.conrelid and a.attnum = o.attnum order by position),
       refn.nspname || '.' || ref.relname,
       array(select a.attname::text from unnest(k.confkey) with ordinality o(attnum, position)
               join pg_attribute a on a.attrelid = k.confrelid and a.attnum = o.attnum order by position)
  from pg_constraint k
  join pg_class c on c.oid = k.conrelid
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_class ref on ref.oid = k.confrelid
  left join pg_namespace refn on refn.oid = ref.relnamespace
 where k.contype in ('p', 'f') and k.conparentid = 0 and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
 order by 1, k.conname";

/// A leaf's rows are those of its partitioned table.
const COLUMNS: &str = "
select n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), not a.attnotnull
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
 where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
   and a.attgenerated = ''
 order by n.nspname, c.relname, a.attnum";

/// A table as the catalog has it.
#[derive(Debug)]
pub(crate) struct CatalogTable {
    pub(crate) is_partitioned: bool,
    pub(crate) columns: HashSet<String>,
}

/// All tables by `schema.table`.
pub(crate) async fn tables(client: &Client) -> Result<BTreeMap<String, CatalogTable>> {
    let rows = client.query(TABLES, &[]).await.doing("reading the tables of the source")?;
    let table = |row: &tokio_postgres::Row| CatalogTable {
        is_partitioned: row.get(1),
        columns: row.get::<_, Vec<String>>(2).into_iter().collect(),
    };
    Ok(rows.iter().map(|row| (row.get(0), table(row))).collect())
}

/// A primary key or a foreign key.
#[derive(Debug)]
pub(crate) struct Constraint {
    /// `schema.table`.
    pub(crate) table: String,
    pub(crate) columns: Vec<String>,
    /// What a foreign key refers to; none of a primary key.
    pub(crate) references: Option<(String, Vec<String>)>,
    /// Whether rows that were there before it satisfy it.
    pub(crate) is_validated: bool,
}

/// All primary and foreign keys, but for those of leaves.
pub(crate) async fn constraints(client: &Client) -> Result<Vec<Constraint>> {
    let rows = client.query(CONSTRAINTS, &[]).await.doing("reading the keys of the source")?;
    let constraint = |row: &tokio_postgres::Row| Constraint {
        table: row.get(0),
        columns: row.get(3),
        references: if row.get(1) {
            None
        } else {
            row.get::<_, Option<String>>(4).map(|table| (table, row.get(5)))
        },
        is_validated: row.get(2),
    };
    Ok(rows.iter().map(constraint).collect())
}

/// A contract for every table with a primary key. A table with columns `valid_from` and `valid_to` keeps its history.
pub(crate) async fn contracts(client: &Client) -> Result<Vec<Contract>> {
    let mut contracts: BTreeMap<String, Contract> = BTreeMap::new();
    for row in client.query(COLUMNS, &[]).await.doing("reading the columns of the source")? {
        let (schema, table, name, column_type): (String, String, String, String) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        let contract = contracts.entry(format!("{schema}.{table}")).or_insert_with_key(|name| Contract {
            table: name.clone(),
            owner: schema.clone(),
            freshness_seconds: 60,
            scd: Scd::Type1,
            key: Vec::new(),
            columns: Vec::new(),
            foreign_keys: Vec::new(),
            expectations: Vec::new(),
        });
        // In the lakehouse, what can't be read as a type's name is a text.
        let column_type = column_type.parse().unwrap_or_else(|_| SourceType::Text("text".to_owned()));
        contract.columns.push(Column { name, column_type, nullable: row.get(4) });
    }
    for Constraint { table, columns, references, .. } in constraints(client).await? {
        let Some(contract) = contracts.get_mut(&table) else { continue };
        match references {
            None => contract.key = columns,
            Some((references, ref_columns)) => {
                contract.foreign_keys.push(ForeignKey { columns, references, ref_columns });
            }
        }
    }
    let mut contracts: Vec<Contract> =
        contracts.into_values().filter(|contract| !contract.key.is_empty()).collect();
    for contract in &mut contracts {
        contract.foreign_keys.sort_by(|left, right| left.columns.cmp(&right.columns));
        if contract.column("valid_from").is_some() && contract.column("valid_to").is_some() {
            contract.scd = Scd::Type2;
        }
    }
    Ok(contracts)
}
