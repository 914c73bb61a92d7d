//! Functions written in Java that are on the server's class path, or in a jar that was uploaded.

use super::SparkSession;
use crate::{
    Error,
    proto::{
        CommonInlineUserDefinedFunction, DataType, JavaUdf,
        command::CommandType,
        common_inline_user_defined_function::Function,
        data_type::{Kind, Unparsed},
    },
};

impl SparkSession {
    /// Gives a Java class that implements `org.apache.spark.sql.api.java.UDF0` to `UDF22` a name for SQL and
    /// [`crate::functions::call_function`]. The type of its result is in SQL; without it the server asks the class.
    pub async fn register_java_function(
        &self,
        name: &str,
        class: &str,
        return_type: Option<&str>,
    ) -> Result<(), Error> {
        self.command(java_function(name, class, return_type, false)).await.map(|_| ())
    }

    /// Gives a Java class that extends `UserDefinedAggregateFunction` a name.
    pub async fn register_java_aggregate(&self, name: &str, class: &str) -> Result<(), Error> {
        self.command(java_function(name, class, None, true)).await.map(|_| ())
    }
}

fn java_function(name: &str, class: &str, return_type: Option<&str>, aggregate: bool) -> CommandType {
    let output_type = return_type
        .map(|sql| DataType { kind: Some(Kind::Unparsed(Unparsed { data_type_string: sql.to_owned() })) });
    let java = JavaUdf { class_name: class.to_owned(), output_type, aggregate };
    CommandType::RegisterFunction(CommonInlineUserDefinedFunction {
        function_name: name.to_owned(),
        function: Some(Function::JavaUdf(java)),
        ..Default::default()
    })
}
