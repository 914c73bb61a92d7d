//! Large plans made small on their way.

use super::Connection;
use crate::{
    Error,
    proto::{
        CompressionCodec, Plan, config_request as request,
        config_request::operation::OpType as Configure,
        plan::{CompressedOperation, OpType, compressed_operation},
    },
};
use prost::Message as _;

/// Plans of fewer bytes are sent as they are, without asking the server from which size on it wants them compressed.
const SMALL: usize = 64 * 1024;
const LEVEL: i32 = 3;

/// From how many bytes on a server takes plans compressed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Threshold(Option<usize>);

impl Connection {
    /// The plan as it is sent.
    pub(super) async fn compressed(&self, plan: Plan) -> Result<Plan, Error> {
        if plan.encoded_len() <= SMALL {
            return Ok(plan);
        }
        let threshold = self.plan_compression().get_or_try_init(|| self.ask_threshold()).await?;
        let (message, op_type) = match &plan.op_type {
            Some(OpType::Root(relation)) => {
                (relation.encode_to_vec(), compressed_operation::OpType::Relation)
            }
            Some(OpType::Command(command)) => {
                (command.encode_to_vec(), compressed_operation::OpType::Command)
            }
            _ => return Ok(plan),
        };
        if threshold.0.is_none_or(|threshold| message.len() <= threshold) {
            return Ok(plan);
        }
        match zstd::bulk::compress(&message, LEVEL) {
            Ok(data) if data.len() < message.len() => {
                let operation = CompressedOperation {
                    data: data.into(),
                    op_type: op_type as i32,
                    compression_codec: CompressionCodec::Zstd as i32,
                };
                Ok(Plan { op_type: Some(OpType::CompressedOperation(operation)) })
            }
            // It is only a saving.
            _ => Ok(plan),
        }
    }

    async fn ask_threshold(&self) -> Result<Threshold, Error> {
        const THRESHOLD: &str = "spark.connect.session.planCompression.threshold";
        const ALGORITHM: &str = "spark.connect.session.planCompression.defaultAlgorithm";
        let keys = vec![THRESHOLD.to_owned(), ALGORITHM.to_owned()];
        let pairs = self.config(Configure::GetOption(request::GetOption { keys })).await?;
        let value = |key| pairs.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.as_deref());
        let takes_zstd = value(ALGORITHM) == Some("ZSTD");
        // A negative threshold means never.
        Ok(Threshold(value(THRESHOLD).and_then(|bytes| bytes.parse().ok()).filter(|_| takes_zstd)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        SparkSession,
        functions::lit,
        rpc::mock::{Mock, Received},
    };

    /// What the server receives of a plan with a text of so many bytes.
    async fn sent(bytes: usize) -> (Plan, Plan) {
        let (mock, port) = Mock::start([]);
        let spark =
            SparkSession::builder().remote(&format!("sc://127.0.0.1:{port}")).connect().await.unwrap();
        let frame = spark.range(0..1).select([lit("x".repeat(bytes))]);
        frame.collect().await.unwrap();
        let Some(Received::Plan(plan)) = mock.received() else { panic!("no plan came") };
        (*plan, frame.plan.to_plan())
    }

    #[tokio::test]
    async fn large_plans_are_sent_compressed() {
        let (plan, whole) = sent(2 * SMALL).await;
        let Some(OpType::CompressedOperation(operation)) = plan.op_type else { panic!("not compressed") };
        assert!(operation.data.len() < SMALL);
        assert_eq!(operation.op_type(), compressed_operation::OpType::Relation);
        let message = zstd::bulk::decompress(&operation.data, 4 * SMALL).unwrap();
        let relation = crate::proto::Relation::decode(message.as_slice()).unwrap();
        assert_eq!(Some(OpType::Root(relation)), whole.op_type);
    }

    #[tokio::test]
    async fn small_plans_are_sent_as_they_are() {
        let (plan, whole) = sent(SMALL / 2).await;
        assert_eq!(plan, whole);
    }
}
