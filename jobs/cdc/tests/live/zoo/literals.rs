//! Random literals of PostgreSQL's types.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::decode::{clock, date, timestamp};

pub type Literals = BoxedStrategy<String>;

fn shown<T: ToString + std::fmt::Debug>(values: impl Strategy<Value = T> + 'static) -> Literals {
    values.prop_map(|value| value.to_string()).boxed()
}

pub fn booleans() -> Literals {
    shown(any::<bool>())
}

pub fn int2() -> Literals {
    shown(any::<i16>())
}

pub fn int4() -> Literals {
    shown(any::<i32>())
}

pub fn int8() -> Literals {
    shown(any::<i64>())
}

pub fn unsigned() -> Literals {
    shown(any::<u32>())
}

pub fn float4() -> Literals {
    shown(any::<f32>())
}

pub fn float8() -> Literals {
    prop_oneof![shown(any::<f64>()), shown(-1e9..1e9)].boxed()
}

/// Up to so many digits on each side of the point.
pub fn decimals(whole: usize, fraction: usize) -> Literals {
    (any::<bool>(), vec(0_u8..10, 1..=whole), vec(0_u8..10, 0..=fraction))
        .prop_map(|(negative, whole, fraction)| {
            let digits = |digits: Vec<u8>| digits.iter().map(ToString::to_string).collect::<String>();
            format!("{}{}.{}0", if negative { "-" } else { "" }, digits(whole), digits(fraction))
        })
        .boxed()
}

/// Texts with what needs care in one of the forms that they pass through.
pub fn texts(longest: usize) -> Literals {
    let character = prop_oneof![
        4 => any::<char>().prop_filter("PostgreSQL has no zero character", |c| *c != '\0'),
        4 => prop::char::range('a', 'z'),
        1 => Just(' '),
        2 => prop::sample::select(vec!['\\', '"', '\'', '\n', '\r', '\t', '{', '}', ',', '\u{8}', '\u{b}', '\u{1}']),
    ];
    vec(character, 0..=longest).prop_map(|characters| characters.into_iter().collect()).boxed()
}

pub fn words(longest: usize) -> Literals {
    vec(prop::char::range('a', 'z'), 1..=longest)
        .prop_map(|characters| characters.into_iter().collect())
        .boxed()
}

/// Days around now, and up to the ends of what PostgreSQL's timestamps hold.
fn days() -> BoxedStrategy<i64> {
    prop_oneof![2 => -40_000_i64..60_000, 1 => -2_440_000_i64..106_000_000].boxed()
}

fn micros() -> BoxedStrategy<i64> {
    prop_oneof![
        0_i64..86_400_000_000,
        (0_i64..86_400_000).prop_map(|ms| ms * 1000),
        (0_i64..86_400).prop_map(|s| s * 1_000_000)
    ]
    .boxed()
}

pub fn dates() -> Literals {
    prop_oneof![days().prop_map(date), (-2_440_000_i64..2_145_000_000).prop_map(date)].boxed()
}

pub fn times() -> Literals {
    micros().prop_map(clock).boxed()
}

pub fn zones() -> Literals {
    (-15_i64..=15, 0_i64..60).prop_map(|(hours, minutes)| format!("{hours:+03}:{minutes:02}")).boxed()
}

pub fn times_with_zone() -> Literals {
    (times(), zones()).prop_map(|(time, zone)| time + &zone).boxed()
}

pub fn timestamps() -> Literals {
    (days(), micros()).prop_map(|(day, micros)| timestamp(day, micros)).boxed()
}

pub fn timestamps_with_zone() -> Literals {
    (timestamps(), zones())
        .prop_map(|(at, zone)| match at.strip_suffix(" BC") {
            Some(at) => format!("{at}{zone} BC"),
            None => at + &zone,
        })
        .boxed()
}

