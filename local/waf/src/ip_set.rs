//! Addresses and ranges of addresses.

use std::net::IpAddr;

use ipnet::IpNet;

/// CIDR ranges, IPv4 or IPv6. <https://docs.aws.amazon.com/waf/latest/APIReference/API_IPSet.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpSet(Vec<IpNet>);

impl IpSet {
    /// From `192.0.2.0/24`, `2001:db8::/32`.
    pub fn parse<'a>(ranges: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let range = |text: &str| text.parse().map_err(|_| format!("'{text}' is no CIDR range such as 192.0.2.0/24"));
        ranges.into_iter().map(range).collect::<Result<_, _>>().map(Self)
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|range| range.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(range: &str, address: &str) -> bool {
        IpSet::parse([range]).unwrap().contains(address.parse().unwrap())
    }

    /// <https://docs.aws.amazon.com/waf/latest/APIReference/API_IPSet.html>, with its examples.
    #[test]
    fn ranges_of_both_versions() {
        assert!(contains("192.0.2.44/32", "192.0.2.44"));
        assert!(!contains("192.0.2.44/32", "192.0.2.45"));
        assert!(contains("192.0.2.0/24", "192.0.2.255"));
        assert!(!contains("192.0.2.0/24", "192.0.3.0"));
        assert!(contains("1111:0000:0000:0000:0000:0000:0000:0111/128", "1111::111"));
        assert!(contains("1111:0000:0000:0000:0000:0000:0000:0000/64", "1111::ffff:ffff:ffff:ffff"));
        assert!(!contains("1111:0000:0000:0000:0000:0000:0000:0000/64", "1111:0:0:1::"));
        assert!(!contains("192.0.2.0/24", "1111::111"));
    }

    /// A listener on `::` reports IPv4 clients so.
    #[test]
    fn an_ipv4_address_in_ipv6_clothes_is_ipv4() {
        assert!(contains("127.0.0.0/8", "::ffff:127.0.0.1"));
    }

    #[test]
    fn what_is_no_range_is_named() {
        for text in ["192.0.2.44", "192.0.2.0/33", "1111::/129", "home/8", "192.0.2.0/-1"] {
            let error = IpSet::parse([text]).unwrap_err();
            assert!(error.contains(&format!("'{text}'")), "{error}");
        }
    }
}
