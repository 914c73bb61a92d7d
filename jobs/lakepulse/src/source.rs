//! The source database: connections, the catalog, an exported snapshot at a known LSN.

use std::collections::BTreeMap;

use clap::Args;
use lakepulse_medallion::contract::{Column, Contract, ForeignKey, Scd};
use spark_client::Secret;
use tokio_postgres::{Client, NoTls};

use crate::error::{Doing, Error, Result};

/// Where the source database is.
#[derive(Clone, Args)]
pub struct SourceAddress {
    /// postgresql://user@host:port/database of the source; the password comes from LAKEPULSE_SOURCE_PASSWORD
    #[arg(long = "source", env = "LAKEPULSE_SOURCE_URL")]
    pub url: String,
    /// Taken from the environment when it is not given here.
    #[arg(skip)]
    pub password: Option<Secret>,
}

impl SourceAddress {
    /// The address with the password of the environment.
    pub fn config(&self) -> Result<tokio_postgres::Config> {
        let mut config: tokio_postgres::Config =
            self.url.parse().doing(format!("reading the address {}", self.url))?;
        if let Some(password) = &self.password {
            config.password(password.reveal());
        } else if let Ok(password) = std::env::var("LAKEPULSE_SOURCE_PASSWORD") {
            config.password(password);
        }
        Ok(config)
    }

    /// Opens a connection, which ends when the client is dropped.
    pub async fn connect(&self) -> Result<Client> {
        let (client, connection) = self.config()?.connect(NoTls).await.doing(format!(
            "connecting to {} (is PostgreSQL up, and LAKEPULSE_SOURCE_PASSWORD right?)",
            self.url
        ))?;
        tokio::spawn(connection);
        Ok(client)
    }
}

/// The LSN of the last byte that the source has written: no commit so far is above it, and capture's checkpoint of an
/// idle source is at it.
pub async fn head(client: &Client) -> Result<i64> {
    let question = "select (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint - 1";
    Ok(client.query_one(question, &[]).await.doing("asking the source for its last LSN")?.get(0))
}

const COLUMNS: &str = "
select n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), not a.attnotnull
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
 where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
   and a.attgenerated = ''
 order by n.nspname, c.relname, a.attnum";

const KEYS: &str = "
select n.nspname, c.relname, k.contype::text, k.oid::bigint, own.attname, refn.nspname, ref.relname, other.attname
  from pg_constraint k
  join pg_class c on c.oid = k.conrelid
  join pg_namespace n on n.oid = c.relnamespace
  join unnest(k.conkey) with ordinality o(attnum, position) on true
  join pg_attribute own on own.attrelid = c.oid and own.attnum = o.attnum
  left join pg_class ref on ref.oid = k.confrelid
  left join pg_namespace refn on refn.oid = ref.relnamespace
  left join pg_attribute other on other.attrelid = ref.oid and other.attnum = k.confkey[o.position]
 where k.contype in ('p', 'f') and n.nspname !~ '^pg_'
 order by n.nspname, c.relname, k.conname, o.position";

/// A contract for every table with a primary key, out of the catalog. A table with columns `valid_from` and
/// `valid_to` keeps its history.
pub async fn contracts(client: &Client) -> Result<Vec<Contract>> {
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
        let column_type = column_type.parse().map_err(Error::new)?;
        contract.columns.push(Column { name, column_type, nullable: row.get(4) });
    }
    let mut references: BTreeMap<(String, i64), ForeignKey> = BTreeMap::new();
    for row in client.query(KEYS, &[]).await.doing("reading the keys of the source")? {
        let table = format!("{}.{}", row.get::<_, String>(0), row.get::<_, String>(1));
        let column: String = row.get(4);
        if row.get::<_, String>(2) == "p" {
            if let Some(contract) = contracts.get_mut(&table) {
                contract.key.push(column);
            }
        } else {
            let referenced = format!("{}.{}", row.get::<_, String>(5), row.get::<_, String>(6));
            let key = references.entry((table, row.get(3))).or_insert_with(|| ForeignKey {
                columns: Vec::new(),
                references: referenced,
                ref_columns: Vec::new(),
            });
            key.columns.push(column);
            key.ref_columns.push(row.get(7));
        }
    }
    for ((table, _), key) in references {
        if let Some(contract) = contracts.get_mut(&table) {
            contract.foreign_keys.push(key);
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
