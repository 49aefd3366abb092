//! A PostgreSQL cluster for tests: made in a temporary folder, in memory where there is room, on a free port
//! of loopback, set to the durability that a production database has (`fsync` is on), and gone when the test
//! process is.
//!
//! Whoever starts a cluster also starts a watchdog: a shell that reads from a pipe. The pipe ends with the
//! process that holds it, however that dies; then the shell stops the cluster and removes the folder.
//! PostgreSQL refuses to run as root, so for root all of it runs as `postgres` or `nobody`.

mod port;
mod programs;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use tokio_postgres::NoTls;

pub use port::port;
use programs::Programs;

/// How often another port is tried, if somebody was faster.
const PORTS: usize = 5;
/// What the watchdog does; `$1` is `pg_ctl`, `$2` the folder.
const WATCHDOG: &str = r#"trap '' INT TERM HUP
cat > /dev/null
"$1" stop --silent --mode immediate --no-wait --pgdata "$2/data" > /dev/null 2>&1
for try in $(seq 1200); do
    [ -e "$2/data/postmaster.pid" ] && kill -0 "$(head -n 1 "$2/data/postmaster.pid")" 2> /dev/null || break
    sleep 0.05
done
rm -rf "$2""#;

/// How a cluster is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// In order: connections are cut, what is committed is written down.
    Fast,
    /// As in a crash: the next start recovers from the log.
    Immediate,
}

/// A running cluster; it ends when it is dropped, or with the process.
#[derive(Debug)]
pub struct Cluster {
    programs: Programs,
    folder: PathBuf,
    port: u16,
    databases: AtomicU64,
    watchdog: Child,
    /// Held open: its end is the watchdog's signal.
    alive: Option<ChildStdin>,
}

impl Cluster {
    /// Makes a cluster and starts it.
    pub fn start() -> Result<Self> {
        Self::start_with("")
    }

    /// Makes a cluster with more lines in `postgresql.conf`, and starts it.
    pub fn start_with(settings: &str) -> Result<Self> {
        let programs = Programs::find()?;
        let folder = programs.folder()?;
        let mut watchdog = programs
            .command(Path::new("/bin/sh"))
            .args(["-c", WATCHDOG, "watchdog"])
            .args([&programs.named("pg_ctl"), &folder])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start the cluster's watchdog")?;
        let alive = watchdog.stdin.take();
        let mut cluster = Self { programs, folder, port: 0, databases: AtomicU64::new(0), watchdog, alive };
        cluster.make(settings)?;
        for attempt in 1.. {
            cluster.port = port()?;
            match cluster.start_again() {
                Err(error) if attempt == PORTS => return Err(error),
                Err(_) => {}
                Ok(()) => break,
            }
        }
        Ok(cluster)
    }

