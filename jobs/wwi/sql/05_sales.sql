CREATE TABLE sales.buying_groups (
  buying_group_id integer NOT NULL DEFAULT nextval('sequences.buying_group_id'),
  buying_group_name varchar(50) NOT NULL,
  last_edited_by integer NOT NULL,
  valid_from timestamp NOT NULL DEFAULT (current_timestamp AT TIME ZONE 'UTC'),
  valid_to timestamp NOT NULL DEFAULT '9999-12-31 23:59:59.999999',
  PRIMARY KEY (buying_group_id),
  UNIQUE (buying_group_name)
);

CREATE TABLE sales.customer_categories (
  customer_category_id integer NOT NULL DEFAULT nextval('sequences.customer_category_id'),
  customer_category_name varchar(50) NOT NULL,
  last_edited_by integer NOT NULL,
  valid_from timestamp NOT NULL DEFAULT (current_timestamp AT TIME ZONE 'UTC'),
  valid_to timestamp NOT NULL DEFAULT '9999-12-31 23:59:59.999999',
  PRIMARY KEY (customer_category_id),
  UNIQUE (customer_category_name)
);

CREATE TABLE sales.customers (
  customer_id integer NOT NULL DEFAULT nextval('sequences.customer_id'),
  customer_name varchar(100) NOT NULL,
  bill_to_customer_id integer NOT NULL,
  customer_category_id integer NOT NULL,
  buying_group_id integer,
  primary_contact_person_id integer NOT NULL,
  alternate_contact_person_id integer,
  delivery_method_id integer NOT NULL,
  delivery_city_id integer NOT NULL,
  postal_city_id integer NOT NULL,
  credit_limit numeric(18,2),
  account_opened_date date NOT NULL,
  standard_discount_percentage numeric(18,3) NOT NULL,
  is_statement_sent boolean NOT NULL,
  is_on_credit_hold boolean NOT NULL,
  payment_days integer NOT NULL,
  phone_number varchar(20) NOT NULL,
  fax_number varchar(20) NOT NULL,
  delivery_run varchar(5),
  run_position varchar(5),
  website_url varchar(256) NOT NULL,
  delivery_address_line1 varchar(60) NOT NULL,
  delivery_address_line2 varchar(60),
  delivery_postal_code varchar(10) NOT NULL,
  delivery_location text,
  postal_address_line1 varchar(60) NOT NULL,
  postal_address_line2 varchar(60),
  postal_postal_code varchar(10) NOT NULL,
  last_edited_by integer NOT NULL,
  valid_from timestamp NOT NULL DEFAULT (current_timestamp AT TIME ZONE 'UTC'),
  valid_to timestamp NOT NULL DEFAULT '9999-12-31 23:59:59.999999',
  PRIMARY KEY (customer_id),
  UNIQUE (customer_name)
);
CREATE INDEX ON sales.customers (customer_category_id);
CREATE INDEX ON sales.customers (buying_group_id);
CREATE INDEX ON sales.customers (primary_contact_person_id);
CREATE INDEX ON sales.customers (alternate_contact_person_id);
CREATE INDEX ON sales.customers (delivery_method_id);
CREATE INDEX ON sales.customers (delivery_city_id);
CREATE INDEX ON sales.customers (postal_city_id);
CREATE INDEX ON sales.customers (is_on_credit_hold, customer_id, bill_to_customer_id);

CREATE TABLE sales.orders (
  order_id integer NOT NULL DEFAULT nextval('sequences.order_id'),
  customer_id integer NOT NULL,
  salesperson_person_id integer NOT NULL,
  picked_by_person_id integer,
  contact_person_id integer NOT NULL,
  backorder_order_id integer,
  order_date date NOT NULL,
  expected_delivery_date date NOT NULL,
  customer_purchase_order_number varchar(20),
  is_undersupply_backordered boolean NOT NULL,
  comments text,
  delivery_instructions text,
  internal_comments text,
  picking_completed_when timestamp,
  last_edited_by integer NOT NULL,
  last_edited_when timestamp NOT NULL DEFAULT (current_timestamp AT TIME ZONE 'UTC'),
  PRIMARY KEY (order_id)
);
CREATE INDEX ON sales.orders (customer_id);
CREATE INDEX ON sales.orders (salesperson_person_id);
CREATE INDEX ON sales.orders (picked_by_person_id);
CREATE INDEX ON sales.orders (contact_person_id);