pub fn intervals() -> Literals {
    let clock = (-9_000_000_000_000_i64..9_000_000_000_000)
        .prop_map(|micros| format!("{}{}", if micros < 0 { "-" } else { "" }, clock(micros.abs())));
    let months = (-90_000_i32..90_000).prop_map(|months| format!("{months} mons"));
    let days = (-500_000_i32..500_000).prop_map(|days| format!("{days} days"));
    (option::of(months), option::of(days), clock)
        .prop_map(|(months, days, clock)| {
            [months, days, Some(clock)].into_iter().flatten().collect::<Vec<_>>().join(" ")
        })
        .boxed()
}

pub fn uuids() -> Literals {
    any::<u128>().prop_map(|number| format!("{number:032x}")).boxed()
}

pub fn addresses(network: bool) -> Literals {
    let four = (any::<u32>(), 0_u32..=32).prop_map(move |(bits, length)| {
        let kept = if network { bits & u32::MAX.checked_shl(32 - length).unwrap_or(0) } else { bits };
        format!("{}/{length}", Ipv4Addr::from(kept))
    });
    let six = (any::<u128>(), 0_u32..=128).prop_map(move |(bits, length)| {
        let kept = if network { bits & u128::MAX.checked_shl(128 - length).unwrap_or(0) } else { bits };
        format!("{}/{length}", Ipv6Addr::from(kept))
    });
    prop_oneof![four, six].boxed()
}

pub fn hardware_addresses(bytes: usize) -> Literals {
    vec(any::<u8>(), bytes)
        .prop_map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"))
        .boxed()
}

pub fn json() -> Literals {
    let text = || texts(8).prop_map(serde_json::Value::from);
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        (-1e6..1e6).prop_map(serde_json::Value::from),
        text(),
    ];
    leaf.prop_recursive(3, 12, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map(texts(5), inner, 0..4)
                .prop_map(|map| { serde_json::Value::Object(map.into_iter().collect()) }),
        ]
    })
    .prop_map(|value| value.to_string())
    .boxed()
}

pub fn xml() -> Literals {
    (words(5), words(9)).prop_map(|(name, text)| format!("<{name} a=\"ü&amp;\">{text}<b/></{name}>")).boxed()
}

pub fn documents() -> Literals {
    vec((words(6), 1_u16..16_000), 0..6)
        .prop_map(|words| {
            words.iter().map(|(word, place)| format!("'{word} {place}':{place}B ")).collect::<String>()
        })
        .boxed()
}

pub fn queries() -> Literals {
    (words(5), words(5), words(5)).prop_map(|(a, b, c)| format!("{a} & ({b}:AB* | !{c}) <2> {a}")).boxed()
}

pub fn labels() -> Literals {
    vec(words(5), 0..5).prop_map(|labels| labels.join(".")).boxed()
}

pub fn pairs() -> Literals {
    vec((texts(6), option::of(texts(6))), 0..4)
        .prop_map(|pairs| {
            let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            let pair = |(key, value): &(String, Option<String>)| {
                format!("{}=>{}", quoted(key), value.as_deref().map_or("NULL".to_owned(), quoted))
            };
            pairs.iter().map(pair).collect::<Vec<_>>().join(",")
        })
        .boxed()
}

pub fn bytes() -> Literals {
    vec(any::<u8>(), 0..40)
        .prop_map(|bytes| bytes.iter().fold("\\x".to_owned(), |text, byte| text + &format!("{byte:02x}")))
        .boxed()
}

pub fn bits(lengths: std::ops::RangeInclusive<usize>) -> Literals {
    vec(prop::bool::ANY, lengths)
        .prop_map(|bits| bits.into_iter().map(|bit| if bit { '1' } else { '0' }).collect())
        .boxed()
}

pub fn money() -> Literals {
    shown(any::<i64>())
        .prop_map(|cents| {
            let (sign, digits) = cents.strip_prefix('-').map_or(("", cents.as_str()), |digits| ("-", digits));
            let digits = format!("{digits:0>3}");
            let (whole, fraction) = digits.split_at(digits.len() - 2);
            format!("{sign}{whole}.{fraction}")
        })
        .boxed()
}

