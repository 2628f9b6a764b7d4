//! nginx in the place of its image: the one that is installed on this machine.
//!
//! An image of nginx holds no program of ours, only nginx, and a task definition says all that it is to do: the container's
//! own command runs, with the container's own configuration, which the variable `NGINX_CONFIG` holds in base64. Four things
//! in it differ, where a task on AWS has a network and a file system of its own:
//!
//! | | in the task definition | here |
//! |---|---|---|
//! | `listen` | the container's port | a free port of 127.0.0.1 |
//! | `resolver` | the VPC's DNS server | this machine's |
//! | `/etc/ssl/certs/ca-certificates.crt` | public authorities, in the image | this machine's file of them |
//! | the folder of `pid`, wherever it is named | a volume | a folder of the task's own, gone with it |

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::snapshot::ContainerDefinition;
use crate::task::{Error, Run, free_addresses, repository};

const CONFIGURATION: &str = "NGINX_CONFIG";
/// Where nginx is if not in `PATH`, which of most users has no `sbin`.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"];

/// Where an image has the certificates of public authorities: it is made of Debian or Alpine.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Where else a machine may have them: Fedora, macOS.
const OTHER_CERTIFICATES: [&str; 2] = ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// The installed nginx.
#[must_use]
pub fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(FOLDERS.map(PathBuf::from));
    folders.map(|folder| folder.join("nginx")).find(|file| file.is_file())
}

/// Whether an image is nginx: `nginx:1.28`, `public.ecr.aws/nginx/nginx@sha256:...`.
pub fn is_in(image: &str) -> bool {
    repository(image).rsplit('/').next() == Some("nginx")
}

/// Why a task's nginx cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// What it is to do is not said in the way that is understood here.
    #[error("container {container}: {what}")]
    Definition {
        /// Its name.
        container: String,
        /// What is missing.
        what: String,
    },
    /// The task's folder cannot be made.
    #[error("{}: {cause}", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why not.
        cause: io::Error,
    },
}

/// What a task of nginx runs as. `directory`: where its folder is made.
pub fn run(container: &ContainerDefinition, nginx: &Path, directory: &Path) -> Result<Run, Error> {
    let problem = |what: &str| Problem::Definition { container: container.name.clone(), what: what.to_owned() };
    let encoded = container.environment.get(CONFIGURATION);
    let encoded =
        encoded.ok_or_else(|| problem("its image is nginx, and no variable NGINX_CONFIG holds what to do"))?;
    let configuration = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let configuration = configuration.ok_or_else(|| problem("NGINX_CONFIG is not text in base64"))?;
    let its_folder = folder_of(&configuration).ok_or_else(|| problem("NGINX_CONFIG has no line `pid FOLDER/FILE;`"))?;
    let mut command = container.entry_point.iter().chain(&container.command);
    let program = command.next().ok_or_else(|| problem("it has no command that writes NGINX_CONFIG into a file"))?;

    let addresses = free_addresses(&container.ports)?;
    if let Some(port) = addresses.keys().find(|port| !listens(&configuration, **port)) {
        return Err(problem(&format!("NGINX_CONFIG has no line `listen {port};`")).into());
    }
    let folder = Folder::within(directory)?;
    let here = folder.0.display().to_string();
    let certificates = [CERTIFICATES].into_iter().chain(OTHER_CERTIFICATES).find(|file| Path::new(file).is_file());
    let configuration = rewritten(&configuration, &addresses, &name_servers())
        .replace(its_folder, &here)
        .replace(CERTIFICATES, certificates.unwrap_or(CERTIFICATES));
    let mut environment = container.environment.clone();
    environment.insert(CONFIGURATION.to_owned(), STANDARD.encode(configuration));
    environment.insert("PATH".to_owned(), path(nginx));
    Ok(Run {
        program: program.into(),
        arguments: command.map(|argument| argument.replace(its_folder, &here)).collect(),
        environment,
        addresses,
        folder: Some(folder),
    })
}

/// nginx's own folder, then what the command needs besides.
fn path(nginx: &Path) -> String {
    let own = nginx.parent().map(|folder| folder.display().to_string());
    let of_machine = std::env::var("PATH").ok();
    own.into_iter().chain(of_machine).collect::<Vec<_>>().join(":")
}

/// A line's directive and its parameters, if it has one.
fn directive(line: &str) -> Option<(&str, Vec<&str>)> {
    let (statement, _) = line.trim_start().split_once(';')?;
    let mut words = statement.split_whitespace();
    Some((words.next()?, words.collect()))
}

