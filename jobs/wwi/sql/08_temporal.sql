-- A temporal table keeps its old versions in <table>_archive. A version ends when the change's
-- transaction began, and at least 1 us after it started, so that versions of one key never overlap
-- even when transactions commit in another order than they began.
CREATE FUNCTION application.keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ended timestamp := greatest(
    current_timestamp AT TIME ZONE 'UTC', OLD.valid_from + interval '1 microsecond');
BEGIN
  OLD.valid_to := ended;
  -- By column name, so that a column added to the table doesn't stop its changes.
  EXECUTE format('INSERT INTO %1$I.%2$I SELECT (jsonb_populate_record(NULL::%1$I.%2$I, to_jsonb($1))).*',
    TG_TABLE_SCHEMA, TG_TABLE_NAME || '_archive')
    USING OLD;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  NEW.valid_from := ended;
  NEW.valid_to := '9999-12-31 23:59:59.999999';
  RETURN NEW;
END
$$;

DO $$
DECLARE
  pair text[];
BEGIN
  FOREACH pair SLICE 1 IN ARRAY ARRAY[
    ['application', 'people'], ['application', 'countries'], ['application', 'state_provinces'],
    ['application', 'cities'], ['application', 'delivery_methods'],
    ['application', 'payment_methods'], ['application', 'transaction_types'],
    ['purchasing', 'supplier_categories'], ['purchasing', 'suppliers'],
    ['warehouse', 'colors'], ['warehouse', 'package_types'], ['warehouse', 'stock_items'],
    ['sales', 'buying_groups'], ['sales', 'customer_categories'], ['sales', 'customers']]
  LOOP
    EXECUTE format('CREATE TABLE %1$I.%2$I (LIKE %1$I.%3$I)', pair[1], pair[2] || '_archive', pair[2]);
    EXECUTE format('CREATE INDEX ON %I.%I (valid_to, valid_from)', pair[1], pair[2] || '_archive');
    EXECUTE format(
      'CREATE TRIGGER b_keep_history BEFORE UPDATE OR DELETE ON %I.%I
       FOR EACH ROW EXECUTE FUNCTION application.keep_history()', pair[1], pair[2]);
  END LOOP;
END
$$;
