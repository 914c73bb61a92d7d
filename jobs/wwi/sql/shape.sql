-- One row per table of the model: its name, a digest of its columns, keys and triggers, and the
-- digest that it was stamped with when it was created.
CREATE OR REPLACE FUNCTION pg_temp.wwi_shape()
RETURNS TABLE (table_name text, digest text, stamp text) LANGUAGE sql STABLE AS $$
  SELECT c.oid::regclass::text,
         md5(concat_ws('|',
           (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull), ',' ORDER BY a.attnum)
              FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
           (SELECT string_agg(pg_get_constraintdef(k.oid), ',' ORDER BY pg_get_constraintdef(k.oid))
              FROM pg_constraint k WHERE k.conrelid = c.oid),
           (SELECT string_agg(t.tgname, ',' ORDER BY t.tgname)
              FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal))),
         substr(obj_description(c.oid, 'pg_class'), length('lakepulse-wwi ') + 1)
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname IN ('application', 'purchasing', 'sales', 'warehouse') AND c.relkind = 'r'
   ORDER BY 1
$$;
