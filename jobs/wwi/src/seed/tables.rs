use tokio_postgres::Transaction;

use crate::error::{Error, statement};

/// A table to load: the columns that COPY fills and the sequence behind its key.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    columns: &'static str,
    sequence: Option<(&'static str, &'static str)>,
}

impl Table {
    pub(crate) fn copy(&self) -> String {
        format!("COPY {} ({}) FROM STDIN", self.name, self.columns)
    }
}

const fn named(name: &'static str, columns: &'static str, key: &'static str) -> Table {
    Table { name, columns, sequence: Some((key, key)) }
}

/// In the order in which foreign keys allow them.
pub(crate) const REFERENCE: [Table; 16] = [
    named(
        "application.people",
        "person_id, full_name, preferred_name, is_permitted_to_logon, logon_name, is_external_logon_provider, hashed_password, is_system_user, is_employee, is_salesperson, user_preferences, phone_number, fax_number, email_address, photo, custom_fields, last_edited_by, valid_from, valid_to",
        "person_id",
    ),
    named(
        "application.countries",
        "country_id, country_name, formal_name, iso_alpha3_code, iso_numeric_code, country_type, latest_recorded_population, continent, region, subregion, border, last_edited_by, valid_from, valid_to",
        "country_id",
    ),
    named(
        "application.state_provinces",
        "state_province_id, state_province_code, state_province_name, country_id, sales_territory, border, latest_recorded_population, last_edited_by, valid_from, valid_to",
        "state_province_id",
    ),
    named(
        "application.cities",
        "city_id, city_name, state_province_id, location, latest_recorded_population, last_edited_by, valid_from, valid_to",
        "city_id",
    ),
    named(
        "application.delivery_methods",
        "delivery_method_id, delivery_method_name, last_edited_by, valid_from, valid_to",
        "delivery_method_id",
    ),
    named(
        "application.payment_methods",
        "payment_method_id, payment_method_name, last_edited_by, valid_from, valid_to",
        "payment_method_id",
    ),
    named(
        "application.transaction_types",
        "transaction_type_id, transaction_type_name, last_edited_by, valid_from, valid_to",
        "transaction_type_id",
    ),
    named(
        "purchasing.supplier_categories",
        "supplier_category_id, supplier_category_name, last_edited_by, valid_from, valid_to",
        "supplier_category_id",
    ),
    named(
        "purchasing.suppliers",
        "supplier_id, supplier_name, supplier_category_id, primary_contact_person_id, alternate_contact_person_id, delivery_method_id, delivery_city_id, postal_city_id, supplier_reference, bank_account_name, bank_account_branch, bank_account_code, bank_account_number, bank_international_code, payment_days, internal_comments, phone_number, fax_number, website_url, delivery_address_line1, delivery_address_line2, delivery_postal_code, delivery_location, postal_address_line1, postal_address_line2, postal_postal_code, last_edited_by, valid_from, valid_to",
        "supplier_id",
    ),
    named("warehouse.colors", "color_id, color_name, last_edited_by, valid_from, valid_to", "color_id"),
    named(
        "warehouse.package_types",
        "package_type_id, package_type_name, last_edited_by, valid_from, valid_to",
        "package_type_id",
    ),
    named(
        "warehouse.stock_items",
        "stock_item_id, stock_item_name, supplier_id, color_id, unit_package_id, outer_package_id, brand, size, lead_time_days, quantity_per_outer, is_chiller_stock, barcode, tax_rate, unit_price, recommended_retail_price, typical_weight_per_unit, marketing_comments, internal_comments, photo, custom_fields, last_edited_by, valid_from, valid_to",
        "stock_item_id",
    ),
    Table {
        name: "warehouse.stock_item_holdings",
        columns: "stock_item_id, quantity_on_hand, bin_location, last_stocktake_quantity, last_cost_price, reorder_level, target_stock_level, last_edited_by, last_edited_when",
        sequence: None,
    },
    named(
        "sales.buying_groups",
        "buying_group_id, buying_group_name, last_edited_by, valid_from, valid_to",
        "buying_group_id",
    ),
    named(
        "sales.customer_categories",
        "customer_category_id, customer_category_name, last_edited_by, valid_from, valid_to",
        "customer_category_id",
    ),
    named(
        "sales.customers",
        "customer_id, customer_name, bill_to_customer_id, customer_category_id, buying_group_id, primary_contact_person_id, alternate_contact_person_id, delivery_method_id, delivery_city_id, postal_city_id, credit_limit, account_opened_date, standard_discount_percentage, is_statement_sent, is_on_credit_hold, payment_days, phone_number, fax_number, delivery_run, run_position, website_url, delivery_address_line1, delivery_address_line2, delivery_postal_code, delivery_location, postal_address_line1, postal_address_line2, postal_postal_code, last_edited_by, valid_from, valid_to",
        "customer_id",
    ),
];

pub(crate) const SALES: [Table; 5] = [
    named(
        "sales.orders",
        "order_id, customer_id, salesperson_person_id, picked_by_person_id, contact_person_id, backorder_order_id, order_date, expected_delivery_date, customer_purchase_order_number, is_undersupply_backordered, comments, delivery_instructions, internal_comments, picking_completed_when, last_edited_by, last_edited_when",
        "order_id",
    ),
    named(
        "sales.order_lines",
        "order_line_id, order_id, stock_item_id, description, package_type_id, quantity, unit_price, tax_rate, picked_quantity, picking_completed_when, last_edited_by, last_edited_when",
        "order_line_id",
    ),
    named(
        "sales.invoices",
        "invoice_id, customer_id, bill_to_customer_id, order_id, delivery_method_id, contact_person_id, accounts_person_id, salesperson_person_id, packed_by_person_id, invoice_date, customer_purchase_order_number, is_credit_note, credit_note_reason, comments, delivery_instructions, internal_comments, total_dry_items, total_chiller_items, delivery_run, run_position, returned_delivery_data, last_edited_by, last_edited_when",
        "invoice_id",
    ),
    named(
        "sales.invoice_lines",
        "invoice_line_id, invoice_id, stock_item_id, description, package_type_id, quantity, unit_price, tax_rate, tax_amount, line_profit, extended_price, last_edited_by, last_edited_when",
        "invoice_line_id",
    ),
    Table {
        name: "sales.customer_transactions",
        columns: "customer_transaction_id, customer_id, transaction_type_id, invoice_id, payment_method_id, transaction_date, amount_excluding_tax, tax_amount, transaction_amount, outstanding_balance, finalization_date, last_edited_by, last_edited_when",
        sequence: Some(("transaction_id", "customer_transaction_id")),
    },
];

/// Sets each table's sequence past its largest key.
pub(crate) async fn move_sequences(phase: &Transaction<'_>, tables: &[Table]) -> Result<(), Error> {
    for table in tables {
        if let Some((sequence, key)) = table.sequence {
            let sql = format!(
                "SELECT setval('sequences.{sequence}', coalesce(max({key}), 0) + 1, false) FROM {}",
                table.name
            );
            phase
                .batch_execute(&sql)
                .await
                .map_err(statement(format!("cannot move sequences.{sequence}")))?;
        }
    }
    Ok(())
}
