//! Where may be posted to: what an address must look like, and what its name may lead to.

use http::Uri;
use ipnet::{Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whom a poster reaches. Nothing reaches both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkScope {
    /// Public addresses alone, over TLS.
    Public,
    /// This machine alone, for the local stack and tests.
    Loopback,
}

/// Why nothing is posted to an address. It never shows the address, which may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDestination {
    /// No address at all, or far too long.
    #[error(
        "it is no web address of at most 2000 characters; write one like https://example.com/x"
    )]
    Unreadable,
    /// Not encrypted.
    #[error("it is not https://, so anybody on the way could read what is sent; use https")]
    NotHttps,
    /// A name or password in it.
    #[error("it holds a user name or password, which logs and proxies show; take it out")]
    UserInfo,
    /// A number where a name belongs.
    #[error("its host is an address and no name, for which no certificate vouches; use its name")]
    IpLiteral,
    /// A name that only a network's own members know.
    #[error("its host is not known outside of its own network; use its full public name")]
    PrivateName,
    /// Not this machine.
    #[error("the local stack sends to this machine alone; use http://127.0.0.1:PORT/…")]
    NotLoopback,
}

impl NetworkScope {
    /// Reads an address to post to. Any port will do: only what is public anyway is reached.
    ///
    /// # Errors
    /// [`BadDestination`].
    pub fn check(self, url: &str) -> Result<Uri, BadDestination> {
        if url.len() > MAX_URL_LENGTH || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadDestination::Unreadable);
        }
        let uri: Uri = url.parse().map_err(|_| BadDestination::Unreadable)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(BadDestination::Unreadable);
        };
        let host = authority.host();
        if authority.as_str().contains('@') {
            return Err(BadDestination::UserInfo);
        }
        match self {
            Self::Public if scheme != "https" => Err(BadDestination::NotHttps),
            Self::Public if is_literal(host) => Err(BadDestination::IpLiteral),
            Self::Public if !host.trim_end_matches('.').contains('.') => {
                Err(BadDestination::PrivateName)
            }
            Self::Loopback if scheme != "http" || !LOOPBACK_HOSTS.contains(&host) => {
                Err(BadDestination::NotLoopback)
            }
            Self::Public | Self::Loopback => Ok(uri),
        }
    }

    /// Whether this is an address that may be connected to.
    pub fn includes(self, address: IpAddr) -> bool {
        match self {
            Self::Public => is_public(address),
            Self::Loopback => address.is_loopback(),
        }
    }
}

/// As browsers have it: what ends in a number is an address, in however odd a spelling. The
/// client would not look a plain one up, so it must not come that far.
fn is_literal(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit('.').next();
    let last = last.unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
    host.starts_with('[') || is_number || last.starts_with("0x") || last.starts_with("0X")
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match embedded_v4(address) {
            Some(within) => is_public_v4(within),
            None => {
                GLOBAL_UNICAST.contains(&address)
                    && !RESERVED_V6.iter().any(|net| net.contains(&address))
            }
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !RESERVED_V4.iter().any(|net| net.contains(&address))
}

/// The IPv4 address to which this one is carried on: mapped, by NAT64, by 6to4.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., c, d] = address.segments();
    let [_, a, b, ..] = address.segments();
    if MAPPED.contains(&address) || NAT64.contains(&address) {
        Some(of_segments(c, d))
    } else if SIX_TO_FOUR.contains(&address) {
        Some(of_segments(a, b))
    } else {
        None
    }
}

fn of_segments(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(a: u16, b: u16, c: u16, bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), bits)
}

const MAX_URL_LENGTH: usize = 2_000;

const LOOPBACK_HOSTS: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

const MAPPED: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);
const SIX_TO_FOUR: Ipv6Net = v6(0x2002, 0, 0, 16);

/// <https://www.iana.org/assignments/iana-ipv4-special-registry>, with multicast and what is
/// reserved beyond it.
const RESERVED_V4: [Ipv4Net; 15] = [
    v4(0, 0, 0, 0, 8),       // this network
    v4(10, 0, 0, 0, 8),      // private
    v4(100, 64, 0, 0, 10),   // shared by carriers
    v4(127, 0, 0, 0, 8),     // loopback
    v4(169, 254, 0, 0, 16),  // link-local; the cloud's own metadata
    v4(172, 16, 0, 0, 12),   // private
    v4(192, 0, 0, 0, 24),    // protocols
    v4(192, 0, 2, 0, 24),    // documentation
    v4(192, 88, 99, 0, 24),  // 6to4 relays
    v4(192, 168, 0, 0, 16),  // private
    v4(198, 18, 0, 0, 15),   // benchmarks
    v4(198, 51, 100, 0, 24), // documentation
    v4(203, 0, 113, 0, 24),  // documentation
    v4(224, 0, 0, 0, 4),     // multicast
    v4(240, 0, 0, 0, 4),     // reserved, broadcast
];

/// All of IPv6 that is given out to be reached from everywhere.
const GLOBAL_UNICAST: Ipv6Net = v6(0x2000, 0, 0, 3);

/// What lies within it and is not:
/// <https://www.iana.org/assignments/iana-ipv6-special-registry>.
const RESERVED_V6: [Ipv6Net; 3] = [
    v6(0x2001, 0, 0, 23),     // protocols, tunnels, benchmarks
    v6(0x2001, 0xdb8, 0, 32), // documentation
    v6(0x3fff, 0, 0, 20),     // documentation
];
