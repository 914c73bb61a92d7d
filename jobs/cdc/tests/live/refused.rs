//! Whatever ends a run, or holds a table, because of the source's or the configuration's state: `check` tells it first.

use std::net::TcpListener;
use std::time::Duration;

use rdkafka::producer::{FutureProducer, FutureRecord};

use crate::Outcome;
use crate::capture::{Capture, command};
use crate::check::other_schema;
use crate::stage::Stage;

/// What is wrong, and what is said of it.
struct Case {
    /// How the database is created.
    options: &'static str,
    /// Statements; `{name}` is the stage's name, `{poor}` a role with few rights.
    sql: &'static str,
    prepare: fn(&Stage) -> Outcome,
    /// Makes the configuration of the usual one.
    configure: fn(&Stage, String) -> String,
    /// Whether the run ends; else it goes on without a table.
    ends: bool,
    run_says: &'static str,
    check_says: &'static str,
    check_fails: bool,
}

const ENDS: Case = Case {
    options: "",
    sql: "",
    prepare: |_| Ok(()),
    configure: |_, config| config,
    ends: true,
    run_says: "",
    check_says: "",
    check_fails: true,
};
const HOLDS: Case = Case { ends: false, ..ENDS };

fn as_poor(stage: &Stage, config: &str) -> String {
    config.replace("user = \"postgres\"", &format!("user = \"{}_poor\"", stage.name))
}

fn captured_once(stage: &Stage) -> Outcome {
    Capture::streaming(stage)?.stop(stage)
}

fn of_the_configuration() -> Vec<(&'static str, Case)> {
    vec![
        (
            "a setting of the wrong form",
            Case {
                configure: |stage, config| config.replacen(&format!("slot = \"{}\"", stage.name), "slot = \"A-B\"", 1),
                run_says: "use up to 63 of a-z, 0-9 and _",
                check_says: "use up to 63 of a-z, 0-9 and _",
                ..ENDS
            },
        ),
        (
            "no table",
            Case {
                configure: |_, config| config + "[tables]\nexclude = [\"*\"]\n",
                run_says: "no table matches tables.include",
                check_says: "no table matches tables.include",
                ..ENDS
            },
        ),
        (
            "a key of columns that are not there",
            Case {
                configure: |_, config| config + "[tables.keys]\n\"public.touched\" = [\"absent\"]\n",
                run_says: "public.touched lacks some of the columns",
                check_says: "public.touched lacks some of the columns",
                ..ENDS
            },
        ),
        (
            "a key that deletes do not tell",
            Case {
                configure: |_, config| config + "[tables.keys]\n\"public.touched\" = [\"n\"]\n",
                run_says: "deleted rows of public.touched do not tell column n",
                check_says: "deleted rows of public.touched do not tell column n",
                ..ENDS
            },
        ),
        (
            "no table of signals",
            Case {
                configure: |_, config| config + "[signals]\ntable = \"public.absent\"\n",
                run_says: "signals.table = public.absent is no table that is there",
                check_says: "signals.table = public.absent is no table that is there",
                ..ENDS
            },
        ),
        (
            "a table of signals without their columns",
            Case {
                configure: |_, config| config + "[signals]\ntable = \"public.touched\"\n",
                run_says: "has no columns type and data",
                check_says: "has no columns type and data",
                ..ENDS
            },
        ),
        (
            "a server without TLS",
            Case {
                configure: |_, config| config.replace("user = ", "ssl_mode = \"require\"\nuser = "),
                run_says: "no TLS",
                check_says: "no TLS",
                ..ENDS
            },
        ),
        (
            "a user that is not there",
            Case {
                configure: |_, config| config.replace("user = \"", "user = \"nobody_"),
                run_says: "refuses the login of nobody_postgres",
                check_says: "refuses the login of nobody_postgres",
                ..ENDS
            },
        ),
        (
            "no broker",
            Case {
                configure: |stage, config| config.replace(&stage.kafka, "127.0.0.1:1"),
                run_says: "cannot reach Kafka at 127.0.0.1:1",
                check_says: "cannot reach Kafka at 127.0.0.1:1",
                ..ENDS
            },
        ),
        (
            "fewer brokers than replicas",
            Case {
                configure: |_, config| config.replace("[kafka]", "[kafka]\nreplication_factor = 3"),
                run_says: "check kafka.replication_factor",
                check_says: "kafka.replication_factor = 3 needs as many",
                ..ENDS
            },
        ),
        (
            "no registry",
            Case {
                configure: |stage, config| config.replace(&stage.registry, "http://127.0.0.1:1"),
                run_says: "cannot reach the schema registry at http://127.0.0.1:1",
                check_says: "cannot reach the schema registry at http://127.0.0.1:1",
                ..ENDS
            },
        ),
        (
            "a replica that is none",
            Case {
                configure: |stage, config| {
                    let port = stage.source.get_ports().first().copied().unwrap_or(5432);
                    config + &format!("[snapshot.replica]\nhost = \"127.0.0.1\"\nport = {port}\n")
                },
                run_says: "is not in recovery: name a physical standby",
                check_says: "is not in recovery: name a physical standby",
                ..HOLDS
            },
        ),
        (
            "partitions that are published otherwise",
            Case {
                sql: "CREATE TABLE parts (id integer PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
                      CREATE PUBLICATION {name} FOR TABLE touched WITH (publish_via_partition_root = true)",
                configure: |_, config| config + "[tables]\npartitions = \"leaves\"\n",
                run_says: "publishes partitions otherwise than tables.partitions wants them",
                check_says: "publishes partitions otherwise than tables.partitions wants them",
                ..ENDS
            },
        ),
    ]
}

