//! `fact_sale`: one row per invoice line, with the dimension versions that were valid when it was last edited.

use spark_client::functions::{bool_or, col, count_distinct, expr, min, struct_, when};
use spark_client::{DataFrame, JoinType};

use super::dimension::Dimension;
use super::sources::Sources;
use super::timeline::{as_of, intervals, or_unknown, reaching_back};
use crate::error::Result;

pub(super) const NAME: &str = "fact_sale";

/// The key of a row: the source's own for the invoice line.
pub(super) const KEY: &str = "sale_key";

/// What is written anew together.
pub(super) const GROUP: &str = "wwi_invoice_id";

/// The dimensions as gold has them now.
pub(super) struct Dimensions {
    pub(super) customer: DataFrame,
    pub(super) city: DataFrame,
    pub(super) employee: DataFrame,
    pub(super) stock_item: DataFrame,
}

/// Invoice lines with their invoices, and `as_of` timestamp_ntz: when either was last edited.
fn lines(sources: &Sources) -> Result<DataFrame> {
    let invoices = sources.table("sales_invoices")?.alias("i");
    let lines = sources.table("sales_invoice_lines")?.alias("l");
    let joined = lines.join(&invoices, col("l.invoice_id").eq(col("i.invoice_id")), JoinType::Inner);
    Ok(joined.select([
        col("l.invoice_line_id").alias("invoice_line_id"),
        col("l.invoice_id").alias("invoice_id"),
        col("l.stock_item_id").alias("stock_item_id"),
        col("l.package_type_id").alias("package_type_id"),
        col("l.description").alias("description"),
        col("l.quantity").alias("quantity"),
        col("l.unit_price").alias("line_unit_price"),
        col("l.tax_rate").alias("line_tax_rate"),
        col("l.tax_amount").alias("tax_amount"),
        col("l.line_profit").alias("line_profit"),
        col("l.extended_price").alias("extended_price"),
        col("i.customer_id").alias("customer_id"),
        col("i.bill_to_customer_id").alias("bill_to_customer_id"),
        col("i.salesperson_person_id").alias("salesperson_person_id"),
        col("i.invoice_date").alias("invoice_date"),
        col("i.confirmed_delivery_time").alias("confirmed_delivery_time"),
        expr("greatest(l.last_edited_when, i.last_edited_when)").alias("as_of"),
    ]))
}

/// Where each customer had its goods delivered, as versions: recipient_id, delivery_city_id, valid_from, valid_to.
fn deliveries(sources: &Sources) -> Result<DataFrame> {
    let history = sources.table("sales_customers_history")?;
    let versions = intervals(&history, "d", "customer_id", &["customer_id", "delivery_city_id"]);
    Ok(reaching_back(&versions, "d", "customer_id").select([
        col("d_customer_id").alias("recipient_id"),
        col("d_delivery_city_id").alias("delivery_city_id"),
        col("d_from").alias("valid_from"),
        col("d_to").alias("valid_to"),
    ]))
}

/// The rows of the fact table: all, or only those of the given invoices (column `wwi_invoice_id`).
pub(super) fn rows(
    sources: &Sources,
    dimensions: &Dimensions,
    only: Option<&DataFrame>,
) -> Result<DataFrame> {
    let mut lines = lines(sources)?;
    if let Some(invoices) = only {
        let these = col("invoice_id").eq(col(GROUP));
        lines = lines.join(invoices, these, JoinType::LeftSemi);
    }
    let packages = sources.table("warehouse_package_types")?.select([
        col("package_type_id").alias("_package_type_id"),
        col("package_type_name").alias("package"),
    ]);
    let facts =
        lines.join(&packages, col("package_type_id").eq(col("_package_type_id")), JoinType::LeftOuter);
    let facts = as_of(&facts, "as_of", "customer_id", &deliveries(sources)?, "d", "recipient_id")
        .drop_columns([col("d.recipient_id"), col("d.valid_from"), col("d.valid_to")]);
    let facts = as_of(&facts, "as_of", "delivery_city_id", &dimensions.city, "city", "wwi_city_id");
    let facts = as_of(&facts, "as_of", "customer_id", &dimensions.customer, "customer", "wwi_customer_id");
    let facts =
        as_of(&facts, "as_of", "bill_to_customer_id", &dimensions.customer, "bill_to", "wwi_customer_id");
    let facts = as_of(
        &facts,
        "as_of",
        "salesperson_person_id",
        &dimensions.employee,
        "salesperson",
        "wwi_employee_id",
    );
    let facts = as_of(&facts, "as_of", "stock_item_id", &dimensions.stock_item, "item", "wwi_stock_item_id");
    Ok(facts.select([
        col("invoice_line_id").cast("bigint").alias(KEY),
        or_unknown(col("city.city_key")).alias("city_key"),
        or_unknown(col("customer.customer_key")).alias("customer_key"),
        or_unknown(col("bill_to.customer_key")).alias("bill_to_customer_key"),
        or_unknown(col("item.stock_item_key")).alias("stock_item_key"),
        col("invoice_date").alias("invoice_date_key"),
        expr("cast(confirmed_delivery_time AS date)").alias("delivery_date_key"),
        or_unknown(col("salesperson.employee_key")).alias("salesperson_key"),
        col("invoice_id").alias(GROUP),
        col("description"),
        col("package"),
        col("quantity"),
        col("line_unit_price").cast("decimal(18,2)").alias("unit_price"),
        expr("cast(line_tax_rate AS decimal(18,3))").alias("tax_rate"),
        expr("cast(extended_price - tax_amount AS decimal(18,2))").alias("total_excluding_tax"),
        col("tax_amount").cast("decimal(18,2)").alias("tax_amount"),
        col("line_profit").cast("decimal(18,2)").alias("profit"),
        col("extended_price").cast("decimal(18,2)").alias("total_including_tax"),
        expr("if(coalesce(item.is_chiller_stock, false), 0, quantity)").alias("total_dry_items"),
        expr("if(coalesce(item.is_chiller_stock, false), quantity, 0)").alias("total_chiller_items"),
    ]))
}

