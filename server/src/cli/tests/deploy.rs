//! What the examples in `deploy/` take for granted of the commands and of their configurations.

use std::path::Path;
use std::time::Duration;

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::config::{Config, Store};

const COMPOSE: &str = include_str!("../../../../deploy/compose.yaml");
const COMPOSE_POSTGRES: &str = include_str!("../../../../deploy/compose.postgres.yaml");
const CONTAINERFILE: &str = include_str!("../../../../deploy/Containerfile");
const NGINX: &str = include_str!("../../../../deploy/nginx.conf");
const CADDY: &str = include_str!("../../../../deploy/Caddyfile");
const CADDY_POSTGRES: &str = include_str!("../../../../deploy/Caddyfile.postgres");
const UNIT: &str = include_str!("../../../../deploy/afterword.service");
const OF_COMPOSE: &str = include_str!("../../../../deploy/afterword.toml");
const OF_COMPOSE_POSTGRES: &str = include_str!("../../../../deploy/afterword.postgres.toml");
const OF_THE_UNIT: &str = include_str!("../../../../deploy/afterword.systemd.toml");
const README: &str = include_str!("../../../../deploy/README.md");
const ALL: [&str; 11] = [
    COMPOSE,
    COMPOSE_POSTGRES,
    CONTAINERFILE,
    NGINX,
    CADDY,
    CADDY_POSTGRES,
    UNIT,
    OF_COMPOSE,
    OF_COMPOSE_POSTGRES,
    OF_THE_UNIT,
    README,
];

/// Descriptors that a server needs beside its connections.
const SPARE: u32 = 1_024;
/// A call in flight ends within its own time, and the server within so much more.
const LAST: Duration = Duration::from_secs(30);

fn config(text: &str) -> Config {
    Config::parse_without_secrets(text, "afterword.toml", Path::new(""), &|_| None).unwrap()
}

/// What stands behind each of these words, up to a blank or a bracket.
fn after<'a>(text: &'a str, words: &str) -> Vec<&'a str> {
    let found = text.match_indices(words).map(|(at, words)| &text[at + words.len()..]);
    found.filter_map(|rest| rest.split([' ', '\n', '"', ']', ',', ';']).next()).collect()
}

fn seconds(text: &str) -> Duration {
    Duration::from_secs(text.trim_end_matches('s').parse().unwrap())
}

#[test]
fn every_variable_of_the_examples_is_one_that_is_read() {
    let mut known = vec!["AFTERWORD_NAME".to_owned(), "AFTERWORD_TOOLS".to_owned()];
    let command = Cli::command();
    let mut commands = vec![&command];
    while let Some(command) = commands.pop() {
        known.extend(command.get_arguments().filter_map(|it| it.get_env()?.to_str().map(str::to_owned)));
        commands.extend(command.get_subcommands());
    }
    for text in ALL {
        for (at, _) in text.match_indices("AFTERWORD_") {
            let name = text[at..].split(|letter: char| !letter.is_ascii_uppercase() && letter != '_').next();
            assert!(known.iter().any(|known| Some(known.as_str()) == name), "nobody reads {name:?}");
        }
    }
    for text in [UNIT, CONTAINERFILE] {
        assert!(text.contains("AFTERWORD_CONFIG=/etc/afterword/afterword.toml"));
        assert!(text.contains("AFTERWORD_LOG_FORMAT=json"));
    }
    assert_eq!([COMPOSE, COMPOSE_POSTGRES].map(|text| after(text, "./config:")), [["/etc/afterword:ro"]; 2]);
}

#[test]
fn every_command_of_the_examples_is_there() {
    let command = Cli::command();
    let there = |name: &str| assert!(command.find_subcommand(name).is_some(), "afterword {name}");
    for (text, words, expected) in [
        (COMPOSE, "\"/afterword\", \"", 1),
        (COMPOSE_POSTGRES, "\"/afterword\", \"", 1),
        (CONTAINERFILE, "\"/afterword\", \"", 1),
        (CONTAINERFILE, "\nCMD [\"", 1),
        (UNIT, "=/usr/local/bin/afterword ", 2),
    ] {
        let found = after(text, words);
        assert_eq!(found.len(), expected, "{words}");
        found.into_iter().for_each(there);
    }
}

