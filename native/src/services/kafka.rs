//! Kafka: one broker that is its own controller (KRaft).

use crate::error::Result;
use crate::layout::Layout;
use crate::service::{Service, Step};

pub(super) fn service(layout: &Layout) -> Result<Service> {
    let conf = layout.render("kafka", None)?;
    let properties = conf.join("server.properties").display().to_string();
    let logging = format!("-Dlog4j2.configurationFile={}", conf.join("log4j2.properties").display());
    let class_path = format!("{}/*", layout.settings.dist("kafka").display());
    let heap = format!("-Xmx{}", layout.settings.get("KAFKA_HEAP"));
    let java = |heap: &str, arguments: &[&str]| {
        let mut all = vec![heap, "-XX:+UseG1GC", logging.as_str(), "-cp", class_path.as_str()];
        all.extend(arguments);
        layout.java(&all)
    };
    let classes = layout.class_archive("kafka", &["kafka"]);
    let mut arguments: Vec<&str> = classes.iter().map(String::as_str).collect();
    arguments.extend(["kafka.Kafka", properties.as_str()]);
    let program = java(&heap, &arguments);
    let mut service = Service::new("kafka", &[], program);
    service.before = vec![Step {
        about: "format Kafka's log folder",
        program: java(
            "-Xmx128m",
            &["kafka.tools.StorageTool", "format", "-t", &Layout::cluster_id(), "-c", &properties],
        ),
        stdin: String::new(),
        unless: Some(layout.data("kafka").join("meta.properties")),
        marker: None,
    }];
    service.ports = vec![
        ("KAFKA_PORT", layout.settings.port("KAFKA_PORT")?),
        ("KAFKA_CONTROLLER_PORT", layout.settings.port("KAFKA_CONTROLLER_PORT")?),
    ];
    Ok(service)
}
