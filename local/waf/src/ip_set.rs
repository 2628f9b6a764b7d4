//! Addresses and ranges of addresses.

use std::net::IpAddr;

/// CIDR ranges, IPv4 or IPv6. <https://docs.aws.amazon.com/waf/latest/APIReference/API_IPSet.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpSet(Vec<Range>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    network: IpAddr,
    prefix: u32,
}

impl IpSet {
    /// From `192.0.2.0/24`, `2001:db8::/32`.
    pub fn parse<'a>(ranges: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        ranges.into_iter().map(Range::parse).collect::<Result<_, _>>().map(Self)
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|range| range.contains(address))
    }
}

impl Range {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no CIDR range such as 192.0.2.0/24");
        let (network, prefix) = text.split_once('/').ok_or_else(wrong)?;
        let network: IpAddr = network.parse().map_err(|_| wrong())?;
        let prefix: u32 = prefix.parse().map_err(|_| wrong())?;
        if prefix > if network.is_ipv4() { 32 } else { 128 } {
            return Err(wrong());
        }
        Ok(Self { network, prefix })
    }

    fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                (u32::from(network) ^ u32::from(address)).leading_zeros() >= self.prefix
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                (u128::from(network) ^ u128::from(address)).leading_zeros() >= self.prefix
            }
            _ => false,
        }
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
