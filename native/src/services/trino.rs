//! Trino: SQL over the tables that Spark writes; its access rules let it read only.

use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::service::{Readiness, Service};

pub(super) fn service(layout: &Layout) -> Result<Service> {
    let conf = layout.render("trino", None)?;
    let port = layout.settings.port("TRINO_PORT")?;
    let node = conf.join("node.properties");
    let node = std::fs::read_to_string(&node).map_err(|error| Error::io("read", &node, error))?;
    // What Trino's launcher would start; but it asks a JVM with the same options first, which then would make the
    // archive of classes.
    let mut arguments = vec![
        "-cp".to_owned(),
        layout.settings.dist("trino").join("lib/*").display().to_string(),
        format!("@{}", conf.join("jvm.config").display()),
    ];
    arguments.extend(node.lines().filter(|line| line.contains('=')).map(|line| format!("-D{line}")));
    for (name, file) in [("config", "config.properties"), ("log.levels-file", "log.properties")] {
        arguments.push(format!("-D{name}={}", conf.join(file).display()));
    }
    arguments.push("io.trino.server.TrinoServer".to_owned());
    let mut program = layout.java_server("trino", &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    // Its plugins are found from here.
    program.folder = layout.settings.dist("trino");
    for name in ["S3_ACCESS_KEY", "S3_SECRET_KEY"] {
        program.env.push((name.to_owned(), layout.credentials.get(name).to_owned()));
    }
    let mut service = Service::new("trino", &["metastore", "object-store"], program);
    service.ports = vec![("TRINO_PORT", port)];
    service.readiness = Readiness::Http {
        url: format!("http://{}:{port}/v1/info", layout.host()),
        contains: "\"starting\":false",
    };
    Ok(service)
}