    /// The cluster that all tests of a process share.
    ///
    /// # Panics
    /// If it cannot be started; it says why.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<Cluster>> = OnceLock::new();
        match SHARED.get_or_init(Self::start) {
            Ok(cluster) => cluster,
            Err(error) => panic!("{error:#}"),
        }
    }

    fn make(&self, settings: &str) -> Result<()> {
        let data = self.data();
        let made = self
            .programs
            .command(&self.programs.named("initdb"))
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .arg("--pgdata")
            .arg(&data)
            .output()
            .context("cannot start initdb")?;
        if !made.status.success() {
            bail!("initdb failed: {}", String::from_utf8_lossy(&made.stderr).trim());
        }
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\nmax_connections = 300\n\
             shared_buffers = '64MB'\nautovacuum_naptime = '10s'\n{settings}\n",
            self.folder.display()
        );
        let path = data.join("postgresql.conf");
        let written = std::fs::read_to_string(&path)?;
        std::fs::write(&path, written + &settings).context("cannot write postgresql.conf")
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn control(&self, arguments: &[&str]) -> Result<()> {
        let mut command = self.programs.command(&self.programs.named("pg_ctl"));
        command.arg("--silent").arg("--pgdata").arg(self.data()).args(arguments);
        // What is started keeps these open: they must not be pipes that somebody reads to their end.
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        let status = status.context("cannot start pg_ctl")?;
        if status.success() {
            return Ok(());
        }
        let mut log = String::new();
        let read =
            std::fs::File::open(self.folder.join("log")).and_then(|mut file| file.read_to_string(&mut log));
        read.ok();
        bail!("pg_ctl {} failed: {}", arguments.join(" "), log.trim());
    }

    /// Starts it after a stop, on the same port and with what it held.
    pub fn start_again(&self) -> Result<()> {
        let options = format!("-p {}", self.port);
        let log = self.folder.join("log");
        let log = log.to_str().context("the temporary folder's name is not UTF-8")?;
        self.control(&["--wait", "--timeout", "60", "--log", log, "--options", &options, "start"])
    }

    /// Stops it, and waits until it has stopped.
    pub fn stop(&self, how: Stop) -> Result<()> {
        let mode = if how == Stop::Fast { "fast" } else { "immediate" };
        self.control(&["--wait", "--timeout", "60", "--mode", mode, "stop"])
    }

    /// Kills it without a word, as the kernel does when memory runs out.
    pub fn kill(&self) -> Result<()> {
        let first = self.process()?;
        let children = std::fs::read_to_string(format!("/proc/{first}/task/{first}/children"))?;
        let mut kill = self.programs.command(Path::new("/bin/sh"));
        kill.args(["-c", "kill -9 \"$@\"", "kill", &first.to_string()]).args(children.split_whitespace());
        kill.stderr(Stdio::null()).status().context("cannot kill the cluster")?;
        // They would be taken for signs of life, should nobody collect the dead process.
        let socket_lock = self.folder.join(format!(".s.PGSQL.{}.lock", self.port));
        for lock in [self.data().join("postmaster.pid"), socket_lock] {
            std::fs::remove_file(&lock).with_context(|| format!("there is no {}", lock.display()))?;
        }
        Ok(())
    }

    /// The process id of the cluster's first process, for those who want to freeze it.
    pub fn process(&self) -> Result<u32> {
        let written = std::fs::read_to_string(self.data().join("postmaster.pid"))?;
        written.lines().next().and_then(|line| line.trim().parse().ok()).context("postmaster.pid is empty")
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder that it lives in; its log is the file `log`, its socket is here too.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The address of the cluster's own database.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes an empty database, and gives its address.
    pub async fn database(&self) -> Result<String> {
        let name = format!("scratch_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let (client, connection) = tokio_postgres::connect(&self.url(), NoTls).await?;
        let connection = tokio::spawn(connection);
        client.batch_execute(&format!("CREATE DATABASE {name}")).await?;
        drop(client);
        connection.await??;
        Ok(self.url_of(&name))
    }
}

impl Drop for Cluster {
    /// Lets the watchdog do its work, and waits for it.
    fn drop(&mut self) {
        drop(self.alive.take());
        self.watchdog.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cluster_keeps_what_it_held_over_a_stop_and_leaves_nothing_behind() -> Result<()> {
        let cluster = Cluster::start()?;
        let url = cluster.database().await?;
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        let connection = tokio::spawn(connection);
        client.batch_execute("CREATE SEQUENCE kept").await?;
        cluster.stop(Stop::Immediate)?;
        assert!(connection.await?.is_err(), "the connection was cut");
        cluster.start_again()?;
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        tokio::spawn(connection);
        // It fails if there is no such sequence.
        client.batch_execute("COMMENT ON SEQUENCE kept IS 'it is still there'").await?;
        cluster.kill()?;
        assert!(tokio_postgres::connect(&url, NoTls).await.is_err());
        cluster.start_again()?;
        drop(tokio_postgres::connect(&url, NoTls).await?);
        let (folder, port) = (cluster.folder().to_owned(), cluster.port());
        drop(cluster);
        assert!(!folder.exists());
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
        Ok(())
    }
}
