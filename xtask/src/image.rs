//! `cargo xtask image`: the server with the widget inside as a container image, made from nothing else.
//!
//! The binary is static and brings its certificate authorities, so the image holds it, an empty folder for the queue,
//! and a list of what it is made of. It is built without a network and without a running engine, by buildah.

mod sbom;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::tools::Tools;
use crate::{build, setup, workspace};

const TARGET: &str = "x86_64-unknown-linux-musl";
/// What it is built on.
const HOST: &str = "x86_64-unknown-linux-gnu";
/// The largest that everything in the image may be, in bytes.
const BUDGET: u64 = 15_000_000;
/// Nobody's user: it owns the folder of the queue, and nothing else.
const USER: &str = "65532:65532";
const NAME: &str = "localhost/afterword";

/// What the image is made of, and how it starts. `@…@` stand for what is known at the build. Huge pages would double what an
/// idle server holds: 24 MB in the place of 12.
const CONTAINERFILE: &str = r#"FROM scratch
COPY --chown=0:0 --chmod=0555 afterword /afterword
COPY --chown=0:0 --chmod=0444 sbom.cdx.json /sbom.cdx.json
COPY --chown=@USER@ --chmod=0700 data /var/lib
ENV AFTERWORD_CONFIG=/etc/afterword/afterword.toml AFTERWORD_LOG_FORMAT=json MIMALLOC_ALLOW_THP=0
USER @USER@
WORKDIR /var/lib/afterword
VOLUME /var/lib/afterword
EXPOSE 8080 9090
LABEL org.opencontainers.image.title="Afterword" \
      org.opencontainers.image.description="Takes visitors' answers and hands them to the Hello Customer platform" \
      org.opencontainers.image.version="@VERSION@" \
      org.opencontainers.image.revision="@REVISION@" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
HEALTHCHECK --interval=30s --timeout=6s --start-period=5s CMD ["/afterword", "healthcheck"]
ENTRYPOINT ["/afterword"]
CMD ["serve"]
"#;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write what goes into the image to a new folder, with its Containerfile, for another engine to pack
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let tools = setup::run()?;
    if let Some(folder) = &arguments.folder {
        ensure!(!folder.exists(), "{} is there already", folder.display());
        prepare(&tools, folder)?;
        println!("Folder of the image: {}", folder.display());
        return Ok(());
    }
    let archive = build(&tools)?;
    println!("Image: {}; load it with `podman load -i` or `docker load -i`", archive.display());
    Ok(())
}

/// Where the archive lies that any engine loads.
pub(crate) fn archive() -> PathBuf {
    workspace::target().join("afterword/afterword-image.tar")
}

/// Builds the image, and gives the archive that any engine loads.
pub(crate) fn build(tools: &Tools) -> Result<PathBuf> {
    let folder = workspace::scratch()?.join("image");
    if folder.exists() {
        fs::remove_dir_all(&folder).context("cannot clear the last image's folder")?;
    }
    prepare(tools, &folder)?;
    let archive = pack(&folder)?;
    fs::remove_dir_all(&folder).context("cannot tidy up after the image")?;
    Ok(archive)
}

/// The folder with the linkers of the pinned Rust, under the names that a C compiler looks for.
fn linkers() -> Result<PathBuf> {
    let printed = workspace::output(workspace::command("rustc").args(["--print", "sysroot"]))?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&printed).trim());
    let folder = sysroot.join("lib/rustlib").join(HOST).join("bin/gcc-ld");
    ensure!(folder.join("ld.lld").is_file(), "Rust has no linker in {}", folder.display());
    Ok(folder)
}

/// Makes a folder with exactly what goes into the image.
fn prepare(tools: &Tools, folder: &Path) -> Result<()> {
    build::widget(tools)?;
    fill(folder, &server()?)
}

/// The static server.
fn server() -> Result<PathBuf> {
    let mut cargo = workspace::cargo(&["rustc", "--profile", "image", "--locked", "-p", "server"]);
    cargo.args(["--bin", "afterword", "--target", TARGET, "--"]);
    // The linker that comes with Rust folds functions that are alike, and writes relocations in a few bytes: 490 kB.
    let linker = linkers()?;
    let linker = format!("link-arg=-B{}", linker.display());
    for argument in ["link-arg=-fuse-ld=lld", &linker, "link-arg=-Wl,--icf=all,-z,pack-relative-relocs"] {
        cargo.args(["-C", argument]);
    }
    // SQLite and the like never unwind.
    cargo.env("CFLAGS_x86_64_unknown_linux_musl", "-fno-unwind-tables -fno-asynchronous-unwind-tables");
    // Its C has to be compiled against the same library.
    if let Some(compiler) = workspace::on_path(&["x86_64-linux-musl-gcc", "musl-gcc"]) {
        cargo.env("CC_x86_64_unknown_linux_musl", compiler);
    }
    workspace::run(&mut cargo)?;
    Ok(binary())
}

