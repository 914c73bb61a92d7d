use std::fmt::{Display, Write};

/// Rows in PostgreSQL's COPY text format, built one field after the other.
#[derive(Debug, Default)]
pub(crate) struct CopyText {
    text: String,
    rows: u64,
    inside_row: bool,
}

impl CopyText {
    /// Appends a field as its text.
    pub(crate) fn field(&mut self, value: impl Display) -> &mut Self {
        self.separate();
        let start = self.text.len();
        // Writing to a String doesn't fail.
        let _ = write!(self.text, "{value}");
        if self.text.get(start..).is_some_and(|field| field.contains(['\\', '\t', '\n', '\r'])) {
            let field = self.text.split_off(start);
            for character in field.chars() {
                match character {
                    '\\' => self.text.push_str("\\\\"),
                    '\t' => self.text.push_str("\\t"),
                    '\n' => self.text.push_str("\\n"),
                    '\r' => self.text.push_str("\\r"),
                    other => self.text.push(other),
                }
            }
        }
        self
    }

    /// Appends a field, or NULL.
    pub(crate) fn optional(&mut self, value: Option<impl Display>) -> &mut Self {
        match value {
            Some(value) => self.field(value),
            None => self.null(),
        }
    }

    /// Appends NULL.
    pub(crate) fn null(&mut self) -> &mut Self {
        self.separate();
        self.text.push_str("\\N");
        self
    }

    /// Ends the row.
    pub(crate) fn end(&mut self) {
        self.text.push('\n');
        self.rows += 1;
        self.inside_row = false;
    }

    /// Rows ended so far, those taken away included.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes waiting.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Takes the bytes built so far.
    pub(crate) fn take(&mut self) -> bytes::Bytes {
        std::mem::take(&mut self.text).into()
    }

    fn separate(&mut self) {
        if self.inside_row {
            self.text.push('\t');
        }
        self.inside_row = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_escaped_and_separated() {
        let mut copy = CopyText::default();
        copy.field(1).null().field("a\tb\\c\nd").optional(None::<i32>).optional(Some("x")).end();
        copy.field(2).end();
        assert_eq!(copy.rows(), 2);
        assert_eq!(copy.take(), "1\t\\N\ta\\tb\\\\c\\nd\t\\N\tx\n2\n");
    }
}
