//! The spelling a JavaScript program gives a JSON number it read and wrote again.

/// Most significant digits that survive a double unchanged; a number with more keeps its own spelling.
const SAFE_DIGITS: usize = 15;

/// Rewrites a JSON number as ECMAScript's `Number::toString` does (`1.0` → `1`, `1E-7` → `1e-7`); never changes its value.
pub(super) fn spell(raw: &str) -> String {
    respell(raw).unwrap_or_else(|| raw.to_owned())
}

fn respell(raw: &str) -> Option<String> {
    let (sign, magnitude) = raw.strip_prefix('-').map_or(("", raw), |rest| ("-", rest));
    let (mantissa, exponent) = magnitude.split_once(['e', 'E']).unwrap_or((magnitude, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let digits = significant.trim_end_matches('0');
    if digits.is_empty() {
        return Some("0".to_owned());
    }
    // The value is 0.DIGITS times ten to the power of `point`.
    let leading = all.len().checked_sub(significant.len())?;
    let exponent: i32 = exponent.parse().ok()?;
    let point = i32::try_from(whole.len()).ok()?.checked_sub(i32::try_from(leading).ok()?)?.checked_add(exponent)?;
    if digits.len() > SAFE_DIGITS || !(-300..=300).contains(&point) {
        return None;
    }
    Some(format!("{sign}{}", lay_out(digits, point)?))
}

/// ECMA-262, `Number::toString`, steps for radix 10.
fn lay_out(digits: &str, point: i32) -> Option<String> {
    let width = usize::try_from(point.unsigned_abs()).ok()?;
    Some(match point {
        -5..=0 => format!("0.{}{digits}", "0".repeat(width)),
        1..=21 => match digits.split_at_checked(width) {
            Some((whole, fraction)) if !fraction.is_empty() => format!("{whole}.{fraction}"),
            _ => format!("{digits:0<width$}"),
        },
        _ => {
            let (first, rest) = digits.split_at_checked(1)?;
            let dot = if rest.is_empty() { "" } else { "." };
            let plus = if point > 0 { "+" } else { "" };
            format!("{first}{dot}{rest}e{plus}{}", point.checked_sub(1)?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::spell;

    #[test]
    fn numbers_are_spelled_as_javascript_spells_them() {
        for (written, spelled) in [
            ("60", "60"),
            ("1.0", "1"),
            ("1.50", "1.5"),
            ("0.1", "0.1"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("1e-07", "1e-7"),
            ("-0", "0"),
            ("0.0", "0"),
            ("-1.25E+2", "-125"),
            ("1e3", "1000"),
            ("123456789012345", "123456789012345"),
            ("1e20", "100000000000000000000"),
            ("1e21", "1e+21"),
            ("1.5e22", "1.5e+22"),
            ("12e-9", "1.2e-8"),
            ("0e999999999999", "0"),
        ] {
            assert_eq!(spell(written), spelled, "{written}");
        }
    }

    #[test]
    fn a_number_a_double_might_not_hold_keeps_its_spelling() {
        for written in [
            "9007199254740993",
            "9007199254740993.0",
            "18446744073709551615",
            "0.30000000000000004",
            "1e400",
            "1e-400",
            "1e99999999999",
        ] {
            assert_eq!(spell(written), written);
        }
    }
}
