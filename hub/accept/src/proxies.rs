//! Which programs before the hub may say where a request came from.

use std::net::IpAddr;

/// The header by which a proxy says whom it speaks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ProxyHeader {
    /// `X-Forwarded-For` and `X-Forwarded-Proto`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Networks of trusted proxies, and what they send.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Proxies {
    networks: Vec<(IpAddr, u8)>,
    /// The header that they set; the other one may be anybody's.
    pub header: ProxyHeader,
}

impl Proxies {
    /// None yet; they will say it in this header.
    #[must_use]
    pub fn by(header: ProxyHeader) -> Self {
        Self { networks: Vec::new(), header }
    }

    /// `10.0.0.7` or `10.0.0.0/8`, of either kind of address; nothing for what is neither.
    #[must_use]
    pub fn with(mut self, network: &str) -> Option<Self> {
        let (address, length) = match network.trim().split_once('/') {
            Some((address, length)) => (address.parse().ok()?, Some(length.parse().ok()?)),
            None => (network.trim().parse().ok()?, None),
        };
        let whole = bits(address).1;
        let length = length.unwrap_or(whole);
        (length <= whole).then(|| self.networks.push((address, length)))?;
        Some(self)
    }

    /// Whether what comes from here is believed.
    #[must_use]
    pub fn trust(&self, address: IpAddr) -> bool {
        let (ours, kind) = bits(address.to_canonical());
        self.networks.iter().any(|(network, length)| {
            let (theirs, whole) = bits(*network);
            kind == whole
                && (ours ^ theirs).checked_shr(u32::from(whole - length)).unwrap_or(0) == 0
        })
    }
}

/// An address as a number, and how many bits it has.
fn bits(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_own_addresses_and_no_others() {
        let proxies = ["10.1.0.0/16", "192.0.2.7", "2001:db8::/32", "::1"]
            .into_iter()
            .try_fold(Proxies::default(), Proxies::with)
            .unwrap();
        let trust = |address: &str| proxies.trust(address.parse().unwrap());
        for ours in ["10.1.255.1", "192.0.2.7", "2001:db8:9::1", "::1", "::ffff:10.1.0.1"] {
            assert!(trust(ours), "{ours}");
        }
        for other in ["10.2.0.1", "192.0.2.8", "2001:db9::1", "::2", "127.0.0.1", "0.0.0.1"] {
            assert!(!trust(other), "{other}");
        }
        let everybody = Proxies::default().with("0.0.0.0/0").unwrap();
        assert!(everybody.trust("203.0.113.9".parse().unwrap()));
        for odd in ["10.0.0.0/33", "10.0.0", "proxy.local", "::/129", ""] {
            assert_eq!(Proxies::default().with(odd), None, "{odd}");
        }
    }
}