fn folder_of(configuration: &str) -> Option<&str> {
    let (_, parameters) = configuration.lines().filter_map(directive).find(|(name, _)| *name == "pid")?;
    let file: &str = parameters.first()?;
    Path::new(file).parent()?.to_str().filter(|folder| !folder.is_empty())
}

/// `8443`, `127.0.0.1:8443` and `[::]:8443` listen at 8443.
fn port_of(address: &str) -> Option<u16> {
    address.rsplit(':').next()?.parse().ok()
}

fn listens(configuration: &str, port: u16) -> bool {
    let mut directives = configuration.lines().filter_map(directive);
    directives.any(|(name, parameters)| {
        name == "listen" && parameters.first().is_some_and(|first| port_of(first) == Some(port))
    })
}

/// With this machine's addresses. Whoever runs all this as root has no other user to give nginx's workers to, who could read
/// the task's folder.
fn rewritten(configuration: &str, addresses: &HashMap<u16, SocketAddr>, name_servers: &[String]) -> String {
    let user = if rustix::process::geteuid().is_root() { "user root;\n" } else { "" };
    let line = |line: &str| {
        let (name, parameters) = directive(line)?;
        let (_, rest) = line.split_once(';')?;
        match name {
            "listen" => {
                let (first, others) = parameters.split_first()?;
                let address = addresses.get(&port_of(first)?)?.to_string();
                let words: Vec<_> = ["listen", &address].into_iter().chain(others.iter().copied()).collect();
                Some(format!("{};{rest}", words.join(" ")))
            }
            "resolver" => {
                let settings = parameters.into_iter().filter(|parameter| parameter.contains('='));
                let servers = name_servers.iter().map(String::as_str);
                let words: Vec<_> = ["resolver"].into_iter().chain(servers).chain(settings).collect();
                Some(format!("{};{rest}", words.join(" ")))
            }
            _ => None,
        }
    };
    let lines = configuration.lines().map(|text| line(text).unwrap_or_else(|| text.to_owned()) + "\n");
    user.chars().chain(lines.collect::<String>().chars()).collect()
}

/// This machine's, as nginx writes addresses. Without any, the system asks one of its own too: resolv.conf(5).
fn name_servers() -> Vec<String> {
    let file = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let of_file = file.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    let addresses = of_file.filter_map(|text| text.trim().parse::<IpAddr>().ok());
    let written: Vec<_> =
        addresses.map(|address| if address.is_ipv6() { format!("[{address}]") } else { address.to_string() }).collect();
    if written.is_empty() { vec![Ipv4Addr::LOCALHOST.to_string()] } else { written }
}

/// A folder that is gone with the value.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    fn within(directory: &Path) -> Result<Self, Problem> {
        let folder = directory.join(format!("nginx-{:016x}", fastrand::u64(..)));
        fs::create_dir(&folder).map_err(|cause| Problem::Folder { folder: folder.clone(), cause })?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(target: "containers", "{} stays: {error}", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_nginx() {
        for (image, expected) in [
            ("nginx:1.28", true),
            ("public.ecr.aws/nginx/nginx:1.28.0-alpine", true),
            ("public.ecr.aws/nginx/nginx@sha256:0123", true),
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/nginx-exporter:1", false),
            ("switchyard", false),
        ] {
            assert_eq!(is_in(image), expected, "{image}");
        }
    }

    #[test]
    fn only_addresses_and_the_folder_differ() {
        let given = "pid /tmp/nginx/nginx.pid;\n  listen 9001; # one\n  listen 0.0.0.0:9002 ssl;\n  listen 9003;\n\
                     resolver 10.0.0.2 valid=30s ipv6=off;\nproxy_ssl_verify on;\n";
        let addresses =
            HashMap::from([(9001, "127.0.0.1:41001".parse().unwrap()), (9002, "127.0.0.1:41002".parse().unwrap())]);
        let text = rewritten(given, &addresses, &["192.0.2.1".into(), "[2001:db8::1]".into()]);
        let expected = "pid /tmp/nginx/nginx.pid;\nlisten 127.0.0.1:41001; # one\nlisten 127.0.0.1:41002 ssl;\n  listen 9003;\n\
                        resolver 192.0.2.1 [2001:db8::1] valid=30s ipv6=off;\nproxy_ssl_verify on;\n";
        assert_eq!(text.trim_start_matches("user root;\n"), expected);
        assert_eq!(folder_of(given), Some("/tmp/nginx"));
        assert!(listens(given, 9001) && listens(given, 9002) && !listens(given, 9004));
    }
}
