ALTER TABLE application.people
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people;

ALTER TABLE application.countries
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people;

ALTER TABLE application.state_provinces
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people,
  ADD FOREIGN KEY (country_id) REFERENCES application.countries;

ALTER TABLE application.cities
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people,
  ADD FOREIGN KEY (state_province_id) REFERENCES application.state_provinces;

ALTER TABLE application.delivery_methods
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people;

ALTER TABLE application.payment_methods
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people;

ALTER TABLE application.transaction_types
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people;

ALTER TABLE purchasing.supplier_categories
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people;

ALTER TABLE purchasing.suppliers
  ADD FOREIGN KEY (alternate_contact_person_id) REFERENCES application.people,
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people,
  ADD FOREIGN KEY (delivery_city_id) REFERENCES application.cities,
  ADD FOREIGN KEY (delivery_method_id) REFERENCES application.delivery_methods,
  ADD FOREIGN KEY (postal_city_id) REFERENCES application.cities,
  ADD FOREIGN KEY (primary_contact_person_id) REFERENCES application.people,
  ADD FOREIGN KEY (supplier_category_id) REFERENCES purchasing.supplier_categories;

ALTER TABLE warehouse.colors
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people;

ALTER TABLE warehouse.package_types
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people;

ALTER TABLE warehouse.stock_items
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people,
  ADD FOREIGN KEY (color_id) REFERENCES warehouse.colors,
  ADD FOREIGN KEY (outer_package_id) REFERENCES warehouse.package_types,
  ADD FOREIGN KEY (supplier_id) REFERENCES purchasing.suppliers,
  ADD FOREIGN KEY (unit_package_id) REFERENCES warehouse.package_types;

ALTER TABLE warehouse.stock_item_holdings
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people,
  ADD FOREIGN KEY (stock_item_id) REFERENCES warehouse.stock_items;

ALTER TABLE sales.buying_groups
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people;

ALTER TABLE sales.customer_categories
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people;

ALTER TABLE sales.customers
  ADD FOREIGN KEY (alternate_contact_person_id) REFERENCES application.people,
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people,
  ADD FOREIGN KEY (bill_to_customer_id) REFERENCES sales.customers,
  ADD FOREIGN KEY (buying_group_id) REFERENCES sales.buying_groups,
  ADD FOREIGN KEY (customer_category_id) REFERENCES sales.customer_categories,
  ADD FOREIGN KEY (delivery_city_id) REFERENCES application.cities,
  ADD FOREIGN KEY (delivery_method_id) REFERENCES application.delivery_methods,
  ADD FOREIGN KEY (postal_city_id) REFERENCES application.cities,
  ADD FOREIGN KEY (primary_contact_person_id) REFERENCES application.people;

ALTER TABLE sales.orders
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people,
  ADD FOREIGN KEY (backorder_order_id) REFERENCES sales.orders,
  ADD FOREIGN KEY (contact_person_id) REFERENCES application.people,
  ADD FOREIGN KEY (customer_id) REFERENCES sales.customers,
  ADD FOREIGN KEY (picked_by_person_id) REFERENCES application.people,
  ADD FOREIGN KEY (salesperson_person_id) REFERENCES application.people;

ALTER TABLE sales.order_lines
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people,
  ADD FOREIGN KEY (order_id) REFERENCES sales.orders,
  ADD FOREIGN KEY (package_type_id) REFERENCES warehouse.package_types,
  ADD FOREIGN KEY (stock_item_id) REFERENCES warehouse.stock_items;

ALTER TABLE sales.invoices
  ADD FOREIGN KEY (accounts_person_id) REFERENCES application.people,
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people,
  ADD FOREIGN KEY (bill_to_customer_id) REFERENCES sales.customers,
  ADD FOREIGN KEY (contact_person_id) REFERENCES application.people,
  ADD FOREIGN KEY (customer_id) REFERENCES sales.customers,
  ADD FOREIGN KEY (delivery_method_id) REFERENCES application.delivery_methods,
  ADD FOREIGN KEY (order_id) REFERENCES sales.orders,
  ADD FOREIGN KEY (packed_by_person_id) REFERENCES application.people,
  ADD FOREIGN KEY (salesperson_person_id) REFERENCES application.people;

ALTER TABLE sales.invoice_lines
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people,
  ADD FOREIGN KEY (invoice_id) REFERENCES sales.invoices,
  ADD FOREIGN KEY (package_type_id) REFERENCES warehouse.package_types,
  ADD FOREIGN KEY (stock_item_id) REFERENCES warehouse.stock_items;

ALTER TABLE sales.customer_transactions
  ADD FOREIGN KEY (last_edited_by) REFERENCES application.people,
  ADD FOREIGN KEY (customer_id) REFERENCES sales.customers,
  ADD FOREIGN KEY (invoice_id) REFERENCES sales.invoices,
  ADD FOREIGN KEY (payment_method_id) REFERENCES application.payment_methods,
  ADD FOREIGN KEY (transaction_type_id) REFERENCES application.transaction_types;