fn of_the_source() -> Vec<(&'static str, Case)> {
    vec![
        (
            "a slot of another plugin",
            Case {
                sql: "SELECT pg_create_logical_replication_slot('{name}', 'test_decoding')",
                run_says: "and plugin test_decoding: choose another name",
                check_says: "and plugin test_decoding: choose another name",
                ..ENDS
            },
        ),
        (
            "a slot that nobody knows",
            Case {
                sql: "SELECT pg_create_logical_replication_slot('{name}', 'pgoutput')",
                run_says: "has no checkpoint of it",
                check_says: "has no checkpoint of it",
                ..ENDS
            },
        ),
        (
            "a slot that is gone",
            Case {
                prepare: |stage| {
                    captured_once(stage)?;
                    stage.drop_slot()
                },
                run_says: "is missing: events lost since",
                check_says: "is missing: events lost since",
                ..ENDS
            },
        ),
        (
            "a slot that is another one",
            Case {
                prepare: |stage| {
                    captured_once(stage)?;
                    stage.drop_slot()?;
                    stage.sql("INSERT INTO touched VALUES (2, 2)")?;
                    stage.sql(&format!("SELECT pg_create_logical_replication_slot('{}', 'pgoutput')", stage.name))
                },
                run_says: "re-created or advanced by somebody else",
                check_says: "re-created or advanced by somebody else",
                ..ENDS
            },
        ),
        (
            "no right to replicate",
            Case {
                sql: "GRANT CREATE ON DATABASE {name} TO {poor}; ALTER TABLE touched OWNER TO {poor}",
                configure: |stage, config| as_poor(stage, &config),
                run_says: "the REPLICATION right",
                check_says: "may not replicate: run ALTER ROLE",
                ..ENDS
            },
        ),
        (
            "no right to create the publication",
            Case {
                sql: "ALTER ROLE {poor} REPLICATION; ALTER TABLE touched OWNER TO {poor}",
                configure: |stage, config| as_poor(stage, &config),
                run_says: "cannot create publication",
                check_says: "may not create it: run GRANT CREATE ON DATABASE",
                ..ENDS
            },
        ),
        (
            "a table of somebody else",
            Case {
                sql: "GRANT CREATE ON DATABASE {name} TO {poor}; ALTER ROLE {poor} REPLICATION; GRANT SELECT ON touched TO {poor}",
                configure: |stage, config| as_poor(stage, &config),
                run_says: "the user must own them",
                check_says: "does not own public.touched",
                ..ENDS
            },
        ),
        (
            "a publication of somebody else that lacks a table",
            Case {
                sql: "ALTER ROLE {poor} REPLICATION; CREATE PUBLICATION {name} FOR TABLE touched; CREATE TABLE later (id integer PRIMARY KEY);
                      GRANT SELECT ON ALL TABLES IN SCHEMA public TO {poor}",
                configure: |stage, config| as_poor(stage, &config),
                run_says: "this user may not add them",
                check_says: "lacks public.later, and this user may not add them",
                ..ENDS
            },
        ),
        (
            "a publication that leaves out deletes",
            Case {
                sql: "CREATE PUBLICATION {name} FOR TABLE touched WITH (publish = 'insert, update, truncate')",
                run_says: "leaves out delete: run ALTER PUBLICATION",
                check_says: "leaves out delete: run ALTER PUBLICATION",
                ..ENDS
            },
        ),
        (
            "a publication that tells partitions and not their root",
            Case {
                sql: "CREATE TABLE whole (id integer PRIMARY KEY) PARTITION BY HASH (id);
                      CREATE TABLE leaf PARTITION OF whole FOR VALUES WITH (MODULUS 1, REMAINDER 0);
                      CREATE PUBLICATION {name} FOR TABLE touched, whole WITH (publish_via_partition_root = false)",
                run_says: "publishes partitions otherwise than tables.partitions wants them",
                check_says: "publishes partitions otherwise than tables.partitions wants them",
                ..ENDS
            },
        ),
        (
            "inserts that this user may not publish",
            Case {
                sql: "ALTER ROLE {poor} REPLICATION; CREATE PUBLICATION {name} FOR TABLE touched; CREATE TABLE keyless (v integer);
                      GRANT SELECT ON ALL TABLES IN SCHEMA public TO {poor}",
                configure: |stage, config| as_poor(stage, &config),
                run_says: "public.keyless has no replica identity and is left out",
                check_says: "may not publish the inserts of public.keyless",
                ..HOLDS
            },
        ),
        (
            "rows that a policy hides",
            Case {
                sql: "CREATE TABLE hidden (id integer PRIMARY KEY); ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; GRANT SELECT ON hidden TO {poor};
                      CREATE PUBLICATION {name} FOR TABLE touched, hidden; ALTER ROLE {poor} REPLICATION; GRANT SELECT ON touched TO {poor}",
                configure: |stage, config| as_poor(stage, &config),
                run_says: "row level security hides rows of public.hidden",
                check_says: "row level security hides rows of public.hidden",
                ..HOLDS
            },
        ),
        (
            "a table that this user may not read",
            Case {
                sql: "CREATE TABLE closed (id integer PRIMARY KEY); CREATE PUBLICATION {name} FOR TABLE touched, closed;
                      ALTER ROLE {poor} REPLICATION; GRANT SELECT ON touched TO {poor}",
                configure: |stage, config| as_poor(stage, &config),
                run_says: "may not read public.closed",
                check_says: "may not read public.closed",
                ..HOLDS
            },
        ),
        (
            "a column's right for a table that is read while the stream goes on",
            Case {
                sql: "CREATE TABLE later (id integer PRIMARY KEY); GRANT SELECT (id) ON later TO {poor}; ALTER ROLE {poor} REPLICATION;
                      GRANT SELECT ON touched TO {poor}; CREATE PUBLICATION {name} FOR TABLE touched, later",
                prepare: |stage| {
                    let config = as_poor(stage, &stage.config()) + "[tables]\nexclude = [\"public.later\"]\n";
                    Capture::streaming_with(&config, &[])?.stop(stage)
                },
                configure: |stage, config| as_poor(stage, &config),
                run_says: "GRANT SELECT ON \"public\".\"later\"",
                check_says: "SELECT on single columns is enough for the first snapshot",
                check_fails: false,
                ..HOLDS
            },
        ),
        (
            "an encoding that can't be converted",
            Case {
                sql: "CREATE DATABASE {name}_other ENCODING 'MULE_INTERNAL' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
                configure: |stage, config| {
                    let database = format!("database = \"{}", stage.name);
                    config.replace(&database, &format!("{database}_other"))
                },
                run_says: "can't convert to UTF-8",
                check_says: "can't convert to UTF-8",
                ..ENDS
            },
        ),
        (
            "a table that can't be described in UTF-8",
            Case {
                options: "ENCODING 'WIN1252' LC_COLLATE 'C' LC_CTYPE 'C'",
                sql: "CREATE TABLE odd (id integer PRIMARY KEY, v text DEFAULT E'\\x81')",
                run_says: "has characters that UTF-8 lacks",
                check_says: "has characters that UTF-8 lacks",
                ..HOLDS
            },
        ),
        (
            "a table with a name that UTF-8 lacks",
            Case {
                options: "ENCODING 'WIN1252' LC_COLLATE 'C' LC_CTYPE 'C'",
                sql: "DO $$ BEGIN EXECUTE format('CREATE TABLE %I (id integer PRIMARY KEY)', E'n\\x81'); END $$",
                run_says: "has characters that UTF-8 lacks",
                check_says: "has characters that UTF-8 lacks",
                ..HOLDS
            },
        ),
    ]
}

