-- The table that is captured: the columns of Wide World Importers' order lines, one wide text among them.
drop table if exists order_lines;
create table order_lines (
  order_line_id integer primary key,
  order_id integer not null,
  stock_item_id integer not null,
  description text not null,
  package_type_id integer not null,
  quantity integer not null,
  unit_price numeric(18, 2),
  tax_rate numeric(18, 3) not null,
  picked_quantity integer not null,
  picking_completed_when timestamp,
  last_edited_by integer not null,
  last_edited_when timestamp not null
);
drop sequence if exists next_line;
create sequence next_line start 1000000001;

create or replace procedure load_lines(first integer, last integer, rows_per_transaction integer)
language plpgsql as $$
begin
  while first <= last loop
    insert into order_lines
      select n, n / 3, n % 227, 'Halloween zombie mask (Light Brown) M, size and colour no. ' || lpad(n::text, 9, '0'),
             n % 14, n % 100, (n % 10000) / 100.0, 15.000, n % 100,
             timestamp '2016-01-01' + n % 10000000 * interval '1 second', n % 20, clock_timestamp()
        from generate_series(first, least(first + rows_per_transaction - 1, last)) as n;
    commit;
    first := first + rows_per_transaction;
  end loop;
end $$;
