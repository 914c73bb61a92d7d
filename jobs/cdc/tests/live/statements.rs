//! What the storm does to the source: rows and shapes of tables, at random.

pub const TABLES: &str = "
    CREATE TABLE plain (id bigint PRIMARY KEY, n bigint NOT NULL, note text);
    CREATE TABLE toasted (id bigint PRIMARY KEY, n bigint NOT NULL, big text NOT NULL);
    ALTER TABLE toasted ALTER big SET STORAGE EXTERNAL;
    CREATE TABLE whole (a bigint, b text, n bigint NOT NULL, big bytea, PRIMARY KEY (b, a));
    ALTER TABLE whole ALTER big SET STORAGE EXTERNAL, REPLICA IDENTITY FULL;
    INSERT INTO plain SELECT i, 0, 'first' FROM generate_series(1, 500) i;
    INSERT INTO toasted SELECT i, 0, repeat(i::text || ' ', 3000) FROM generate_series(1, 200) i;
    INSERT INTO whole SELECT i, 'b' || i, 0, decode(repeat(lpad(i::text, 4, '0'), 3000), 'hex') FROM generate_series(1, 200) i;
    CREATE TABLE keyed (id bigint PRIMARY KEY, v text); INSERT INTO keyed SELECT i, 'v' || i FROM generate_series(1, 100) i;
    CREATE TABLE swapped (LIKE keyed INCLUDING ALL); CREATE TABLE swapped_too (LIKE keyed INCLUDING ALL);
    CREATE TABLE replaced (LIKE keyed INCLUDING ALL); CREATE TABLE moved (LIKE keyed INCLUDING ALL); CREATE SCHEMA other;
    CREATE TABLE typed (LIKE keyed INCLUDING ALL); CREATE TABLE rewritten (LIKE keyed INCLUDING ALL);
    INSERT INTO swapped SELECT * FROM keyed; INSERT INTO moved SELECT * FROM keyed; INSERT INTO typed SELECT * FROM keyed;
    CREATE TYPE mood AS ENUM ('first'); CREATE TABLE moods (id bigint PRIMARY KEY, m mood NOT NULL);
    CREATE TABLE parts (id bigint, leaf integer, v text, PRIMARY KEY (id, leaf)) PARTITION BY LIST (leaf);
    CREATE TABLE parts_0 PARTITION OF parts FOR VALUES IN (0); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
    CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2); INSERT INTO parts SELECT id, id % 3, v FROM keyed";

/// A small generator of numbers: the same choices for the same seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Statements after which the rows of one are deleted again, so that the tables do not outgrow what a capture that is
/// killed every few seconds can follow.
const KEPT: u64 = 1000;

/// One statement of the load; each is a transaction. `step` never comes twice.
pub fn statement(dice: &mut Dice, step: u64) -> String {
    let row = dice.below(500) + 1;
    let fresh = 10_000 + step;
    let old = fresh.saturating_sub(KEPT);
    // Columns go by their places, since their names change.
    let any = ["keyed", "swapped", "swapped_too", "replaced", "moved", "other.moved", "typed", "rewritten"];
    let table = any.get(row as usize % any.len()).copied().unwrap_or("keyed");
    match dice.below(28) {
        0..=3 => format!("INSERT INTO plain VALUES ({fresh}, {step}, 'new'), (-{fresh}, {step}, NULL)"),
        4..=6 => format!("UPDATE plain SET n = {step} WHERE id % 97 = {}", row % 97),
        7 => format!("DELETE FROM plain WHERE id % 211 = {}", row % 211),
        8 => format!(
            "UPDATE plain SET id = id + 1000000 WHERE id = (SELECT min(id) FROM plain WHERE id > {row} AND id < 1000000)"
        ),
        9..=11 => format!("UPDATE toasted SET n = {step} WHERE id % 37 = {}", row % 37),
        12 => format!(
            "BEGIN; INSERT INTO toasted VALUES ({fresh}, {step}, repeat('{step} ', 2500)); \
             DELETE FROM toasted WHERE id BETWEEN 10000 AND {old}; COMMIT"
        ),
        13 => format!("UPDATE toasted SET big = repeat('{step} ', 2200) WHERE id = {}", row % 200),
        14 => format!("UPDATE whole SET n = {step} WHERE a % 23 = {}", row % 23),
        15 => format!("UPDATE whole SET b = b || 'x' WHERE a = {}", row % 200),
        16 => format!("DELETE FROM whole WHERE a = {}", row % 200),
        17 => format!(
            "BEGIN; INSERT INTO whole VALUES ({fresh}, 'f', {step}, NULL); \
             DELETE FROM whole WHERE a BETWEEN 10000 AND {old}; COMMIT"
        ),
        18 => format!("BEGIN; INSERT INTO plain VALUES ({fresh}, 0, 'rolled back'); ROLLBACK"),
        19 => format!(
            "BEGIN; INSERT INTO plain SELECT {fresh} * 1000 + i, {step}, 'many' FROM generate_series(1, 300) i; \
             DELETE FROM plain WHERE id > {fresh} * 1000 AND id <= {fresh} * 1000 + 100 \
                OR abs(id) BETWEEN 10000 AND {old} OR id BETWEEN 1010000 AND 1000000 + {old} \
                OR id BETWEEN 10000000 AND {old} * 1000; COMMIT"
        ),
        20..=22 => format!("INSERT INTO {table} VALUES ({fresh}, 'row {step}')"),
        23 => format!(
            "DELETE FROM {table} WHERE id = (SELECT min(id) FROM {table}) OR id BETWEEN 10000 AND {old}"
        ),
        24 => format!("UPDATE {table} SET id = -id WHERE id % 53 = {}", row % 53),
        25 => format!("INSERT INTO parts VALUES ({fresh}, {}, 'row {step}')", row % 3),
        26 => format!(
            "UPDATE parts SET leaf = (leaf + 1) % 3, v = v || 'x' WHERE id % 13 = {} AND length(v) < 50",
            row % 13
        ),
        _ => format!(
            "BEGIN; INSERT INTO moods SELECT {fresh}, l FROM unnest(enum_range(NULL::mood)) l ORDER BY random() LIMIT 1; \
             DELETE FROM moods WHERE id < {old}; COMMIT"
        ),
    }
}

