//! The dimensions of Wide World Importers' star schema.

use super::dimension::{Dimension, Reference};

const TEXT: &str = "'N/A'";

/// Customers, with the names of what they refer to.
pub(super) const CUSTOMER: Dimension = Dimension {
    name: "dim_customer",
    surrogate: "customer_key",
    business_key: "wwi_customer_id",
    table: "sales_customers",
    key: "customer_id",
    columns: &[
        "customer_id",
        "customer_name",
        "bill_to_customer_id",
        "customer_category_id",
        "buying_group_id",
        "primary_contact_person_id",
        "delivery_postal_code",
    ],
    condition: "true",
    references: &[
        Reference {
            alias: "c",
            table: "sales_customer_categories",
            key: "customer_category_id",
            foreign_key: "m_customer_category_id",
            columns: &["customer_category_id", "customer_category_name"],
        },
        Reference {
            alias: "g",
            table: "sales_buying_groups",
            key: "buying_group_id",
            foreign_key: "m_buying_group_id",
            columns: &["buying_group_id", "buying_group_name"],
        },
        Reference {
            alias: "p",
            table: "application_people",
            key: "person_id",
            foreign_key: "m_primary_contact_person_id",
            columns: &["person_id", "full_name"],
        },
        Reference {
            alias: "b",
            table: "sales_customers",
            key: "customer_id",
            foreign_key: "m_bill_to_customer_id",
            columns: &["customer_id", "customer_name"],
        },
    ],
    attributes: &[
        ("customer", "m_customer_name", "'Unknown'"),
        ("bill_to_customer", "b_customer_name", TEXT),
        ("category", "c_customer_category_name", TEXT),
        ("buying_group", "coalesce(g_buying_group_name, 'N/A')", TEXT),
        ("primary_contact", "p_full_name", TEXT),
        ("postal_code", "m_delivery_postal_code", TEXT),
    ],
};

/// Cities, with their states and countries.
pub(super) const CITY: Dimension = Dimension {
    name: "dim_city",
    surrogate: "city_key",
    business_key: "wwi_city_id",
    table: "application_cities",
    key: "city_id",
    columns: &["city_id", "city_name", "state_province_id", "location", "latest_recorded_population"],
    condition: "true",
    references: &[
        Reference {
            alias: "s",
            table: "application_state_provinces",
            key: "state_province_id",
            foreign_key: "m_state_province_id",
            columns: &["state_province_id", "state_province_name", "sales_territory", "country_id"],
        },
        Reference {
            alias: "c",
            table: "application_countries",
            key: "country_id",
            foreign_key: "s_country_id",
            columns: &["country_id", "country_name", "continent", "region", "subregion"],
        },
    ],
    attributes: &[
        ("city", "m_city_name", "'Unknown'"),
        ("state_province", "s_state_province_name", TEXT),
        ("country", "c_country_name", TEXT),
        ("continent", "c_continent", TEXT),
        ("sales_territory", "s_sales_territory", TEXT),
        ("region", "c_region", TEXT),
        ("subregion", "c_subregion", TEXT),
        ("location", "m_location", "cast(NULL AS string)"),
        ("latest_recorded_population", "coalesce(m_latest_recorded_population, 0L)", "0L"),
    ],
};

/// People while they are employees.
pub(super) const EMPLOYEE: Dimension = Dimension {
    name: "dim_employee",
    surrogate: "employee_key",
    business_key: "wwi_employee_id",
    table: "application_people",
    key: "person_id",
    columns: &["person_id", "full_name", "preferred_name", "is_employee", "is_salesperson", "photo"],
    condition: "m_is_employee",
    references: &[],
    attributes: &[
        ("employee", "m_full_name", "'Unknown'"),
        ("preferred_name", "m_preferred_name", TEXT),
        ("is_salesperson", "m_is_salesperson", "false"),
        ("photo", "m_photo", "cast(NULL AS binary)"),
    ],
};

/// Stock items, with their colours and packages.
pub(super) const STOCK_ITEM: Dimension = Dimension {
    name: "dim_stock_item",
    surrogate: "stock_item_key",
    business_key: "wwi_stock_item_id",
    table: "warehouse_stock_items",
    key: "stock_item_id",
    columns: &[
        "stock_item_id",
        "stock_item_name",
        "color_id",
        "unit_package_id",
        "outer_package_id",
        "brand",
        "size",
        "lead_time_days",
        "quantity_per_outer",
        "is_chiller_stock",
        "barcode",
        "tax_rate",
        "unit_price",
        "recommended_retail_price",
        "typical_weight_per_unit",
        "photo",
    ],
    condition: "true",
    references: &[
        Reference {
            alias: "c",
            table: "warehouse_colors",
            key: "color_id",
            foreign_key: "m_color_id",
            columns: &["color_id", "color_name"],
        },
        Reference {
            alias: "u",
            table: "warehouse_package_types",
            key: "package_type_id",
            foreign_key: "m_unit_package_id",
            columns: &["package_type_id", "package_type_name"],
        },
        Reference {
            alias: "o",
            table: "warehouse_package_types",
            key: "package_type_id",
            foreign_key: "m_outer_package_id",
            columns: &["package_type_id", "package_type_name"],
        },
    ],
    attributes: &[
        ("stock_item", "m_stock_item_name", "'Unknown'"),
        ("color", "coalesce(c_color_name, 'N/A')", TEXT),
        ("selling_package", "u_package_type_name", TEXT),
        ("buying_package", "o_package_type_name", TEXT),
        ("brand", "coalesce(m_brand, 'N/A')", TEXT),
        ("size", "coalesce(m_size, 'N/A')", TEXT),
        ("lead_time_days", "m_lead_time_days", "0"),
        ("quantity_per_outer", "m_quantity_per_outer", "0"),
        ("is_chiller_stock", "m_is_chiller_stock", "false"),
        ("barcode", "coalesce(m_barcode, 'N/A')", TEXT),
        ("tax_rate", "cast(m_tax_rate AS decimal(18,3))", "cast(0 AS decimal(18,3))"),
        ("unit_price", "cast(m_unit_price AS decimal(18,2))", "cast(0 AS decimal(18,2))"),
        (
            "recommended_retail_price",
            "cast(m_recommended_retail_price AS decimal(18,2))",
            "cast(0 AS decimal(18,2))",
        ),
        (
            "typical_weight_per_unit",
            "cast(m_typical_weight_per_unit AS decimal(18,3))",
            "cast(0 AS decimal(18,3))",
        ),
        ("photo", "m_photo", "cast(NULL AS binary)"),
    ],
};

/// All of them.
pub(super) const DIMENSIONS: [&Dimension; 4] = [&CUSTOMER, &CITY, &EMPLOYEE, &STOCK_ITEM];