#[test]
fn ports_and_addresses_of_the_examples_meet() {
    let unit = config(OF_THE_UNIT);
    assert_eq!(after(NGINX, "    server "), [unit.listen.to_string()]);
    assert_eq!(after(NGINX, "proxy_pass http://127"), [format!(".0.0.1:{}", unit.admin_listen.port())]);
    assert_eq!(after(CADDY, "\treverse_proxy ")[0], unit.listen.to_string());
    assert!(unit.trusted_proxies.iter().any(|network| network.contains(unit.listen.ip())));

    let one = config(OF_COMPOSE);
    let published: Vec<_> = after(COMPOSE, "- \"127.0.0.1:");
    let ports = [one.listen.port(), one.admin_listen.port()];
    assert_eq!(published, ports.map(|port| format!("{port}:{port}")));
    assert_eq!(after(CONTAINERFILE, &format!("EXPOSE {} ", ports[0])), [ports[1].to_string()]);
    let gateway = after(COMPOSE, "\n          gateway: ")[0].parse().unwrap();
    assert!(one.trusted_proxies.iter().any(|network| network.contains(gateway)));

    let two = config(OF_COMPOSE_POSTGRES);
    for published in after(COMPOSE_POSTGRES, "ports: [\"127.0.0.1:") {
        assert!(published.ends_with(&format!(":{}", two.admin_listen.port())), "{published}");
    }
    let proxied = CADDY_POSTGRES.lines().find(|line| line.starts_with("\treverse_proxy ")).unwrap();
    for server in proxied.split_whitespace().filter(|word| word.contains(':')) {
        let (name, port) = server.split_once(':').unwrap();
        assert!(COMPOSE_POSTGRES.contains(&format!("\n  {name}:\n")), "{name}");
        assert_eq!(port, two.listen.port().to_string());
    }
    assert_eq!(after(CADDY_POSTGRES, "health_port "), [two.admin_listen.port().to_string()]);
    assert_eq!(after(CADDY_POSTGRES, "health_uri "), ["/readyz"]);
    let proxy = after(COMPOSE_POSTGRES, "ipv4_address: ")[0].parse().unwrap();
    assert!(two.trusted_proxies.iter().any(|network| network.contains(proxy)));
    assert!(matches!(&two.store, Store::Postgres(database) if database.address.contains("@database:5432/")));
    assert!(COMPOSE_POSTGRES.contains("\n  database:\n"));
}

#[test]
fn the_store_of_the_examples_lies_where_it_is_kept() {
    for text in [OF_COMPOSE, OF_THE_UNIT] {
        let Store::Sqlite(path) = config(text).store else { panic!("{text}") };
        assert_eq!(path.parent(), Some(Path::new("/var/lib/afterword")));
    }
    assert_eq!(after(COMPOSE, "- queue:"), ["/var/lib/afterword"]);
    assert_eq!(after(COMPOSE_POSTGRES, "tmpfs:\n    - "), ["/var/lib/afterword"]);
    assert_eq!(after(CONTAINERFILE, "VOLUME "), ["/var/lib/afterword"]);
    assert!(UNIT.contains("\nStateDirectory=afterword\n") && UNIT.contains("=/var/lib/afterword\n"));
}

#[test]
fn every_secret_of_the_examples_is_handed_to_the_server() {
    for (config, compose) in [(OF_COMPOSE, COMPOSE), (OF_COMPOSE_POSTGRES, COMPOSE_POSTGRES)] {
        let handed = compose.split_once("  secrets: [").unwrap().1;
        let handed: Vec<_> = handed.split(']').next().unwrap().split(", ").collect();
        let read = after(config, "_file = \"/run/secrets/");
        assert!(!read.is_empty());
        for name in read {
            assert!(handed.contains(&name), "{name} is not handed to the server: {handed:?}");
            assert!(compose.contains(&format!("\n  {name}:\n    file: ./secrets/{name}\n")), "{name}");
        }
    }
    let credentials: Vec<_> =
        after(UNIT, "\nLoadCredential=").into_iter().filter_map(|it| it.split(':').next()).collect();
    assert_eq!(after(OF_THE_UNIT, "_file = \"/run/credentials/afterword.service/"), credentials);
}

#[test]
fn a_server_of_the_examples_has_time_for_its_last_call_and_files_for_its_connections() {
    for (text, example, stop, files) in [
        (OF_COMPOSE, COMPOSE, "\n    stop_grace_period: ", "nofile: "),
        (OF_COMPOSE_POSTGRES, COMPOSE_POSTGRES, "\n  stop_grace_period: ", "nofile: "),
        (OF_THE_UNIT, UNIT, "\nTimeoutStopSec=", "LimitNOFILE="),
    ] {
        let config = config(text);
        assert!(seconds(after(example, stop)[0]) >= config.platforms[0].timeout + LAST, "{stop}");
        let files: u32 = after(example, files)[0].parse().unwrap();
        assert!(files >= config.limits.connections.unwrap().get() + SPARE, "{files}");
    }
}