/// A change that no row event tells; `step` never comes twice.
pub fn change_of_shape(dice: &mut Dice, step: u64) -> String {
    let leaf = dice.below(3);
    let rename_second = |table: &str| {
        format!(
            "DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE {table} RENAME %I TO v{step}', attname) \
             FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum = 2); END $$"
        )
    };
    let of_a_column = |table: &str, what: &str, wanted: &str| {
        format!(
            "DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE {table} {what}', attname) FROM pg_attribute \
             WHERE attrelid = '{table}'::regclass AND attnum > 3 AND NOT attisdropped AND {wanted} \
             ORDER BY random() LIMIT 1); END $$"
        )
    };
    match dice.below(22) {
        0 => format!("ALTER TABLE plain ADD COLUMN c{step} integer NOT NULL DEFAULT {step}"),
        1 => format!("ALTER TABLE whole ADD COLUMN c{step} text DEFAULT 'of {step}'"),
        2 => of_a_column("plain", "DROP COLUMN %I", "true"),
        3 => of_a_column("plain", &format!("RENAME %I TO r{step}"), "true"),
        4 => of_a_column("whole", &format!("RENAME %I TO r{step}"), "attname <> 'big'"),
        5 => rename_second("keyed"),
        6 => rename_second("moved"),
        7 => "DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE keyed RENAME %I TO %s', attname, \
              CASE attname WHEN 'id' THEN 'k' ELSE 'id' END) \
              FROM pg_attribute WHERE attrelid = 'keyed'::regclass AND attnum = 1); END $$"
            .to_owned(),
        8 => "BEGIN; ALTER TABLE swapped RENAME TO swapping; ALTER TABLE swapped_too RENAME TO swapped; \
              ALTER TABLE swapping RENAME TO swapped_too; COMMIT"
            .to_owned(),
        9 => format!(
            "BEGIN; DROP TABLE replaced; CREATE TABLE replaced (id bigint PRIMARY KEY, v text, c{step} integer DEFAULT 1); \
             INSERT INTO replaced SELECT i, 'of {step}' FROM generate_series(1, 20) i; COMMIT"
        ),
        10 => "ALTER TABLE moved SET SCHEMA other".to_owned(),
        11 => "ALTER TABLE other.moved SET SCHEMA public".to_owned(),
        12 => {
            format!("BEGIN; ALTER TABLE parts DETACH PARTITION parts_{leaf}; DROP TABLE parts_{leaf}; COMMIT")
        }
        13 => format!(
            "BEGIN; CREATE TABLE parts_{leaf} (LIKE parts INCLUDING ALL); \
             INSERT INTO parts_{leaf} SELECT {step} * 100 + i, {leaf}, 'of {step}' FROM generate_series(1, 20) i; \
             ALTER TABLE parts ATTACH PARTITION parts_{leaf} FOR VALUES IN ({leaf}); COMMIT"
        ),
        14 => format!("TRUNCATE parts_{leaf}"),
        15 => format!("ALTER TYPE mood ADD VALUE 'mood {step}'"),
        16 => format!(
            "DO $$ BEGIN EXECUTE (SELECT format('ALTER TYPE mood RENAME VALUE %L TO %L', l, 'renamed {step}') \
             FROM unnest(enum_range(NULL::mood)) l ORDER BY random() LIMIT 1); END $$"
        ),
        17 => format!(
            "BEGIN; ALTER TABLE typed ADD COLUMN n{step} smallint NOT NULL DEFAULT {}; \
             INSERT INTO typed VALUES ({step} + 1000000); COMMIT; \
             ALTER TABLE typed ALTER n{step} TYPE bigint USING n{step} * 1000000",
            step % 1000
        ),
        18 => format!("ALTER TABLE rewritten ADD COLUMN c{step} integer DEFAULT (random() * 1000)::integer"),
        _ => format!(
            "DROP TABLE IF EXISTS born{0}, born{1}; CREATE TABLE born{1} (id bigint PRIMARY KEY, v text); \
             INSERT INTO born{1} SELECT i, 'of {step}' FROM generate_series(1, 50) i",
            step % 7,
            (step + 3) % 7
        ),
    }
}
