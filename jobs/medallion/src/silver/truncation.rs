//! TRUNCATE as what it means for rows: a delete of every key that the table has.

use spark_client::functions::{col, lit};
use spark_client::{Column, DataFrame};

use super::decode::{META, SilverColumn, unavailable_name};
use crate::contract::Contract;
use crate::lake::quoted;

/// The rows without their TRUNCATE events, and for each of those a delete of each key in the table (if there is one) or in the batch.
/// A delete of a key that was not there at that moment changes nothing.
pub(super) fn as_deletes(
    rows: &DataFrame,
    current: Option<&DataFrame>,
    contract: &Contract,
    columns: &[SilverColumn],
) -> DataFrame {
    let events = rows.filter(col("_op").neq("t"));
    let keys = || contract.key.iter().map(|key| quoted(key));
    let in_batch = events.select(keys());
    let every_key =
        current.map_or(in_batch.clone(), |table| in_batch.union(&table.select(keys()))).distinct();
    let truncations = rows.filter(col("_op").eq("t")).select(META);
    let mut selected: Vec<Column> = META.iter().map(|name| col(name)).collect();
    selected.push(lit("d").alias("_op"));
    for column in columns {
        if contract.key.contains(&column.name) {
            selected.push(col(&quoted(&column.name)));
        } else {
            selected.push(lit(None::<&str>).cast(&column.column_type.spark()).alias(&column.name));
        }
        if column.column_type.can_be_toasted() {
            selected.push(lit(false).alias(&unavailable_name(&column.name)));
        }
    }
    events.union(&truncations.cross_join(&every_key).select(selected))
}
