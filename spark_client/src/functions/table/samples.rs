//! Arguments for each kind of the table, the same that `scripts/golden_functions.py` gives PySpark.

use crate::{
    Column,
    functions::{col, lit},
};

/// Arguments by their position.
#[derive(Default)]
pub(crate) struct Samples {
    position: usize,
    optionals: usize,
}

#[allow(clippy::unused_self, reason = "called by the kind's name")]
impl Samples {
    /// Samples that give this many of the optional arguments, and `None` for the others.
    pub(crate) fn with(optionals: usize) -> Self {
        Self { position: 0, optionals }
    }

    pub(crate) fn optional(&mut self, sample: fn(&mut Self) -> Column) -> Option<Column> {
        let sample = sample(self);
        let given = self.optionals > 0;
        self.optionals = self.optionals.saturating_sub(1);
        given.then_some(sample)
    }

    fn next(&mut self) -> usize {
        self.position += 1;
        self.position - 1
    }

    pub(crate) fn col(&mut self) -> Column {
        col(&format!("c{}", self.next()))
    }

    pub(crate) fn cols(&mut self) -> Vec<Column> {
        vec![col("x1"), col("x2")]
    }

    pub(crate) fn num(&mut self) -> Column {
        self.next();
        lit(3)
    }

    pub(crate) fn int(&mut self) -> Column {
        self.next();
        lit(256)
    }

    pub(crate) fn float(&mut self) -> Column {
        self.next();
        lit(0.25)
    }

    pub(crate) fn flag(&mut self) -> Column {
        self.next();
        lit(true)
    }

    pub(crate) fn text(&mut self) -> Column {
        lit(format!("s{}", self.next()))
    }

    pub(crate) fn lit(&mut self) -> Column {
        self.next();
        lit(9)
    }
}

/// Names in Rust that are keywords end with an underscore.
pub(crate) fn name(rust: &str, arguments: usize) -> String {
    format!("{}/{arguments}", rust.trim_end_matches('_'))
}

macro_rules! case {
    ($cases:ident, $name:ident ($($parameter:ident: $kind:ident),*)) => {{
        #[allow(unused_mut, unused_variables, clippy::allow_attributes)]
        let mut samples = $crate::functions::table::samples::Samples::default();
        let arguments: &[&str] = &[$(stringify!($parameter)),*];
        $cases.push((
            $crate::functions::table::samples::name(stringify!($name), arguments.len()),
            $name($(samples.$kind()),*),
        ));
    }};
}

macro_rules! cases {
    ($cases:ident, $name:ident ($($parameters:tt)*)) => {};
    (
        $cases:ident, $name:ident ($($parameter:ident: $kind:ident),*)
        $with:ident ($($optional:ident: $optional_kind:ident $(= $default:expr)?),+)
    ) => {{
        let arguments: &[&str] = &[$(stringify!($parameter)),*];
        let optionals: &[&str] = &[$(stringify!($optional)),+];
        for given in 1..=optionals.len() {
            let mut samples = $crate::functions::table::samples::Samples::with(given);
            $cases.push((
                $crate::functions::table::samples::name(stringify!($name), arguments.len() + given),
                $with($(samples.$kind(),)* $(samples.optional($crate::functions::table::samples::Samples::$optional_kind)),+),
            ));
        }
    }};
}

/// Functions that are not in the table, since the server wants their arguments in another order.
fn turned() -> Vec<(String, Column)> {
    use crate::functions::{ltrim_with, rtrim_with, trim_with};
    vec![
        ("trim/2".to_owned(), trim_with("c0", "c1")),
        ("ltrim/2".to_owned(), ltrim_with("c0", "c1")),
        ("rtrim/2".to_owned(), rtrim_with("c0", "c1")),
    ]
}

/// The cases of all files of the table, and of the functions beside it.
pub(crate) fn all() -> Vec<(String, Column)> {
    [
        turned(),
        super::aggregates::cases(),
        super::collections::cases(),
        super::conditions::cases(),
        super::documents::cases(),
        super::hashes::cases(),
        super::math::cases(),
        super::others::cases(),
        super::sketches::cases(),
        super::text::cases(),
        super::time::cases(),
    ]
    .concat()
}
