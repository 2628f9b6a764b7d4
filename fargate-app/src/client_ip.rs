//! Who the client is: by the connection, or by what proxies that can be believed say.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address. Each proxy appends to X-Forwarded-For whom it heard the request from, so with `trusted_hops`
/// proxies of our own in front, the entry that many places from the end is the client; whatever is before it the client
/// may have made up. Where a proxy did not append, or not an address, the peer is all that is known.
pub fn client_ip(headers: &HeaderMap, peer: IpAddr, trusted_hops: usize) -> IpAddr {
    if trusted_hops == 0 {
        return peer;
    }
    let values = headers.get_all(FORWARDED_FOR);
    let mut entries = values.iter().rev().flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
    entries.nth(trusted_hops - 1).and_then(address).unwrap_or(peer)
}

/// An address, with or without a port: a load balancer can be told to append that too.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let entry = str::from_utf8(entry).ok()?.trim();
    entry.parse().ok().or_else(|| entry.parse().ok().map(|address: SocketAddr| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(hops: usize, headers: &[&str]) -> String {
        let headers = headers.iter().map(|value| (FORWARDED_FOR, value.parse().unwrap())).collect();
        client_ip(&headers, "10.0.0.9".parse().unwrap(), hops).to_string()
    }

    #[test]
    fn without_trusted_hops_the_header_is_not_believed() {
        assert_eq!(client(0, &["203.0.113.7"]), "10.0.0.9");
    }

    #[test]
    fn the_outermost_trusted_hop_says_who_the_client_is() {
        assert_eq!(client(1, &["1.1.1.1, 203.0.113.7"]), "203.0.113.7");
        assert_eq!(client(2, &["1.1.1.1, 203.0.113.7, 10.0.0.5"]), "203.0.113.7");
        assert_eq!(client(2, &["1.1.1.1", "203.0.113.7", "10.0.0.5"]), "203.0.113.7", "several headers are one list");
    }

    #[test]
    fn addresses_come_with_and_without_a_port() {
        assert_eq!(client(1, &["203.0.113.7:41000"]), "203.0.113.7");
        assert_eq!(client(1, &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(client(1, &["[2001:db8::1]:41000"]), "2001:db8::1");
    }

    #[test]
    fn what_is_not_there_or_no_address_is_the_peer() {
        assert_eq!(client(1, &[]), "10.0.0.9");
        assert_eq!(client(2, &["203.0.113.7"]), "10.0.0.9", "a request that went round the outermost proxy");
        assert_eq!(client(1, &["unknown"]), "10.0.0.9");
        assert_eq!(client(1, &["203.0.113.7, "]), "10.0.0.9");
    }
}