fn of_kafka_and_the_registry() -> Vec<(&'static str, Case)> {
    vec![
        (
            "a schema that the registry refuses",
            Case {
                prepare: |stage| other_schema(stage, &format!("{}.public.touched-value", stage.name)),
                run_says: "the table is isolated: the registry refuses its schema",
                check_says: "the registry would refuse the schema as incompatible",
                ..HOLDS
            },
        ),
        (
            "a schema that the registry refuses, and that stops",
            Case {
                prepare: |stage| other_schema(stage, &format!("{}.public.touched-value", stage.name)),
                configure: |_, config| config.replace("[registry]", "[registry]\non_incompatible = \"stop\""),
                run_says: "the registry refuses it as incompatible",
                check_says: "the registry would refuse the schema as incompatible",
                ..ENDS
            },
        ),
        (
            "a schema of logical messages that the registry refuses",
            Case {
                prepare: |stage| other_schema(stage, &format!("{}.message-value", stage.name)),
                configure: |_, config| config + "[events]\nmessages = [\"app\"]\n",
                run_says: "the registry refuses it as incompatible",
                check_says: ".message-value: the registry would refuse the schema as incompatible",
                ..ENDS
            },
        ),
        (
            "relation records that are none",
            Case {
                prepare: |stage| {
                    captured_once(stage)?;
                    let topic = format!("{}.relation", stage.name);
                    let producer: FutureProducer =
                        rdkafka::ClientConfig::new().set("bootstrap.servers", &stage.kafka).create()?;
                    let record = FutureRecord::<(), str>::to(&topic).payload("other");
                    stage
                        .runtime
                        .block_on(producer.send(record, Duration::from_secs(10)))
                        .map_err(|(error, _)| error)?;
                    Ok(())
                },
                run_says: ".relation is not in Confluent's wire format",
                check_says: ".relation is not in Confluent's wire format",
                ..ENDS
            },
        ),
    ]
}