/// Ranges between two of `ends`, given in their order.
fn ranges<T: Ord + Clone + std::fmt::Debug + 'static>(
    ends: BoxedStrategy<T>,
    text: fn(T) -> String,
) -> Literals {
    (option::weighted(0.8, ends.clone()), option::weighted(0.8, ends), any::<bool>(), any::<bool>())
        .prop_map(move |(a, b, open, closed)| {
            let (a, b) = match (a, b) {
                (Some(a), Some(b)) if a > b => (Some(b), Some(a)),
                other => other,
            };
            let end = |end: Option<T>| end.map(|end| format!("\"{}\"", text(end))).unwrap_or_default();
            format!("{}{},{}{}", if open { '(' } else { '[' }, end(a), end(b), if closed { ']' } else { ')' })
        })
        .boxed()
}

pub fn int_ranges() -> Literals {
    ranges((-1_000_000_i32..1_000_000).boxed(), |end| end.to_string())
}

pub fn numeric_ranges() -> Literals {
    ranges((-1_000_000_i64..1_000_000).boxed(), |end| format!("{end}e-3"))
}

pub fn date_ranges() -> Literals {
    ranges(days(), date)
}

pub fn timestamp_ranges() -> Literals {
    ranges((days(), micros()).boxed(), |(day, micros)| timestamp(day, micros))
}

pub fn multiranges(ranges: Literals) -> Literals {
    vec(ranges, 0..4).prop_map(|ranges| format!("{{{}}}", ranges.join(","))).boxed()
}

pub fn composites() -> Literals {
    (option::of(any::<i32>()), option::of(texts(8)))
        .prop_map(|(number, text)| {
            let text = text
                .map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\"\"")))
                .unwrap_or_default();
            format!("({},{text})", number.map(|number| number.to_string()).unwrap_or_default())
        })
        .boxed()
}

pub fn points() -> Literals {
    (-1e6..1e6, -1e6..1e6).prop_map(|(x, y): (f64, f64)| format!("({x},{y})")).boxed()
}

/// Points in a row between two brackets.
pub fn shapes(open: &'static str, close: &'static str, count: std::ops::RangeInclusive<usize>) -> Literals {
    vec(points(), count).prop_map(move |points| format!("{open}{}{close}", points.join(","))).boxed()
}

pub fn circles() -> Literals {
    (points(), 0.0..1e6).prop_map(|(center, radius): (String, f64)| format!("<{center},{radius}>")).boxed()
}

pub fn arrays(elements: Literals, longest: usize) -> Literals {
    separated(elements, longest, ",")
}

/// Arrays whose elements stand between something else than commas.
pub fn separated(elements: Literals, longest: usize, separator: &'static str) -> Literals {
    vec(option::weighted(0.85, elements), 0..=longest)
        .prop_map(move |elements| {
            let text = |element: &Option<String>| match element {
                None => "NULL".to_owned(),
                Some(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
            };
            format!("{{{}}}", elements.iter().map(text).collect::<Vec<_>>().join(separator))
        })
        .boxed()
}

pub fn one_of(values: &'static [&'static str]) -> Literals {
    prop::sample::select(values).prop_map(str::to_owned).boxed()
}

pub fn positions() -> Literals {
    (any::<u32>(), any::<u32>()).prop_map(|(high, low)| format!("{high:X}/{low:X}")).boxed()
}

pub fn paths() -> Literals {
    words(5).prop_map(|key| format!("$.{key}[*] ? (@ > 1)")).boxed()
}

pub fn lines() -> Literals {
    (1.0..1e3, -1e3..1e3).prop_map(|(a, c): (f64, f64)| format!("{{{a},-1,{c}}}")).boxed()
}

/// Beyond the first two digits after the point.
pub fn hundredths() -> Literals {
    (0_u8..100).prop_map(|digits| format!("0.00{digits:02}")).boxed()
}
