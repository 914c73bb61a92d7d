\set q random(1, 100)
insert into order_lines
  select nextval('next_line'), :q, :q, 'Halloween zombie mask (Light Brown) M, size and colour no. 000000000', 7, :q, 12.50, 15.000,
         :q, '2016-01-01 00:00:00', 3, clock_timestamp()
    from generate_series(1, :rows);