/// The invoices (column `wwi_invoice_id`) whose facts may differ from what gold has: those that changed, and those
/// that were edited after the beginning of a version, of anything they refer to, that gold did not know. None when
/// nothing changed. `late` holds, for each dimension, the business keys and the earliest new `valid_from`.
pub(super) fn affected(sources: &Sources, late: &Late) -> Result<Option<DataFrame>> {
    let mut parts: Vec<DataFrame> = Vec::new();
    for (table, key) in [("sales_invoices", "invoice_id"), ("sales_invoice_lines", "invoice_line_id")] {
        if let Some(changed) = sources.changed(table, key)? {
            parts.push(changed.select([col("invoice_id").alias(GROUP)]));
        }
    }
    let lines = lines(sources)?;
    for (versions, id, columns) in [
        (&late.customer, "wwi_customer_id", &["customer_id", "bill_to_customer_id"][..]),
        (&late.employee, "wwi_employee_id", &["salesperson_person_id"]),
        (&late.stock_item, "wwi_stock_item_id", &["stock_item_id"]),
    ] {
        let Some(versions) = versions else { continue };
        for column in columns {
            let hit = col(column).eq(col(id)) & col("as_of").gt(col("since"));
            parts
                .push(lines.join(versions, hit, JoinType::LeftSemi).select([col("invoice_id").alias(GROUP)]));
        }
    }
    if let Some(changed) = sources.changed("sales_customers_history", "customer_id")? {
        let since = changed
            .group_by([col("customer_id").alias("_customer_id")])
            .agg([min("valid_from").alias("since")]);
        let hit = col("customer_id").eq(col("_customer_id")) & col("as_of").gt(col("since"));
        parts.push(lines.join(&since, hit, JoinType::LeftSemi).select([col("invoice_id").alias(GROUP)]));
    }
    if let Some(cities) = &late.city {
        let deliveries = deliveries(sources)?.select(["recipient_id", "delivery_city_id"]);
        let moved = deliveries
            .join(cities, col("delivery_city_id").eq(col("wwi_city_id")), JoinType::Inner)
            .group_by([col("recipient_id").alias("_customer_id")])
            .agg([min("since").alias("since")]);
        let hit = col("customer_id").eq(col("_customer_id")) & col("as_of").gt(col("since"));
        parts.push(lines.join(&moved, hit, JoinType::LeftSemi).select([col("invoice_id").alias(GROUP)]));
    }
    if let Some(changed) = sources.changed("warehouse_package_types", "package_type_id")? {
        let changed = changed.select([col("package_type_id").alias("_package_type_id")]).distinct();
        let hit = col("package_type_id").eq(col("_package_type_id"));
        parts.push(lines.join(&changed, hit, JoinType::LeftSemi).select([col("invoice_id").alias(GROUP)]));
    }
    Ok(parts.into_iter().reduce(|all, next| all.union(&next)).map(|invoices| invoices.distinct()))
}

/// For each dimension that changed: business key, and `since`, the earliest time from which it is another.
#[derive(Default)]
pub(super) struct Late {
    pub(super) customer: Option<DataFrame>,
    pub(super) city: Option<DataFrame>,
    pub(super) employee: Option<DataFrame>,
    pub(super) stock_item: Option<DataFrame>,
}

/// From when on each member of a dimension is another, out of the dimension's change data feed: business key, `since`.
/// A version that was merely ended differs from its end on.
pub(super) fn since(changes: &DataFrame, dimension: &Dimension) -> DataFrame {
    let attributes = struct_(dimension.attribute_names());
    let appeared = bool_or(col("_change_type").isin(["insert", "delete"]));
    changes
        .group_by([dimension.business_key, dimension.surrogate])
        .agg([
            min("valid_from").alias("begin"),
            min("valid_to").alias("end"),
            (appeared | count_distinct([attributes]).gt(1)).alias("is_other"),
        ])
        .with_column("since", when(col("is_other"), col("begin")).otherwise(col("end")))
        .group_by([dimension.business_key])
        .agg([min("since").alias("since")])
}
