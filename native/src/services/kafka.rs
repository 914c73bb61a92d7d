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
    let common = ["-XX:+UseG1GC", &logging, "-cp", &class_path];
    let program =
        layout.java_server("kafka", &[&[heap.as_str()], &common[..], &["kafka.Kafka", &properties]].concat());
    let format = ["kafka.tools.StorageTool", "format", "-t", &Layout::cluster_id(), "-c", &properties];
    let mut service = Service::new("kafka", &[], program);
    service.before = vec![Step {
        about: "format Kafka's log folder",
        program: layout.java(&[&["-Xmx128m"], &common[..], &format[..]].concat()),
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
