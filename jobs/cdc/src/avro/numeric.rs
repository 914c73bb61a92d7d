use num_bigint::BigInt;

use super::binary;

/// A decimal's digits as one integer, and how many of them stand after the point.
struct Unscaled<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
}

/// Splits PostgreSQL's text of a `numeric`; `None` for NaN and the infinities, which have no decimal.
fn split(text: &str) -> Option<Unscaled<'_>> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let valid = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    (!whole.is_empty() && valid(whole) && valid(fraction)).then_some(Unscaled {
        negative,
        whole: whole.as_bytes(),
        fraction: fraction.as_bytes(),
    })
}

/// Two's complement, big-endian, as short as can be, of the digits followed by `zeros` zeros.
fn write_unscaled(number: &Unscaled<'_>, zeros: usize, out: &mut Vec<u8>) {
    let digits =
        || number.whole.iter().chain(number.fraction).copied().chain(std::iter::repeat_n(b'0', zeros));
    let length = number.whole.len() + number.fraction.len() + zeros;
    if length <= 38 {
        let magnitude = digits().fold(0_i128, |value, digit| value * 10 + i128::from(digit - b'0'));
        let value = if number.negative { -magnitude } else { magnitude };
        let bytes = value.to_be_bytes();
        // A leading byte may go when the next one carries the same sign.
        let redundant = bytes
            .windows(2)
            .take_while(|pair| {
                matches!(pair, [0x00, next] if next & 0x80 == 0)
                    || matches!(pair, [0xFF, next] if next & 0x80 != 0)
            })
            .count();
        binary::bytes(bytes.get(redundant..).unwrap_or(&bytes), out);
        return;
    }
    let text: Vec<u8> = digits().collect();
    let magnitude = BigInt::parse_bytes(&text, 10).unwrap_or_default();
    let value = if number.negative { -magnitude } else { magnitude };
    binary::bytes(&value.to_signed_bytes_be(), out);
}

/// Writes a decimal of a fixed scale; false when the text isn't one or has too many fractional digits.
pub(crate) fn decimal(text: &str, scale: usize, out: &mut Vec<u8>) -> bool {
    let Some(number) = split(text) else { return false };
    let Some(zeros) = scale.checked_sub(number.fraction.len()) else { return false };
    write_unscaled(&number, zeros, out);
    true
}

/// Writes Debezium's `VariableScaleDecimal`: the scale, then the unscaled value. Trailing zeros after
/// the point are dropped, as Debezium does.
pub(crate) fn variable_scale(text: &str, out: &mut Vec<u8>) -> bool {
    let Some(mut number) = split(text) else { return false };
    while let Some((b'0', rest)) = number.fraction.split_last() {
        number.fraction = rest;
    }
    binary::long(number.fraction.len() as i64, out);
    write_unscaled(&number, 0, out);
    true
}

#[cfg(test)]
mod tests {
    use apache_avro::types::Value;
    use proptest::prelude::*;

    use super::*;
    use crate::avro::read_back::read_back;

    fn unscaled(bytes: &[u8]) -> BigInt {
        match read_back(r#""bytes""#, bytes) {
            Value::Bytes(bytes) => BigInt::from_signed_bytes_be(&bytes),
            other => panic!("{other:?}"),
        }
    }

    proptest! {
        #[test]
        fn any_digits(text in "-?[0-9]{1,60}(\\.[0-9]{1,20})?") {
            let mut out = Vec::new();
            prop_assert!(decimal(&text, 20, &mut out));
            let fraction = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            let expected: BigInt = format!("{}{}", text.replace('.', ""), "0".repeat(20 - fraction)).parse().unwrap();
            prop_assert_eq!(unscaled(&out), expected);
        }

        #[test]
        fn any_text_is_written_or_refused(text in ".{0,20}") {
            let mut out = Vec::new();
            let _ = decimal(&text, 2, &mut out);
            let _ = variable_scale(&text, &mut out);
        }
    }

    #[test]
    fn what_debezium_writes() {
        let check = |text, scale, expected: &[u8]| {
            let mut out = Vec::new();
            assert!(decimal(text, scale, &mut out));
            assert_eq!(out, expected, "{text}");
        };
        check("12.34", 2, &[4, 0x04, 0xD2]);
        check("0.00", 2, &[2, 0]);
        check("-1.28", 2, &[2, 0x80]);
        check("1.28", 2, &[4, 0x00, 0x80]);
        let mut out = Vec::new();
        assert!(variable_scale("123.4500", &mut out));
        assert_eq!(out, [4, 4, 0x30, 0x39]);
    }

    #[test]
    fn not_a_number_has_no_decimal() {
        for text in ["NaN", "Infinity", "-Infinity", "", "-", "1.2.3"] {
            assert!(!decimal(text, 2, &mut Vec::new()), "{text}");
        }
        assert!(!decimal("1.234", 2, &mut Vec::new()));
    }
}
