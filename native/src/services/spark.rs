//! A Spark standalone cluster (master, worker) and the Spark Connect server, which is its one application.

use std::time::Duration;

use crate::error::Result;
use crate::layout::{Layout, SPARK};
use crate::service::{Program, Service};

fn spark_class(layout: &Layout, service: &str, script: &str, arguments: &[&str]) -> Result<Program> {
    let home = layout.settings.spark_home()?;
    let conf = layout.render("spark", None)?;
    let mut command = vec!["/bin/bash".to_owned(), home.join("bin").join(script).display().to_string()];
    command.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    let work = layout.data("spark");
    let logging = format!("-Dlog4j2.configurationFile={}", conf.join("log4j2.properties").display());
    let options = [&layout.class_archive(service, &SPARK).join(" "), &layout.temporary_option(), &logging]
        .map(String::as_str)
        .join(" ");
    let env = [
        ("SPARK_HOME", home.display().to_string()),
        ("SPARK_CONF_DIR", layout.empty_folder().display().to_string()),
        ("SPARK_DAEMON_JAVA_OPTS", options),
        ("JAVA_HOME", layout.settings.dist("jdk").display().to_string()),
        ("SPARK_NO_DAEMONIZE", "1".to_owned()),
        ("SPARK_DAEMON_MEMORY", layout.settings.get("SPARK_DAEMON_HEAP").to_owned()),
        ("SPARK_LOCAL_DIRS", work.join("scratch").display().to_string()),
        ("SPARK_LOCAL_IP", layout.host().to_owned()),
        ("SPARK_PUBLIC_DNS", layout.host().to_owned()),
    ];
    Ok(Program {
        command,
        env: env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        account: None,
        folder: work,
    })
}

fn properties(layout: &Layout) -> String {
    layout.conf("spark").join("spark-defaults.conf").display().to_string()
}

fn master_url(layout: &Layout) -> String {
    format!("spark://{}:{}", layout.host(), layout.settings.get("SPARK_MASTER_PORT"))
}

pub(super) fn master(layout: &Layout) -> Result<Service> {
    let (port, page) =
        (layout.settings.port("SPARK_MASTER_PORT")?, layout.settings.port("SPARK_MASTER_UI_PORT")?);
    let program = spark_class(
        layout,
        "spark-master",
        "spark-class",
        &[
            "org.apache.spark.deploy.master.Master",
            "--properties-file",
            &properties(layout),
            "--host",
            layout.host(),
            "--port",
            &port.to_string(),
            "--webui-port",
            &page.to_string(),
        ],
    )?;
    let mut service = Service::new("spark-master", &[], program);
    service.ports = vec![("SPARK_MASTER_PORT", port), ("SPARK_MASTER_UI_PORT", page)];
    Ok(service)
}

pub(super) fn worker(layout: &Layout) -> Result<Service> {
    let (port, page) =
        (layout.settings.port("SPARK_WORKER_PORT")?, layout.settings.port("SPARK_WORKER_UI_PORT")?);
    let program = spark_class(
        layout,
        "spark-worker",
        "spark-class",
        &[
            "org.apache.spark.deploy.worker.Worker",
            "--properties-file",
            &properties(layout),
            "--host",
            layout.host(),
            "--port",
            &port.to_string(),
            "--webui-port",
            &page.to_string(),
            "--cores",
            layout.settings.get("SPARK_CORES"),
            "--work-dir",
            &layout.data("spark").join("worker").display().to_string(),
            &master_url(layout),
        ],
    )?;
    let mut service = Service::new("spark-worker", &["spark-master"], program);
    service.ports = vec![("SPARK_WORKER_PORT", port), ("SPARK_WORKER_UI_PORT", page)];
    Ok(service)
}

pub(super) fn connect(layout: &Layout) -> Result<Service> {
    let port = layout.settings.port("SPARK_CONNECT_PORT")?;
    let properties = properties(layout);
    let mut arguments = vec!["--properties-file", &properties];
    for setting in layout.settings.get("SPARK_CONF").split_whitespace() {
        arguments.extend(["--conf", setting]);
    }
    arguments.extend([
        "--class",
        "org.apache.spark.sql.connect.service.SparkConnectServer",
        "spark-internal",
    ]);
    let mut program = spark_class(layout, "spark-connect", "spark-submit", &arguments)?;
    // They would win over spark.driver.memory and spark.driver.extraJavaOptions.
    program.env.retain(|(name, _)| !name.starts_with("SPARK_DAEMON_"));
    let mut service = Service::new("spark-connect", &["spark-worker", "metastore", "object-store"], program);
    service.ports = vec![("SPARK_CONNECT_PORT", port)];
    service.stop_limit = Duration::from_secs(20);
    Ok(service)
}
