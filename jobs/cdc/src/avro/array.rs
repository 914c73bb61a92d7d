/// The elements of a one-dimensional array in PostgreSQL's text form, `{1,NULL,"a b"}`; `None` when
/// the text is something else, such as an array of more dimensions or with a lower bound of its own, `[0:2]={…}`.
pub(crate) fn elements(text: &str) -> Option<Vec<Option<String>>> {
    let mut characters = text.strip_prefix('{')?.strip_suffix('}')?.chars().peekable();
    let mut elements = Vec::new();
    if characters.peek().is_none() {
        return Some(elements);
    }
    loop {
        let mut element = String::new();
        let quoted = characters.next_if_eq(&'"').is_some();
        if quoted {
            loop {
                match characters.next()? {
                    '"' => break,
                    '\\' => element.push(characters.next()?),
                    other => element.push(other),
                }
            }
        } else {
            while let Some(next) = characters.next_if(|next| *next != ',') {
                match next {
                    '{' | '}' | '"' => return None,
                    '\\' => element.push(characters.next()?),
                    other => element.push(other),
                }
            }
            if element.is_empty() {
                return None;
            }
        }
        elements.push((quoted || !element.eq_ignore_ascii_case("null")).then_some(element));
        match characters.next() {
            None => return Some(elements),
            Some(',') => {}
            Some(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts() {
        let check = |text: &str, expected: &[Option<&str>]| {
            let expected: Vec<Option<String>> =
                expected.iter().map(|element| element.map(str::to_owned)).collect();
            assert_eq!(elements(text), Some(expected), "{text}");
        };
        check("{}", &[]);
        check("{1,NULL,3}", &[Some("1"), None, Some("3")]);
        check(r#"{a,"b c","NULL","q\"\\"}"#, &[Some("a"), Some("b c"), Some("NULL"), Some(r#"q"\"#)]);
        for other in ["", "[0:1]={1,2}", "{", "1,2", "{{1},{2}}", "{1,}", r#"{"a"b}"#] {
            assert_eq!(elements(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn quoted_and_back(values in prop::collection::vec(prop::option::of(".{0,8}"), 0..6)) {
            let quoted: Vec<String> = values.iter().map(|value| match value {
                None => "NULL".to_owned(),
                Some(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
            }).collect();
            prop_assert_eq!(elements(&format!("{{{}}}", quoted.join(","))), Some(values));
        }
    }
}
