CREATE TABLE purchasing.supplier_categories (
  supplier_category_id integer NOT NULL DEFAULT nextval('sequences.supplier_category_id'),
  supplier_category_name varchar(50) NOT NULL,
  last_edited_by integer NOT NULL,
  valid_from timestamp NOT NULL DEFAULT (current_timestamp AT TIME ZONE 'UTC'),
  valid_to timestamp NOT NULL DEFAULT '9999-12-31 23:59:59.999999',
  PRIMARY KEY (supplier_category_id),
  UNIQUE (supplier_category_name)
);

CREATE TABLE purchasing.suppliers (
  supplier_id integer NOT NULL DEFAULT nextval('sequences.supplier_id'),
  supplier_name varchar(100) NOT NULL,
  supplier_category_id integer NOT NULL,
  primary_contact_person_id integer NOT NULL,
  alternate_contact_person_id integer NOT NULL,
  delivery_method_id integer,
  delivery_city_id integer NOT NULL,
  postal_city_id integer NOT NULL,
  supplier_reference varchar(20),
  bank_account_name varchar(50),
  bank_account_branch varchar(50),
  bank_account_code varchar(20),
  bank_account_number varchar(20),
  bank_international_code varchar(20),
  payment_days integer NOT NULL,
  internal_comments text,
  phone_number varchar(20) NOT NULL,
  fax_number varchar(20) NOT NULL,
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
  PRIMARY KEY (supplier_id),
  UNIQUE (supplier_name)
);
CREATE INDEX ON purchasing.suppliers (supplier_category_id);
CREATE INDEX ON purchasing.suppliers (primary_contact_person_id);
CREATE INDEX ON purchasing.suppliers (alternate_contact_person_id);
CREATE INDEX ON purchasing.suppliers (delivery_method_id);
CREATE INDEX ON purchasing.suppliers (delivery_city_id);
CREATE INDEX ON purchasing.suppliers (postal_city_id);
