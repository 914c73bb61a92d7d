//! The S3 storage: MinIO, or SeaweedFS when `LAKEPULSE_OBJECT_STORE` says so.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::layout::{BUCKET, Layout, REGION};
use crate::service::{Program, Readiness, Service, Step};

pub(super) fn service(layout: &Layout) -> Result<Service> {
    match layout.settings.get("OBJECT_STORE") {
        "minio" => minio(layout),
        "seaweedfs" => seaweedfs(layout),
        other => Err(Error::new(format!("LAKEPULSE_OBJECT_STORE={other}: it can be minio or seaweedfs"))),
    }
}

fn minio(layout: &Layout) -> Result<Service> {
    let (port, console) = (layout.settings.port("S3_PORT")?, layout.settings.port("S3_CONSOLE_PORT")?);
    let data = layout.data("minio");
    // MinIO takes a folder that is there when it starts for a bucket.
    std::fs::create_dir_all(data.join(BUCKET)).map_err(|error| Error::io("create", &data, error))?;
    let program = Program {
        command: vec![
            layout.settings.dist("minio").join("minio").display().to_string(),
            "server".to_owned(),
            data.display().to_string(),
            "--address".to_owned(),
            format!("{}:{port}", layout.host()),
            "--console-address".to_owned(),
            format!("{}:{console}", layout.host()),
        ],
        env: [
            ("MINIO_ROOT_USER", layout.credentials.get("S3_ACCESS_KEY")),
            ("MINIO_ROOT_PASSWORD", layout.credentials.get("S3_SECRET_KEY")),
            ("MINIO_REGION", REGION),
            ("MINIO_PROMETHEUS_AUTH_TYPE", "public"),
            ("MINIO_BROWSER", "on"),
        ]
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect(),
        account: None,
        folder: data,
    };
    let mut service = Service::new("object-store", &[], program);
    service.ports = vec![("S3_PORT", port), ("S3_CONSOLE_PORT", console)];
    service.readiness =
        Readiness::Http { url: format!("http://{}:{port}/minio/health/ready", layout.host()), contains: "" };
    Ok(service)
}

fn seaweedfs(layout: &Layout) -> Result<Service> {
    let conf = layout.render("seaweedfs", None)?;
    let data = layout.data("seaweedfs");
    let host = layout.host();
    let mut command = vec![
        layout.settings.dist("seaweedfs").join("bin/weed").display().to_string(),
        "server".to_owned(),
        "-s3".to_owned(),
        format!("-dir={}", data.display()),
        format!("-ip={host}"),
        format!("-ip.bind={host}"),
        format!("-s3.config={}", conf.join("s3.json").display()),
        "-s3.port.iceberg=0".to_owned(),
        "-s3.port.lance=0".to_owned(),
        "-volume.max=50".to_owned(),
        "-master.volumeSizeLimitMB=256".to_owned(),
    ];
    let mut ports = vec![("S3_PORT", layout.settings.port("S3_PORT")?)];
    command.push(format!("-s3.port={}", layout.settings.port("S3_PORT")?));
    for (flag, variable) in [
        ("master.port", "SEAWEED_MASTER_PORT"),
        ("master.port.grpc", "SEAWEED_MASTER_GRPC_PORT"),
        ("volume.port", "SEAWEED_VOLUME_PORT"),
        ("volume.port.grpc", "SEAWEED_VOLUME_GRPC_PORT"),
        ("filer.port", "SEAWEED_FILER_PORT"),
        ("filer.port.grpc", "SEAWEED_FILER_GRPC_PORT"),
        ("s3.port.grpc", "SEAWEED_S3_GRPC_PORT"),
    ] {
        let port = layout.settings.port(variable)?;
        command.push(format!("-{flag}={port}"));
        ports.push((variable, port));
    }
    let program = Program { command, env: Vec::new(), account: None, folder: data };
    let mut service = Service::new("object-store", &[], program);
    service.ports = ports;
    service.after = vec![create_bucket(layout)?];
    service.stop_limit = Duration::from_secs(40);
    Ok(service)
}

/// Asks for the bucket by S3 until the answer is that it exists; curl signs, and reads the keys from standard input.
fn create_bucket(layout: &Layout) -> Result<Step> {
    let url = format!("http://{}:{}/{BUCKET}", layout.host(), layout.settings.port("S3_PORT")?);
    let script = format!(
        "exec curl --config - --fail --silent --show-error --retry 30 --retry-delay 1 --retry-all-errors \
         --aws-sigv4 aws:amz:{REGION}:s3 --request PUT {url}"
    );
    Ok(Step {
        about: "create the bucket in SeaweedFS",
        program: Program {
            command: vec!["/bin/sh".to_owned(), "-c".to_owned(), script],
            env: Vec::new(),
            account: None,
            folder: layout.data(""),
        },
        stdin: format!(
            "user = \"{}:{}\"\n",
            layout.credentials.get("S3_ACCESS_KEY"),
            layout.credentials.get("S3_SECRET_KEY")
        ),
        unless: Some(layout.data("seaweedfs").join("bucket-created")),
        marker: Some(layout.data("seaweedfs").join("bucket-created")),
    })
}
