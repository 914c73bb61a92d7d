//! The catalog that Spark and Trino share: Hive's metastore out of Spark's own jars, stored in PostgreSQL.

use crate::error::Result;
use crate::layout::Layout;
use crate::service::{Service, Step};

pub(super) fn service(layout: &Layout) -> Result<Service> {
    let conf = layout.render("metastore", None)?;
    let spark = layout.settings.spark_home()?;
    let class_path = format!(
        "{}:{}/*:{}/jars/*",
        conf.display(),
        layout.settings.dist("spark-jars").display(),
        spark.display()
    );
    let port = layout.settings.port("METASTORE_PORT")?;
    let java = |heap: &str, arguments: &[&str]| {
        let mut all = vec![
            heap,
            "-XX:+UseSerialGC",
            "--add-opens=java.base/java.lang=ALL-UNNAMED",
            "--add-opens=java.base/java.util=ALL-UNNAMED",
            "--add-opens=java.base/java.net=ALL-UNNAMED",
            "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
            "-cp",
            class_path.as_str(),
        ];
        all.extend(arguments);
        layout.java(&all)
    };
    let heap = format!("-Xmx{}", layout.settings.get("METASTORE_HEAP"));
    // Run from source it finds hive-site.xml beside itself, so this is the rendered copy.
    let source = conf.join("MetastoreServer.java").display().to_string();
    let mut service = Service::new(
        "metastore",
        &["postgres", "object-store"],
        java(&heap, &[&source, layout.host(), &port.to_string()]),
    );
    let model = layout.data("metastore").join("package.jdo");
    let model_path = model.display().to_string();
    let mut unpack = layout.java(&[]);
    unpack.command = vec![
        "/bin/sh".to_owned(),
        "-c".to_owned(),
        format!(
            "exec unzip -p '{}'/jars/hive-metastore-2.3.10.jar package.jdo > '{model_path}'",
            spark.display()
        ),
    ];
    let created = layout.data("metastore").join("schema-created");
    service.before = vec![
        Step {
            about: "unpack the metastore's schema",
            program: unpack,
            stdin: String::new(),
            unless: Some(created.clone()),
            marker: None,
        },
        Step {
            about: "create the metastore's schema",
            program: java(
                "-Xmx256m",
                &[
                    "org.datanucleus.store.schema.SchemaTool",
                    "-create",
                    "-api",
                    "JDO",
                    "-props",
                    &conf.join("schema.properties").display().to_string(),
                    "-v",
                    &model_path,
                ],
            ),
            stdin: String::new(),
            unless: Some(created.clone()),
            marker: Some(created),
        },
    ];
    service.ports = vec![("METASTORE_PORT", port)];
    Ok(service)
}
