-- Columns computed by the source's tables are kept by triggers here, not by GENERATED columns:
-- pgoutput publishes no generated column before PostgreSQL 18, and consumers need them.

CREATE FUNCTION application.compute_people() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.search_name := NEW.preferred_name || ' ' || NEW.full_name;
  NEW.other_languages := NEW.custom_fields::jsonb -> 'OtherLanguages';
  RETURN NEW;
END
$$;

CREATE FUNCTION warehouse.compute_stock_items() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.tags := NEW.custom_fields::jsonb -> 'Tags';
  NEW.search_details := NEW.stock_item_name || ' ' || coalesce(NEW.marketing_comments, '');
  RETURN NEW;
END
$$;

CREATE FUNCTION sales.compute_invoices() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.confirmed_received_by := NEW.returned_delivery_data::json ->> 'ReceivedBy';
  NEW.confirmed_delivery_time := CASE
    WHEN NEW.returned_delivery_data::json ->> 'DeliveredWhen' ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d'
    THEN (NEW.returned_delivery_data::json ->> 'DeliveredWhen')::timestamp
  END;
  RETURN NEW;
END
$$;

CREATE FUNCTION sales.compute_customer_transactions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.is_finalized := NEW.finalization_date IS NOT NULL;
  RETURN NEW;
END
$$;

CREATE TRIGGER a_compute BEFORE INSERT OR UPDATE ON application.people
  FOR EACH ROW EXECUTE FUNCTION application.compute_people();
CREATE TRIGGER a_compute BEFORE INSERT OR UPDATE ON warehouse.stock_items
  FOR EACH ROW EXECUTE FUNCTION warehouse.compute_stock_items();
CREATE TRIGGER a_compute BEFORE INSERT OR UPDATE ON sales.invoices
  FOR EACH ROW EXECUTE FUNCTION sales.compute_invoices();
CREATE TRIGGER a_compute BEFORE INSERT OR UPDATE ON sales.customer_transactions
  FOR EACH ROW EXECUTE FUNCTION sales.compute_customer_transactions();