fn check(cases: Vec<(&'static str, Case)>) -> Outcome {
    for (name, case) in cases {
        run(&case).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

fn run(case: &Case) -> Outcome {
    let stage = Stage::with(case.options)?;
    stage.create_touched()?;
    let poor = format!("{}_poor", stage.name);
    let password = std::env::var("PGPASSWORD").unwrap_or_default();
    if case.sql.contains("{poor}") {
        stage.sql(&format!("CREATE ROLE {poor} LOGIN PASSWORD '{password}'"))?;
    }
    let compared = compare(&stage, case, &poor);
    stage.sql(&format!("DROP DATABASE IF EXISTS {}_other WITH (FORCE)", stage.name))?;
    if case.sql.contains("{poor}") {
        stage
            .sql(&format!("REASSIGN OWNED BY {poor} TO postgres; DROP OWNED BY {poor}; DROP ROLE {poor}"))?;
    }
    compared
}

fn compare(stage: &Stage, case: &Case, poor: &str) -> Outcome {
    if !case.sql.is_empty() {
        stage.sql(&case.sql.replace("{name}", &stage.name).replace("{poor}", poor))?;
    }
    (case.prepare)(stage)?;
    let config = (case.configure)(stage, stage.config());
    let checked = command(&config, &["check"], &[])?;
    let said =
        format!("{}{}", String::from_utf8_lossy(&checked.stdout), String::from_utf8_lossy(&checked.stderr));
    if !said.contains(case.check_says) || checked.status.success() == case.check_fails {
        return Err(format!("check ends with {} and says:\n{said}", checked.status).into());
    }
    let mut capture = Capture::start_with(&config, &[])?;
    if case.ends {
        let log = capture.refusal()?;
        return if log.contains(case.run_says) {
            Ok(())
        } else {
            Err(format!("the run says:\n{log}").into())
        };
    }
    capture.wait_for(case.run_says)?;
    capture.wait_for("streaming")?;
    capture.kill()
}

pub fn by_the_configuration() -> Outcome {
    check(of_the_configuration())
}

pub fn by_the_source() -> Outcome {
    check(of_the_source())
}

pub fn by_kafka_and_the_registry() -> Outcome {
    check(of_kafka_and_the_registry())?;
    // An address that somebody else listens at.
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?;
    let stage = Stage::new()?;
    stage.create_touched()?;
    let config = stage.config() + &format!("[metrics]\nlisten = \"{address}\"\n");
    let checked = command(&config, &["check"], &[])?;
    let said = String::from_utf8(checked.stdout)?;
    assert!(!checked.status.success() && said.contains("cannot listen for metrics at"), "{said}");
    let log = Capture::start_with(&config, &[])?.refusal()?;
    assert!(log.contains("cannot listen for metrics at"), "{log}");
    Ok(())
}
