CREATE SCHEMA sequences;
CREATE SCHEMA application;
CREATE SCHEMA purchasing;
CREATE SCHEMA sales;
CREATE SCHEMA warehouse;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY[
    'person_id', 'country_id', 'state_province_id', 'city_id', 'delivery_method_id',
    'payment_method_id', 'transaction_type_id', 'supplier_category_id', 'supplier_id',
    'buying_group_id', 'customer_category_id', 'customer_id', 'color_id', 'package_type_id',
    'stock_item_id', 'order_id', 'order_line_id', 'invoice_id', 'invoice_line_id', 'transaction_id']
  LOOP
    EXECUTE format('CREATE SEQUENCE sequences.%I AS integer', name);
  END LOOP;
END
$$;
