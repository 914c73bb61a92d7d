//! Functions that give a table.

use crate::{
    Column, DataFrame, IntoColumn, SparkSession,
    column::{Subqueries, into_columns},
    plan::Plan,
    proto::{UnresolvedTableValuedFunction, relation::RelType},
};

/// Functions that give a table: `spark.tvf()`. Their columns are literals, or outer columns in a lateral join.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// use spark_client::functions::{array, lit};
/// spark.tvf().explode(array([lit(1), lit(2)])).show(5).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TableValuedFunctions<'a> {
    session: &'a SparkSession,
}

macro_rules! tables {
    ($($doc:literal $name:ident($($parameter:ident),*) $($rest:ident)?;)*) => {
        impl TableValuedFunctions<'_> {$(
            #[doc = $doc]
            pub fn $name(self $(, $parameter: impl IntoColumn)* $(, $rest: impl IntoIterator<Item = impl IntoColumn>)?) -> DataFrame {
                #[allow(unused_mut, clippy::allow_attributes)]
                let mut arguments: Vec<Column> = vec![$($parameter.into_column()),*];
                $(arguments.extend(into_columns($rest));)?
                self.call(stringify!($name), arguments)
            }
        )*}
    };
}
tables! {
    "A row for each element of an array or entry of a map." explode(collection);
    "A row for each element of an array or entry of a map, one row of NULL where there is none." explode_outer(collection);
    "A row for each struct of an array, its fields as columns." inline(input);
    "A row for each struct of an array, its fields as columns, one row of NULL where there is none." inline_outer(input);
    "One row of the fields of a JSON text." json_tuple(input) fields;
    "A row for each element of an array or entry of a map, with its position from 0." posexplode(collection);
    "A row for each element of an array or entry of a map, with its position from 0, one row of NULL where there is none." posexplode_outer(collection);
    "The values, put into that many rows." stack(rows) values;
    "The collations that the server knows." collations();
    "The words of SQL, and which of them are reserved." sql_keywords();
    "A row for each element or field of a variant." variant_explode(input);
    "A row for each element or field of a variant, one row of NULL where there is none." variant_explode_outer(input);
    "What the Python workers of this session have logged, when `spark.sql.pyspark.worker.logging.enabled` is set." python_worker_logs();
}

impl<'a> TableValuedFunctions<'a> {
    pub(crate) fn new(session: &'a SparkSession) -> Self {
        Self { session }
    }

    /// The numbers from `start` on, below `end`. The same as [`SparkSession::range`].
    pub fn range(self, numbers: std::ops::Range<i64>) -> DataFrame {
        self.session.range_by(numbers, 1, None)
    }

    /// Any table function by its name.
    pub fn call(self, name: &str, arguments: Vec<Column>) -> DataFrame {
        let mut used = Subqueries::default();
        let (function_name, arguments) = (name.to_owned(), used.expressions(arguments));
        let plan = Plan::new(move || {
            let (function_name, arguments) = (function_name.clone(), arguments.clone());
            RelType::UnresolvedTableValuedFunction(UnresolvedTableValuedFunction { function_name, arguments })
        });
        DataFrame::new(self.session.clone(), plan.referring_to(used))
    }
}
