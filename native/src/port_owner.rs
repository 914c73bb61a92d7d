//! Who listens on a TCP port, read from /proc: so that a probe never takes another program's server for ours.

use std::path::Path;

/// State `TCP_LISTEN` in /proc/net/tcp.
const LISTEN: &str = "0A";

/// The socket inodes that listen on `port`, of IPv4 and IPv6.
fn listening_inodes(port: u16) -> Vec<String> {
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .flat_map(|table| parse_listening(&table, port))
        .collect()
}

fn parse_listening(table: &str, port: u16) -> Vec<String> {
    let suffix = format!(":{port:04X}");
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split_ascii_whitespace();
            let local = fields.nth(1)?;
            let state = fields.nth(1)?;
            let inode = fields.nth(5)?;
            (local.ends_with(&suffix) && state == LISTEN).then(|| inode.to_owned())
        })
        .collect()
}

fn holds(pid: &str, inodes: &[String]) -> bool {
    let Ok(entries) = std::fs::read_dir(Path::new("/proc").join(pid).join("fd")) else {
        return false;
    };
    entries.flatten().any(|entry| {
        std::fs::read_link(entry.path()).is_ok_and(|link| {
            let link = link.to_string_lossy();
            link.strip_prefix("socket:[")
                .and_then(|rest| rest.strip_suffix(']'))
                .is_some_and(|inode| inodes.iter().any(|known| known == inode))
        })
    })
}

/// Whether the process `pid` itself listens on `port`.
pub(crate) fn is_listening(pid: u32, port: u16) -> bool {
    holds(&pid.to_string(), &listening_inodes(port))
}

/// `process <pid> (<name>)` when somebody listens on `port`, as far as this user may see.
pub(crate) fn owner(port: u16) -> Option<String> {
    let inodes = listening_inodes(port);
    if inodes.is_empty() {
        return None;
    }
    let pids =
        std::fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let holder =
        pids.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())).find(|pid| holds(pid, &inodes));
    Some(holder.map_or_else(
        || "another user's process".to_owned(),
        |pid| {
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            format!("process {pid} ({})", name.trim())
        },
    ))
}

/// The first port of `span` consecutive ones below the ephemeral range on which nobody listens, starting the search
/// at `from`.
pub(crate) fn free_range(from: u16, span: u16) -> Option<u16> {
    let mut base = from;
    while base + span < 32768 {
        let taken =
            (base..base + span).rev().find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_err());
        match taken {
            None => return Some(base),
            Some(port) => base = port + 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_listener_is_ours() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(is_listening(std::process::id(), port));
        assert!(owner(port).unwrap().starts_with(&format!("process {} ", std::process::id())));
        drop(listener);
        assert!(!is_listening(std::process::id(), port));
    }

    #[test]
    fn only_listening_sockets_of_the_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:2382 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 111 1\n\
            1: 0100007F:2382 0100007F:AAAA 01 00000000:00000000 00:00000000 00000000 0 0 222 1\n";
        assert_eq!(parse_listening(table, 0x2382), ["111"]);
        assert!(parse_listening(table, 0xAAAA).is_empty());
    }
}
