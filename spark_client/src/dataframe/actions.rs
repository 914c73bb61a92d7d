//! Actions: the plan is sent and run.

use super::{DataFrame, ExplainMode};
use crate::{
    Column, Error, Schema, functions,
    proto::{
        self, analyze_plan_request as asked, analyze_plan_request::Analyze,
        analyze_plan_response::Result as Analyzed, relation::RelType,
    },
};
use arrow::array::RecordBatch;
use futures::TryStreamExt as _;

impl DataFrame {
    /// All rows. The batches together hold exactly the rows of the result; one of them may be empty.
    pub async fn collect(&self) -> Result<Vec<RecordBatch>, Error> {
        self.stream().await?.try_collect().await
    }

    /// The number of rows.
    pub async fn count(&self) -> Result<i64, Error> {
        let counted = self.agg([functions::count(functions::lit(1))]);
        let rows: Vec<(i64,)> = counted.collect_as().await?;
        rows.first().map(|row| row.0).ok_or_else(|| Error::protocol("count gave no row"))
    }

    /// The first `rows` rows.
    pub async fn head(&self, rows: i32) -> Result<Vec<RecordBatch>, Error> {
        self.limit(rows).collect().await
    }

    /// The first row as a batch of one row, or `None` when there is no row.
    pub async fn first(&self) -> Result<Option<RecordBatch>, Error> {
        Ok(self.head(1).await?.into_iter().find(|batch| batch.num_rows() > 0))
    }

    /// The first `rows` rows. The same as [`DataFrame::head`].
    pub async fn take(&self, rows: i32) -> Result<Vec<RecordBatch>, Error> {
        self.head(rows).await
    }

    /// The last `rows` rows.
    pub async fn tail(&self, rows: i32) -> Result<Vec<RecordBatch>, Error> {
        self.last_rows(rows).collect().await
    }

    /// The files that the rows are read from.
    pub async fn input_files(&self) -> Result<Vec<String>, Error> {
        let asked = Analyze::InputFiles(asked::InputFiles { plan: Some(self.plan.to_plan()) });
        match self.session.connection().analyze("the files of a plan", asked).await? {
            Analyzed::InputFiles(answer) => Ok(answer.files),
            other => Err(Error::protocol(format!("asked for files, answered {other:?}"))),
        }
    }

    /// Whether the server can collect the rows without its executors.
    pub async fn is_local(&self) -> Result<bool, Error> {
        let asked = Analyze::IsLocal(asked::IsLocal { plan: Some(self.plan.to_plan()) });
        match self.session.connection().analyze("a plan", asked).await? {
            Analyzed::IsLocal(answer) => Ok(answer.is_local),
            other => Err(Error::protocol(format!("asked whether it is local, answered {other:?}"))),
        }
    }

    /// Whether another DataFrame gives the same rows, as far as the server can tell from the plans.
    pub async fn same_semantics(&self, other: &Self) -> Result<bool, Error> {
        let (target_plan, other_plan) = (Some(self.plan.to_plan()), Some(other.plan.to_plan()));
        let asked = Analyze::SameSemantics(asked::SameSemantics { target_plan, other_plan });
        match self.session.connection().analyze("comparing plans", asked).await? {
            Analyzed::SameSemantics(answer) => Ok(answer.result),
            other => Err(Error::protocol(format!("asked to compare plans, answered {other:?}"))),
        }
    }

    /// A number that is the same for plans of the same semantics.
    pub async fn semantic_hash(&self) -> Result<i32, Error> {
        let asked = Analyze::SemanticHash(asked::SemanticHash { plan: Some(self.plan.to_plan()) });
        match self.session.connection().analyze("a plan's hash", asked).await? {
            Analyzed::SemanticHash(answer) => Ok(answer.result),
            other => Err(Error::protocol(format!("asked for a hash, answered {other:?}"))),
        }
    }

    /// Whether there is no row.
    pub async fn is_empty(&self) -> Result<bool, Error> {
        let found = self.select(std::iter::empty::<Column>()).head(1).await?;
        Ok(found.iter().all(|batch| batch.num_rows() == 0))
    }

    /// The columns and their types.
    pub async fn schema(&self) -> Result<Schema, Error> {
        let asked = Analyze::Schema(asked::Schema { plan: Some(self.plan.to_plan()) });
        match self.session.connection().analyze("the schema", asked).await? {
            Analyzed::Schema(answer) => Schema::from_proto(answer.schema),
            other => Err(Error::protocol(format!("asked for a schema, answered {other:?}"))),
        }
    }

    /// The names of the columns.
    pub async fn columns(&self) -> Result<Vec<String>, Error> {
        Ok(self.schema().await?.fields.into_iter().map(|field| field.name).collect())
    }

    /// How Spark would run the plan, as text.
    pub async fn explain(&self, mode: ExplainMode) -> Result<String, Error> {
        let explain_mode = mode.to_proto() as i32;
        let asked = Analyze::Explain(asked::Explain { plan: Some(self.plan.to_plan()), explain_mode });
        match self.session.connection().analyze("explaining a plan", asked).await? {
            Analyzed::Explain(answer) => Ok(answer.explain_string),
            other => Err(Error::protocol(format!("asked for an explanation, answered {other:?}"))),
        }
    }

    /// Whether the rows come from a streaming source.
    pub async fn is_streaming(&self) -> Result<bool, Error> {
        let asked = Analyze::IsStreaming(asked::IsStreaming { plan: Some(self.plan.to_plan()) });
        match self.session.connection().analyze("a plan", asked).await? {
            Analyzed::IsStreaming(answer) => Ok(answer.is_streaming),
            other => Err(Error::protocol(format!("asked whether it streams, answered {other:?}"))),
        }
    }

    /// The first `rows` rows as a text table, cells cut to `truncate` characters (0: not cut).
    pub async fn show_string(&self, rows: i32, truncate: i32) -> Result<String, Error> {
        self.shown(rows, truncate, false).await
    }

    /// [`DataFrame::show_string`] with a line for each column of a row.
    pub async fn show_string_vertically(&self, rows: i32, truncate: i32) -> Result<String, Error> {
        self.shown(rows, truncate, true).await
    }

    async fn shown(&self, rows: i32, truncate: i32, vertical: bool) -> Result<String, Error> {
        let shown = self.with_plan(self.plan.then(move |input| {
            RelType::ShowString(Box::new(proto::ShowString { input, num_rows: rows, truncate, vertical }))
        }));
        let rows: Vec<(String,)> = shown.collect_as().await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Prints the first `rows` rows to standard output, cells cut to 20 characters.
    pub async fn show(&self, rows: i32) -> Result<(), Error> {
        println!("{}", self.show_string(rows, 20).await?);
        Ok(())
    }
}
