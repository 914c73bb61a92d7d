//! Compiles the committed protocol definitions, without needing `protoc` on the machine.

use prost::Message as _;
use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

const FILES: [&str; 3] =
    ["spark/connect/base.proto", "delta/connect/commands.proto", "delta/connect/relations.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    // A published package has no golden plans to be compared with.
    println!("cargo::rustc-check-cfg=cfg(golden)");
    println!("cargo::rerun-if-changed=tests/golden");
    if Path::new("tests/golden").exists() {
        println!("cargo::rustc-cfg=golden");
    }
    let descriptors = protox::compile(FILES, ["proto"])?;
    // Kept beside the generated code: the golden tests read plans through these descriptors.
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .bytes(".spark.connect.ExecutePlanResponse.ArrowBatch")
        .bytes(".spark.connect.AddArtifactsRequest.ArtifactChunk")
        .bytes(".spark.connect.LocalRelation")
        .bytes(".spark.connect.Plan.CompressedOperation")
        .compile_fds(descriptors)?;
    Ok(())
}
