//! Checks the host of a request. A foreign page whose name was made to resolve to this machine (DNS rebinding) must not
//! read an unpublished site.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::http::uri::Authority;

/// The names and addresses under which the server may be reached.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    /// The address that the server listens on.
    pub(super) bound: IpAddr,
    /// The value of `--host`.
    pub(super) given: Option<String>,
}

impl Hosts {
    /// Whether to answer a request with these headers.
    pub(super) fn allow(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
        let authority = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
        authority.is_some_and(|authority| self.allows(authority.host()))
    }

    fn allows(&self, host: &str) -> bool {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = bare.parse::<IpAddr>() {
            // An attacker can make a name resolve to this machine, but not an address.
            return address.is_loopback() || address == self.bound || self.bound.is_unspecified();
        }
        let is_given = self.given.as_deref().is_some_and(|given| given.eq_ignore_ascii_case(host));
        host.eq_ignore_ascii_case("localhost") || is_given
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn allow(bound: &str, given: Option<&str>, host: &str) -> bool {
        let hosts = Hosts { bound: bound.parse().unwrap(), given: given.map(str::to_owned) };
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        hosts.allow(&headers)
    }

    #[test]
    fn only_this_machine_is_meant() {
        for host in ["localhost", "LOCALHOST:4000", "127.0.0.1:4000", "127.9.9.9", "[::1]:4000"] {
            assert!(allow("127.0.0.1", None, host), "{host}");
        }
        for host in
            ["", "evil.example", "localhost.evil.example:4000", "127.0.0.1.evil.example", "10.0.0.1", "a b"]
        {
            assert!(!allow("127.0.0.1", None, host), "{host}");
        }
        assert!(allow("10.0.0.1", Some("desk.local"), "Desk.local:4000"));
        assert!(allow("10.0.0.1", None, "10.0.0.1"));
        assert!(allow("0.0.0.0", None, "10.0.0.1:4000") && !allow("0.0.0.0", None, "evil.example"));
        assert!(!Hosts { bound: "127.0.0.1".parse().unwrap(), given: None }.allow(&HeaderMap::new()));
    }
}