CREATE TABLE sales.order_lines (
  order_line_id integer NOT NULL DEFAULT nextval('sequences.order_line_id'),
  order_id integer NOT NULL,
  stock_item_id integer NOT NULL,
  description varchar(100) NOT NULL,
  package_type_id integer NOT NULL,
  quantity integer NOT NULL,
  unit_price numeric(18,2),
  tax_rate numeric(18,3) NOT NULL,
  picked_quantity integer NOT NULL,
  picking_completed_when timestamp,
  last_edited_by integer NOT NULL,
  last_edited_when timestamp NOT NULL DEFAULT (current_timestamp AT TIME ZONE 'UTC'),
  PRIMARY KEY (order_line_id)
);
CREATE INDEX ON sales.order_lines (order_id);
CREATE INDEX ON sales.order_lines (package_type_id);
CREATE INDEX ON sales.order_lines (stock_item_id);
CREATE INDEX ON sales.order_lines (picking_completed_when, order_id, order_line_id);
CREATE INDEX ON sales.order_lines (stock_item_id, picking_completed_when);

CREATE TABLE sales.invoices (
  invoice_id integer NOT NULL DEFAULT nextval('sequences.invoice_id'),
  customer_id integer NOT NULL,
  bill_to_customer_id integer NOT NULL,
  order_id integer,
  delivery_method_id integer NOT NULL,
  contact_person_id integer NOT NULL,
  accounts_person_id integer NOT NULL,
  salesperson_person_id integer NOT NULL,
  packed_by_person_id integer NOT NULL,
  invoice_date date NOT NULL,
  customer_purchase_order_number varchar(20),
  is_credit_note boolean NOT NULL,
  credit_note_reason text,
  comments text,
  delivery_instructions text,
  internal_comments text,
  total_dry_items integer NOT NULL,
  total_chiller_items integer NOT NULL,
  delivery_run varchar(5),
  run_position varchar(5),
  returned_delivery_data text CHECK (returned_delivery_data IS NULL OR returned_delivery_data::json IS NOT NULL),
  confirmed_delivery_time timestamp,
  confirmed_received_by text,
  last_edited_by integer NOT NULL,
  last_edited_when timestamp NOT NULL DEFAULT (current_timestamp AT TIME ZONE 'UTC'),
  PRIMARY KEY (invoice_id)
);
CREATE INDEX ON sales.invoices (customer_id);
CREATE INDEX ON sales.invoices (bill_to_customer_id);
CREATE INDEX ON sales.invoices (order_id);
CREATE INDEX ON sales.invoices (delivery_method_id);
CREATE INDEX ON sales.invoices (contact_person_id);
CREATE INDEX ON sales.invoices (accounts_person_id);
CREATE INDEX ON sales.invoices (salesperson_person_id);
CREATE INDEX ON sales.invoices (packed_by_person_id);
CREATE INDEX ON sales.invoices (confirmed_delivery_time);

CREATE TABLE sales.invoice_lines (
  invoice_line_id integer NOT NULL DEFAULT nextval('sequences.invoice_line_id'),
  invoice_id integer NOT NULL,
  stock_item_id integer NOT NULL,
  description varchar(100) NOT NULL,
  package_type_id integer NOT NULL,
  quantity integer NOT NULL,
  unit_price numeric(18,2),
  tax_rate numeric(18,3) NOT NULL,
  tax_amount numeric(18,2) NOT NULL,
  line_profit numeric(18,2) NOT NULL,
  extended_price numeric(18,2) NOT NULL,
  last_edited_by integer NOT NULL,
  last_edited_when timestamp NOT NULL DEFAULT (current_timestamp AT TIME ZONE 'UTC'),
  PRIMARY KEY (invoice_line_id)
);
CREATE INDEX ON sales.invoice_lines (invoice_id);
CREATE INDEX ON sales.invoice_lines (stock_item_id);
CREATE INDEX ON sales.invoice_lines (package_type_id);

CREATE TABLE sales.customer_transactions (
  customer_transaction_id integer NOT NULL DEFAULT nextval('sequences.transaction_id'),
  customer_id integer NOT NULL,
  transaction_type_id integer NOT NULL,
  invoice_id integer,
  payment_method_id integer,
  transaction_date date NOT NULL,
  amount_excluding_tax numeric(18,2) NOT NULL,
  tax_amount numeric(18,2) NOT NULL,
  transaction_amount numeric(18,2) NOT NULL,
  outstanding_balance numeric(18,2) NOT NULL,
  finalization_date date,
  is_finalized boolean NOT NULL,
  last_edited_by integer NOT NULL,
  last_edited_when timestamp NOT NULL DEFAULT (current_timestamp AT TIME ZONE 'UTC'),
  PRIMARY KEY (customer_transaction_id)
);
CREATE INDEX ON sales.customer_transactions (transaction_date);
CREATE INDEX ON sales.customer_transactions (customer_id);
CREATE INDEX ON sales.customer_transactions (transaction_type_id);
CREATE INDEX ON sales.customer_transactions (invoice_id);
CREATE INDEX ON sales.customer_transactions (payment_method_id);
CREATE INDEX ON sales.customer_transactions (is_finalized);
