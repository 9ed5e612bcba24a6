//! QR codes, as the pages draw them.

use qrcodegen::{QrCode, QrCodeEcc};
use serde::Serialize;
#[cfg(test)]
use ts_rs::TS;

/// Light squares that a reader wants around the code.
const QUIET: i32 = 4;
/// Longer than this, a code is read more easily with fewer and larger squares than with more to correct by.
const SHORT: usize = 256;

/// A QR code as one path of unit squares, dark on light, with the quiet zone around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct QrView {
    pub size: u32,
    pub path: String,
}

impl QrView {
    /// The code of a text, which is all that is in it; none if no code is large enough.
    pub fn of(text: &str) -> Option<Self> {
        let level = if text.len() > SHORT { QrCodeEcc::Low } else { QrCodeEcc::Medium };
        let code = QrCode::encode_text(text, level).ok()?;
        let mut path = String::new();
        for y in 0..code.size() {
            for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
                path.push_str(&format!("M{} {}h1v1h-1z", x.saturating_add(QUIET), y.saturating_add(QUIET)));
            }
        }
        let size = u32::try_from(code.size().saturating_add(2 * QUIET)).ok()?;
        Some(Self { size, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_corners_and_room_around_it() {
        let code = QrView::of("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed").unwrap();
        assert_eq!(code.size, 29 + 8, "42 letters fit version 3");
        for corner in ["M4 4h", "M32 4h", "M4 32h"] {
            assert!(code.path.contains(corner), "{corner}");
        }
        assert!(!code.path.contains("M3 ") && !code.path.contains("M33 "));
    }

    #[test]
    fn a_long_link_fits_and_what_fits_no_code_is_none() {
        let link = format!("https://openapi.alipay.com/gateway.do?sign={}", "a%2B".repeat(300));
        assert!(QrView::of(&link).unwrap().size <= 177 + 8);
        assert_eq!(QrView::of(&"a".repeat(3000)), None);
    }
}
