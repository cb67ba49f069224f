//! The SSRF guard: a redirect leads neither to a worse scheme nor into a private network.
//!
//! The addresses in a site's configuration may be anywhere. The addresses that their servers redirect to may not: a
//! build may run where more can be reached than from outside.

use std::collections::HashSet;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use url::{Host, Url};

/// How many redirects are followed.
const REDIRECTS: usize = 5;

/// Why a redirect is not followed.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("more than {REDIRECTS} redirects")]
    TooMany,
    #[error("refused a redirect from https to {0}")]
    Scheme(String),
    #[error("refused to connect to {0}, which is a private address")]
    Private(String),
}

/// The hosts that may have private addresses: those in the site's configuration, and the proxies from the environment.
pub(super) fn trusted(addresses: &[&Url]) -> HashSet<String> {
    let proxies = ["http_proxy", "https_proxy", "all_proxy"]
        .into_iter()
        .flat_map(|name| [name.to_owned(), name.to_uppercase()]);
    let proxies = proxies.filter_map(|name| {
        let address = std::env::var(name).ok()?;
        // A proxy may be given as host and port only.
        Url::parse(&address)
            .ok()
            .filter(Url::has_host)
            .or_else(|| Url::parse(&format!("http://{address}")).ok())
    });
    let hosts = proxies.chain(addresses.iter().map(|url| (*url).clone()));
    hosts.filter_map(|url| url.host_str().map(str::to_owned)).collect()
}

/// Whether an error is, or was caused by, a refused redirect or address.
pub(super) fn refuses(error: &(dyn Error + 'static)) -> bool {
    error.is::<Refused>() || error.source().is_some_and(refuses)
}

/// Follows redirects unless they are refused.
pub(super) fn policy(trusted: Arc<HashSet<String>>) -> Policy {
    Policy::custom(move |attempt| {
        let next = attempt.url();
        let from_https = attempt.previous().iter().any(|url| url.scheme() == "https");
        let refused = if attempt.previous().len() > REDIRECTS {
            Some(Refused::TooMany)
        } else if from_https && next.scheme() != "https" {
            Some(Refused::Scheme(next.scheme().to_owned()))
        } else {
            literal(next)
                .filter(|address| is_private(*address) && !is_trusted(&trusted, next))
                .map(|address| Refused::Private(address.to_string()))
        };
        match refused {
            Some(refused) => attempt.error(refused),
            None => attempt.follow(),
        }
    })
}

/// Whether a URL's host is written as a private IP address and is not trusted.
pub(super) fn is_refused(trusted: &HashSet<String>, url: &Url) -> bool {
    literal(url).is_some_and(is_private) && !is_trusted(trusted, url)
}

fn is_trusted(trusted: &HashSet<String>, url: &Url) -> bool {
    url.host_str().is_some_and(|host| trusted.contains(host))
}

/// The IP address that a URL contains literally, so that no name has to be resolved.
fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

/// Resolves names as the system does, but leaves out private addresses unless the name is trusted.
#[derive(Debug)]
pub(super) struct Resolver {
    /// The hosts that may have private addresses.
    pub(super) trusted: Arc<HashSet<String>>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let trusted = self.trusted.contains(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let (private, public): (Vec<SocketAddr>, Vec<SocketAddr>) =
                found.partition(|address| !trusted && is_private(address.ip()));
            if public.is_empty() && !private.is_empty() {
                return Err(Box::from(Refused::Private(name.as_str().to_owned())));
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is not on the public internet
/// (<https://www.iana.org/assignments/iana-ipv4-special-registry>,
/// <https://www.iana.org/assignments/iana-ipv6-special-registry>).
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => match embedded_v4(address) {
            Some(address) => is_private_v4(address),
            None => {
                address.is_loopback()
                    || address.is_unspecified()
                    || address.is_multicast()
                    || address.is_unique_local()
                    || address.is_unicast_link_local()
            }
        },
    }
}

/// The IPv4 address that is embedded in an IPv6 address: mapped (RFC 4291), or behind NAT64 (RFC 6052).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, high, low] = address.segments();
    let is_nat64 = [a, b, c, d, e, f] == [0x64, 0xff9b, 0, 0, 0, 0];
    address.to_ipv4_mapped().or_else(|| is_nat64.then(|| (u32::from(high) << 16 | u32::from(low)).into()))
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        // "This network", carrier-grade NAT (RFC 6598), and the reserved range.
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || a >= 240
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_known_in_every_dress() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
        ] {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in
            ["140.82.121.4", "1.1.1.1", "100.128.0.1", "172.32.0.1", "2606:50c0:8000::153", "::ffff:1.1.1.1"]
        {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn a_private_name_is_found_only_if_it_is_trusted() {
        let resolve = async |trusted: &[&str]| {
            let trusted = trusted.iter().map(|host| (*host).to_owned()).collect();
            let resolver = Resolver { trusted: Arc::new(trusted) };
            resolver.resolve("localhost".parse().unwrap()).await.map(Iterator::count)
        };
        assert!(resolve(&["localhost"]).await.unwrap() > 0);
        let refused = resolve(&["elsewhere"]).await.unwrap_err().to_string();
        assert_eq!(refused, "refused to connect to localhost, which is a private address");
    }
}
