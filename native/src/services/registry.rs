//! Schema Registry: Apicurio with its Confluent-compatible interface, stored in PostgreSQL.

use crate::error::Result;
use crate::layout::Layout;
use crate::service::{Readiness, Service};

pub(super) fn service(layout: &Layout) -> Result<Service> {
    let (port, management) =
        (layout.settings.port("REGISTRY_PORT")?, layout.settings.port("REGISTRY_MANAGEMENT_PORT")?);
    let host = layout.host();
    let mut program = layout.java_server(
        "registry",
        &[
            &format!("-Xmx{}", layout.settings.get("REGISTRY_HEAP")),
            "-XX:+UseSerialGC",
            &format!("-Dquarkus.http.host={host}"),
            &format!("-Dquarkus.http.port={port}"),
            &format!("-Dquarkus.management.host={host}"),
            &format!("-Dquarkus.management.port={management}"),
            // Its default is NONE: every change would be let through.
            "-Dapicurio.rules.global.compatibility=BACKWARD",
            "-jar",
            &layout.settings.dist("registry").join("quarkus-run.jar").display().to_string(),
        ],
    );
    let database = format!("jdbc:postgresql://{host}:{}/registry", layout.settings.get("POSTGRES_PORT"));
    for (name, value) in [
        ("APICURIO_STORAGE_KIND", "sql"),
        ("APICURIO_STORAGE_SQL_KIND", "postgresql"),
        ("APICURIO_DATASOURCE_URL", &database),
        ("APICURIO_DATASOURCE_USERNAME", "registry"),
        ("APICURIO_DATASOURCE_PASSWORD", layout.credentials.get("REGISTRY_DB_PASSWORD")),
        ("APICURIO_DATASOURCE_JDBC_INITIAL_SIZE", "2"),
        ("APICURIO_DATASOURCE_JDBC_MIN_SIZE", "2"),
        ("APICURIO_DATASOURCE_JDBC_MAX_SIZE", "10"),
        ("QUARKUS_HTTP_ACCESS_LOG_ENABLED", "false"),
    ] {
        program.env.push((name.to_owned(), value.to_owned()));
    }
    let mut service = Service::new("registry", &["postgres"], program);
    service.ports = vec![("REGISTRY_PORT", port), ("REGISTRY_MANAGEMENT_PORT", management)];
    service.readiness =
        Readiness::Http { url: format!("http://{host}:{management}/health/ready"), contains: "UP" };
    Ok(service)
}
