//! Who the client is: by the connection, or by what proxies that can be believed say.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::{HeaderMap, HeaderName};
use ipnet::{AddrParseError, IpNet};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Whose X-Forwarded-For is believed, by address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// The client's address. Each proxy appends to X-Forwarded-For whom it heard the request from, so the list is read from
    /// its end, and each entry is believed for as long as the one who wrote it is: first the peer, then whom the peer names
    /// if that is a proxy of ours too, and so on. Whatever stands before the first that is none of ours that one may have
    /// made up. Where a proxy wrote nothing, or not an address, the proxy is all that is known.
    pub fn client_ip(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        let values = headers.get_all(FORWARDED_FOR);
        let mut entries = values.iter().rev().flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
        let mut client = peer;
        while self.contains(client)
            && let Some(named) = entries.next().and_then(address)
        {
            client = named;
        }
        client
    }

    fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|range| range.contains(&address))
    }
}

/// Ranges with commas between them: `10.0.0.0/16, 2001:db8::/56`.
impl FromStr for TrustedProxies {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        text.split(',').map(|range| range.trim().parse()).collect::<Result<_, _>>().map(Self)
    }
}

/// An address, with or without a port: a load balancer can be told to append that too.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let entry = str::from_utf8(entry).ok()?.trim();
    entry.parse().ok().or_else(|| entry.parse().ok().map(|address: SocketAddr| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VPC: &str = "10.0.0.0/16, 2001:db8::/56";

    /// Of a request that 10.0.0.9 sent.
    fn client(trusted: &str, headers: &[&str]) -> String {
        client_of(trusted, "10.0.0.9", headers)
    }

    fn client_of(trusted: &str, peer: &str, headers: &[&str]) -> String {
        let trusted: TrustedProxies =
            if trusted.is_empty() { TrustedProxies::default() } else { trusted.parse().unwrap() };
        let headers = headers.iter().map(|value| (FORWARDED_FOR, value.parse().unwrap())).collect();
        trusted.client_ip(&headers, peer.parse().unwrap()).to_string()
    }

    #[test]
    fn a_peer_that_is_not_trusted_is_the_client_whatever_it_says() {
        assert_eq!(client("", &["203.0.113.7"]), "10.0.0.9");
        assert_eq!(client_of(VPC, "203.0.113.9", &["203.0.113.7, 10.0.0.5"]), "203.0.113.9");
        assert_eq!(client_of(VPC, "2001:db8:0:100::1", &["203.0.113.7"]), "2001:db8:0:100::1");
    }

    #[test]
    fn the_first_from_the_end_that_is_not_trusted_is_the_client() {
        assert_eq!(client(VPC, &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(client(VPC, &["203.0.113.7, 10.0.0.5"]), "203.0.113.7");
        assert_eq!(client(VPC, &["203.0.113.7, 2001:db8::5, 10.0.255.255"]), "203.0.113.7");
        assert_eq!(client(VPC, &["203.0.113.7", "10.0.0.5"]), "203.0.113.7", "several headers are one list");
    }

    #[test]
    fn what_a_client_makes_up_changes_nothing() {
        for forged in ["1.1.1.1", "10.0.0.5", "1.1.1.1, 10.0.0.5", "127.0.0.1", "nonsense", "", ","] {
            assert_eq!(client(VPC, &[forged, "203.0.113.7, 10.0.0.5"]), "203.0.113.7", "{forged}");
            assert_eq!(client(VPC, &[&format!("{forged},203.0.113.7")]), "203.0.113.7", "{forged}");
        }
    }

    #[test]
    fn of_nothing_but_proxies_the_outermost_is_all_that_is_known() {
        assert_eq!(client(VPC, &[]), "10.0.0.9");
        assert_eq!(client(VPC, &["10.0.0.5, 10.0.0.6"]), "10.0.0.5");
    }

    #[test]
    fn behind_what_is_no_address_nothing_is_known() {
        assert_eq!(client(VPC, &["unknown"]), "10.0.0.9");
        assert_eq!(client(VPC, &["203.0.113.7, "]), "10.0.0.9");
        assert_eq!(client(VPC, &["203.0.113.7, unknown, 10.0.0.5"]), "10.0.0.5");
    }

    #[test]
    fn addresses_come_in_every_form() {
        assert_eq!(client(VPC, &["203.0.113.7:41000"]), "203.0.113.7");
        assert_eq!(client(VPC, &["2001:db9::1"]), "2001:db9::1");
        assert_eq!(client(VPC, &["[2001:db9::1]:41000"]), "2001:db9::1");
        assert_eq!(client_of(VPC, "::ffff:10.0.0.9", &["203.0.113.7"]), "203.0.113.7", "of a socket for both families");
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in
            ["10.0.0.0", "10.0.0.0/33", "::/129", "all", "10.0.0.0/16,", "10.0.0.0/16;10.1.0.0/16", "10.0.0.0/-1"]
        {
            assert!(text.parse::<TrustedProxies>().is_err(), "{text}");
        }
    }
}