/// Where the static server lies.
pub(crate) fn binary() -> PathBuf {
    workspace::target().join(TARGET).join("image/afterword")
}

fn fill(folder: &Path, binary: &Path) -> Result<()> {
    fs::create_dir_all(folder.join("data/afterword")).context("cannot make the image's folder")?;
    let put = |name: &str, content: &[u8]| {
        fs::write(folder.join(name), content).with_context(|| format!("cannot write {name}"))
    };
    fs::copy(binary, folder.join("afterword")).with_context(|| format!("no {}", binary.display()))?;
    let sbom = sbom::of_the_image(TARGET)?;
    put("sbom.cdx.json", &sbom)?;
    put("Containerfile", containerfile(&revision()).as_bytes())?;
    let size = fs::metadata(binary)?.len() + sbom.len() as u64;
    println!("  bytes in the image {size:>12}\n    budget           {BUDGET:>12}");
    ensure!(size <= BUDGET, "the image holds {} bytes more than its budget", size.saturating_sub(BUDGET));
    Ok(())
}

fn containerfile(revision: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let filled = CONTAINERFILE.replace("@USER@", USER).replace("@VERSION@", version);
    filled.replace("@REVISION@", revision)
}

/// The commit that it is built from; empty where that is not known.
fn revision() -> String {
    let printed = workspace::output(workspace::command("git").args(["rev-parse", "HEAD"]));
    printed.map(|printed| String::from_utf8_lossy(&printed).trim().to_owned()).unwrap_or_default()
}

fn pack(context: &Path) -> Result<PathBuf> {
    let Some(buildah) = workspace::on_path(&["buildah"]) else {
        bail!(
            "buildah packs the image, and is not here: on Debian `apt-get install --no-install-recommends buildah`"
        );
    };
    let buildah = |arguments: &[&str]| {
        let mut command = workspace::command(&buildah);
        command.args(["--storage-driver", "vfs"]).args(arguments);
        command
    };
    let tag = format!("{NAME}:{}", env!("CARGO_PKG_VERSION"));
    // The form of Docker, since that of OCI has no health check.
    let mut bud = buildah(&["bud", "--isolation", "chroot", "--format", "docker", "--quiet", "--tag", &tag]);
    workspace::run(bud.arg(context))?;
    let archive = archive();
    fs::remove_file(&archive).ok();
    let to = format!("docker-archive:{}:{tag}", archive.display());
    workspace::run(&mut buildah(&["push", "--quiet", &tag, &to]))?;
    Ok(archive)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployed(name: &str) -> String {
        fs::read_to_string(workspace::root().join("deploy").join(name)).unwrap()
    }

    #[test]
    fn the_image_that_is_built_inside_containers_is_the_same() {
        let text = deployed("Containerfile");
        let (build, stage) = text.split_once("\nFROM scratch\nARG REVISION\n").unwrap();
        // They differ in where the files come from only.
        let stage = stage.replace(" --from=build", "").replace(" /image/", " ");
        assert_eq!(format!("FROM scratch\n{stage}"), containerfile("$REVISION"));
        let channel = fs::read_to_string(workspace::root().join("rust-toolchain.toml")).unwrap();
        let rust = build.split_once("FROM rust:").unwrap().1.split_once('-').unwrap().0;
        assert!(
            channel.contains(&format!("channel = \"{rust}\"")),
            "{rust} is not the pinned one: {channel}"
        );
    }

    #[test]
    fn the_examples_run_the_image_that_is_built() {
        let tag = format!("{NAME}:{}", env!("CARGO_PKG_VERSION"));
        for name in ["Containerfile", "compose.yaml", "compose.postgres.yaml"] {
            let text = deployed(name);
            let named: Vec<_> = text.match_indices(&format!("{NAME}:")).map(|(at, _)| &text[at..]).collect();
            assert!(!named.is_empty(), "{name} does not name the image");
            for found in named {
                let rest = found.strip_prefix(&tag).map(|rest| rest.chars().next());
                let whole = rest.is_some_and(|next| next.is_none_or(|next| !next.is_alphanumeric()));
                assert!(whole, "{name} has another image than {tag}: {found:.60}");
            }
        }
    }
}
