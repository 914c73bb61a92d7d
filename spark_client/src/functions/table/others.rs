//! The session, files and partitions.

use super::random_seed;

functions! {
    "3.5.0" "The current catalog."
    current_catalog();
    "3.5.0" "The current database."
    current_database();
    "4.2.0" "The SQL path: the schemas that names are looked up in, separated by commas."
    current_path();
    "3.5.0" "The current database."
    current_schema();
    "3.5.0" "The user who runs the query."
    current_user();
    "3.5.0" "The length of the block that a row was read from; -1 when unknown."
    input_file_block_length();
    "3.5.0" "The offset of the block that a row was read from; -1 when unknown."
    input_file_block_start();
    "1.6.0" "The file that a row was read from."
    input_file_name();
    "3.5.0" "Calls a static Java method: class, method, arguments."
    java_method(columns: cols);
    "1.6.0" "A number that grows with the rows of each partition, and differs between partitions."
    monotonically_increasing_id();
    "3.5.0" "Calls a static Java method: class, method, arguments."
    reflect(columns: cols);
    "4.0.0" "The user who opened the session."
    session_user();
    "1.6.0" "The number of the partition that a row is in."
    spark_partition_id();
    "4.0.0" "[`reflect`] that gives NULL where the method throws."
    try_reflect(columns: cols);
    "3.5.0" "The type of a column, as DDL."
    typeof_ as "typeof"(column: col);
    "3.5.0" "The user who runs the query."
    user();
    "3.4.0" "A value of a user-defined type as the type that stores it."
    unwrap_udt(column: col);
    "4.0.0" "A random UUID for each row."
    uuid(), uuid_with(seed: int = random_seed());
    "3.5.0" "Spark's version and the revision it was built from."
    version();
    "3.1.0" "The year of a time, to partition a table by."
    years(column: col);
    "3.1.0" "The month of a time, to partition a table by."
    months(column: col);
    "3.1.0" "The day of a time, to partition a table by."
    days(column: col);
    "3.1.0" "The hour of a time, to partition a table by."
    hours(column: col);
    "3.1.0" "The number of the bucket that a column's hash falls into, to partition a table by."
    bucket(buckets: int, column: col);
}
