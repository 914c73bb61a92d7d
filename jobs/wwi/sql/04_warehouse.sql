CREATE TABLE warehouse.colors (
  color_id integer NOT NULL DEFAULT nextval('sequences.color_id'),
  color_name varchar(20) NOT NULL,
  last_edited_by integer NOT NULL,
  valid_from timestamp NOT NULL DEFAULT (current_timestamp AT TIME ZONE 'UTC'),
  valid_to timestamp NOT NULL DEFAULT '9999-12-31 23:59:59.999999',
  PRIMARY KEY (color_id),
  UNIQUE (color_name)
);

CREATE TABLE warehouse.package_types (
  package_type_id integer NOT NULL DEFAULT nextval('sequences.package_type_id'),
  package_type_name varchar(50) NOT NULL,
  last_edited_by integer NOT NULL,
  valid_from timestamp NOT NULL DEFAULT (current_timestamp AT TIME ZONE 'UTC'),
  valid_to timestamp NOT NULL DEFAULT '9999-12-31 23:59:59.999999',
  PRIMARY KEY (package_type_id),
  UNIQUE (package_type_name)
);

CREATE TABLE warehouse.stock_items (
  stock_item_id integer NOT NULL DEFAULT nextval('sequences.stock_item_id'),
  stock_item_name varchar(100) NOT NULL,
  supplier_id integer NOT NULL,
  color_id integer,
  unit_package_id integer NOT NULL,
  outer_package_id integer NOT NULL,
  brand varchar(50),
  size varchar(20),
  lead_time_days integer NOT NULL,
  quantity_per_outer integer NOT NULL,
  is_chiller_stock boolean NOT NULL,
  barcode varchar(50),
  tax_rate numeric(18,3) NOT NULL,
  unit_price numeric(18,2) NOT NULL,
  recommended_retail_price numeric(18,2),
  typical_weight_per_unit numeric(18,3) NOT NULL,
  marketing_comments text,
  internal_comments text,
  photo bytea,
  custom_fields text,
  tags jsonb,
  search_details text NOT NULL,
  last_edited_by integer NOT NULL,
  valid_from timestamp NOT NULL DEFAULT (current_timestamp AT TIME ZONE 'UTC'),
  valid_to timestamp NOT NULL DEFAULT '9999-12-31 23:59:59.999999',
  PRIMARY KEY (stock_item_id),
  UNIQUE (stock_item_name)
);
CREATE INDEX ON warehouse.stock_items (supplier_id);
CREATE INDEX ON warehouse.stock_items (color_id);
CREATE INDEX ON warehouse.stock_items (unit_package_id);
CREATE INDEX ON warehouse.stock_items (outer_package_id);

CREATE TABLE warehouse.stock_item_holdings (
  stock_item_id integer NOT NULL,
  quantity_on_hand integer NOT NULL,
  bin_location varchar(20) NOT NULL,
  last_stocktake_quantity integer NOT NULL,
  last_cost_price numeric(18,2) NOT NULL,
  reorder_level integer NOT NULL,
  target_stock_level integer NOT NULL,
  last_edited_by integer NOT NULL,
  last_edited_when timestamp NOT NULL DEFAULT (current_timestamp AT TIME ZONE 'UTC'),
  PRIMARY KEY (stock_item_id)
);
