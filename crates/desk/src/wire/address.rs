//! Which addresses are nobody else's business: loopback, private, link-local, reserved.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an agent-given URL must not reach this address.
pub fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => private_v4(v4),
        IpAddr::V6(v6) => private_v6(v6),
    }
}

fn private_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_broadcast()
        || ip.is_documentation()
        || ip.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..=127).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..=19).contains(&b))
}

fn private_v6(ip: Ipv6Addr) -> bool {
    let s = ip.segments();
    if let Some(v4) = ip.to_ipv4_mapped() {
        return private_v4(v4);
    }
    let embeds_v4 = s.starts_with(&[0x64, 0xff9b]) || s.first() == Some(&0x2002) || s.starts_with(&[0x2001, 0]);
    let global = s.first().is_some_and(|first| first & 0xe000 == 0x2000);
    !global || embeds_v4 || s.starts_with(&[0x2001, 0xdb8]) || s.first() == Some(&0x3fff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_private_and_odd_addresses_are_private() {
        let table = "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 127.0.0.1 127.1.2.3 127.255.255.255 169.254.0.1 169.254.169.254 \
            172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.171 192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 \
            224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::2 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:192.168.1.1 ::127.0.0.1 \
            64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1:: 2002:a00:1:: 3fff::1 4000::1 5f00::1 fc00::1 fd00::1 fd00:ec2::254 fdff::1 \
            fe80::1 fe80::dead:beef febf::1 fec0::1 ff00::1 ff02::1 ff02::fb ff05::1 ff0e::1 8000::1";
        let mut count = 0;
        for text in table.split_whitespace() {
            count += 1;
            assert!(is_private(text.parse().unwrap()), "{text}");
        }
        assert_eq!(count, 60);
    }

    #[test]
    fn public_addresses_are_not() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.1.1",
            "198.17.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(!is_private(text.parse().unwrap()), "{text}");
        }
    }
}
