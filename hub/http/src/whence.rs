//! Where a request comes from: the other end of its connection, or whom a trusted proxy speaks
//! for. Throttles, limits and logs ask here and nowhere else.

use super::front::Peer;
use accept::{Proxies, ProxyHeader};
use std::net::{IpAddr, SocketAddr};
use warp::http::HeaderMap;

/// Proxies behind each other at most.
const CHAIN: usize = 8;

/// Whom a request is from that came from `peer` with these headers.
///
/// Read from the right, where the nearest proxy wrote: as long as the one who says it is trusted,
/// it is believed, so that nothing a client writes itself counts.
#[must_use]
pub fn whence(peer: &Peer, headers: &HeaderMap, proxies: &Proxies) -> Peer {
    let mut from = peer.clone();
    from.address = from.address.to_canonical();
    if !proxies.trust(from.address) {
        return from;
    }
    let said = said(headers, proxies.header);
    from.tls |= said.last().is_some_and(|hop| hop.https);
    for hop in said.iter().rev().take(CHAIN) {
        match hop.address {
            Some(address) if proxies.trust(from.address) => from.address = address,
            _ => break,
        }
    }
    from
}

/// What one proxy says of whoever asked it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Hop {
    /// Nothing where it is hidden or cannot be read.
    address: Option<IpAddr>,
    https: bool,
}

fn said(headers: &HeaderMap, header: ProxyHeader) -> Vec<Hop> {
    match header {
        ProxyHeader::XForwardedFor => {
            let https = listed(headers, "x-forwarded-proto").last().copied() == Some("https");
            let hops = listed(headers, "x-forwarded-for");
            hops.into_iter().map(|node| Hop { address: address(node), https }).collect()
        }
        ProxyHeader::Forwarded => listed(headers, "forwarded").into_iter().map(forwarded).collect(),
    }
}

/// The parts of a header that is a list, and may come several times.
fn listed<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).collect()
}

/// `for="[2001:db8::1]:4711";proto=https`.
fn forwarded(element: &str) -> Hop {
    let pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let pairs: Vec<_> = pairs.map(|(key, value)| (key.trim(), value.trim())).collect();
    let value = |name: &str| {
        let found = pairs.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim_matches('"'))
    };
    let https = value("proto").is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
    Hop { address: value("for").and_then(address), https }
}

/// An address with or without a port, of IPv6 in brackets or not.
fn address(node: &str) -> Option<IpAddr> {
    let bare = node.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(node);
    let with_port = || node.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    bare.parse().ok().or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use warp::http::HeaderName;

    fn from(peer: &str, header: ProxyHeader, sent: &[(&'static str, &str)]) -> (String, bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        let trusted = ["127.0.0.1", "10.0.0.0/8"].into_iter();
        let proxies = trusted.fold(Proxies::by(header), |p, n| p.with(n).unwrap());
        let peer = Peer::new(peer.parse().unwrap(), false);
        let found = whence(&peer, &headers, &proxies);
        (found.address.to_string(), found.tls)
    }

    #[test]
    fn nobody_but_a_trusted_proxy_says_who_asks() {
        let x = |peer, list| from(peer, ProxyHeader::XForwardedFor, &[("x-forwarded-for", list)]).0;
        assert_eq!(x("203.0.113.9", "198.51.100.1"), "203.0.113.9", "not a proxy");
        assert_eq!(x("127.0.0.1", "198.51.100.1"), "198.51.100.1");
        assert_eq!(x("127.0.0.1", "198.51.100.1, 10.0.0.3"), "198.51.100.1", "two proxies");
        assert_eq!(x("127.0.0.1", "1.2.3.4, 198.51.100.1"), "198.51.100.1", "its own words");
        assert_eq!(x("127.0.0.1", "198.51.100.1, 8.8.8.8, 10.0.0.3"), "8.8.8.8");
        assert_eq!(x("127.0.0.1", "[2001:db8::1]:443"), "2001:db8::1");
        assert_eq!(x("127.0.0.1", "unknown"), "127.0.0.1");
        assert_eq!(x("127.0.0.1", "1.2.3.4, rubbish, 10.0.0.3"), "10.0.0.3");
    }

    #[test]
    fn the_header_that_the_proxy_does_not_set_is_not_read() {
        let both = [("forwarded", "for=1.1.1.1;proto=https"), ("x-forwarded-for", "2.2.2.2")];
        let (x, plain) = from("127.0.0.1", ProxyHeader::XForwardedFor, &both);
        assert_eq!((x.as_str(), plain), ("2.2.2.2", false));
        let (forwarded, tls) = from("127.0.0.1", ProxyHeader::Forwarded, &both);
        assert_eq!((forwarded.as_str(), tls), ("1.1.1.1", true));
        let quoted = [("forwarded", "For=\"[2001:db8::17]:4711\";by=10.0.0.1, for=10.0.0.2")];
        assert_eq!(from("10.0.0.9", ProxyHeader::Forwarded, &quoted).0, "2001:db8::17");
    }

    #[test]
    fn a_proxy_says_whether_it_was_asked_over_tls() {
        let sent = [("x-forwarded-for", "198.51.100.1"), ("x-forwarded-proto", "https")];
        assert!(from("127.0.0.1", ProxyHeader::XForwardedFor, &sent).1);
        assert!(!from("203.0.113.9", ProxyHeader::XForwardedFor, &sent).1);
    }
}
