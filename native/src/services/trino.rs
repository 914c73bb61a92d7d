//! Trino: SQL over the tables that Spark writes; its access rules let it read only.

use crate::error::Result;
use crate::layout::Layout;
use crate::service::{Program, Readiness, Service};

pub(super) fn service(layout: &Layout) -> Result<Service> {
    let conf = layout.render("trino", None)?;
    let port = layout.settings.port("TRINO_PORT")?;
    let data = layout.data("trino");
    let jdk = layout.settings.dist("jdk");
    let path = std::env::var("PATH").unwrap_or_default();
    let program = Program {
        command: vec![
            layout.settings.dist("trino").join("bin/launcher").display().to_string(),
            "run".to_owned(),
            "--etc-dir".to_owned(),
            conf.display().to_string(),
            "--data-dir".to_owned(),
            data.display().to_string(),
        ],
        env: vec![
            ("JAVA_HOME".to_owned(), jdk.display().to_string()),
            ("PATH".to_owned(), format!("{}/bin:{path}", jdk.display())),
            ("S3_ACCESS_KEY".to_owned(), layout.credentials.get("S3_ACCESS_KEY").to_owned()),
            ("S3_SECRET_KEY".to_owned(), layout.credentials.get("S3_SECRET_KEY").to_owned()),
        ],
        account: None,
        folder: data,
    };
    let mut service = Service::new("trino", &["metastore", "object-store"], program);
    service.ports = vec![("TRINO_PORT", port)];
    service.readiness = Readiness::Http {
        url: format!("http://{}:{port}/v1/info", layout.host()),
        contains: "\"starting\":false",
    };
    Ok(service)
}
