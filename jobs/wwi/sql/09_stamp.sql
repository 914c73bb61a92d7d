-- Stamps every table with a digest of its shape, so that a later run tells a schema that is already
-- there from one that has been altered.
DO $$
DECLARE
  shape record;
BEGIN
  FOR shape IN SELECT * FROM pg_temp.wwi_shape() LOOP
    EXECUTE format('COMMENT ON TABLE %s IS %L', shape.table_name, 'lakepulse-wwi ' || shape.digest);
  END LOOP;
END
$$;
