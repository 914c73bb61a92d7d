//! Results that the executors keep.

use super::DataFrame;
use crate::{
    Error,
    proto::{
        self, analyze_plan_request as asked, analyze_plan_request::Analyze,
        analyze_plan_response as answered, analyze_plan_response::Result as Analyzed,
    },
};

/// Where the executors keep rows.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// use spark_client::StorageLevel;
/// orders.persist(StorageLevel::MEMORY_AND_DISK).await?;
/// println!("{}", orders.count().await?);
/// orders.unpersist().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StorageLevel {
    /// On local disks, what does not fit elsewhere.
    pub use_disk: bool,
    /// In memory.
    pub use_memory: bool,
    /// In memory outside of the Java heap.
    pub use_off_heap: bool,
    /// As Java objects, and not as bytes.
    pub deserialized: bool,
    /// On how many executors.
    pub replication: i32,
}

impl StorageLevel {
    /// Nowhere.
    pub const NONE: Self = Self::on(1, [false, false, false, false]);
    /// On disk.
    pub const DISK_ONLY: Self = Self::on(1, [true, false, false, false]);
    /// On the disks of two executors.
    pub const DISK_ONLY_2: Self = Self::on(2, [true, false, false, false]);
    /// On the disks of three executors.
    pub const DISK_ONLY_3: Self = Self::on(3, [true, false, false, false]);
    /// In memory; what does not fit is computed again.
    pub const MEMORY_ONLY: Self = Self::on(1, [false, true, false, false]);
    /// In the memory of two executors.
    pub const MEMORY_ONLY_2: Self = Self::on(2, [false, true, false, false]);
    /// In memory, what does not fit on disk.
    pub const MEMORY_AND_DISK: Self = Self::on(1, [true, true, false, false]);
    /// In memory, what does not fit on disk, on two executors.
    pub const MEMORY_AND_DISK_2: Self = Self::on(2, [true, true, false, false]);
    /// In memory as objects, what does not fit on disk: what [`DataFrame::cache`] takes.
    pub const MEMORY_AND_DISK_DESER: Self = Self::on(1, [true, true, false, true]);
    /// Outside of the heap, what does not fit on disk.
    pub const OFF_HEAP: Self = Self::on(1, [true, true, true, false]);

    /// On how many executors, and where: `use_disk`, `use_memory`, `use_off_heap`, `deserialized`.
    const fn on(replication: i32, [use_disk, use_memory, use_off_heap, deserialized]: [bool; 4]) -> Self {
        Self { use_disk, use_memory, use_off_heap, deserialized, replication }
    }

    pub(crate) fn to_proto(self) -> proto::StorageLevel {
        let Self { use_disk, use_memory, use_off_heap, deserialized, replication } = self;
        proto::StorageLevel { use_disk, use_memory, use_off_heap, deserialized, replication }
    }

    fn from_proto(level: proto::StorageLevel) -> Self {
        let proto::StorageLevel { use_disk, use_memory, use_off_heap, deserialized, replication } = level;
        Self { use_disk, use_memory, use_off_heap, deserialized, replication }
    }
}

impl DataFrame {
    /// Keeps the rows in memory and on disk of the executors once they have been computed.
    pub async fn cache(&self) -> Result<(), Error> {
        self.persist(StorageLevel::MEMORY_AND_DISK_DESER).await
    }

    /// Keeps the rows at the executors once they have been computed.
    pub async fn persist(&self, level: StorageLevel) -> Result<(), Error> {
        let (relation, storage_level) = (Some(self.plan.to_relation()), Some(level.to_proto()));
        let asked = Analyze::Persist(asked::Persist { relation, storage_level });
        self.session.connection().analyze("caching", asked).await.map(|_| ())
    }

    /// Forgets kept rows.
    pub async fn unpersist(&self) -> Result<(), Error> {
        self.forgotten(false).await
    }

    /// Forgets kept rows; returns when the executors have done so.
    pub async fn unpersist_blocking(&self) -> Result<(), Error> {
        self.forgotten(true).await
    }

    async fn forgotten(&self, blocking: bool) -> Result<(), Error> {
        let relation = Some(self.plan.to_relation());
        let asked = Analyze::Unpersist(asked::Unpersist { relation, blocking: Some(blocking) });
        self.session.connection().analyze("uncaching", asked).await.map(|_| ())
    }

    /// Where the rows are kept, [`StorageLevel::NONE`] when they are not.
    pub async fn storage_level(&self) -> Result<StorageLevel, Error> {
        let relation = Some(self.plan.to_relation());
        let asked = Analyze::GetStorageLevel(asked::GetStorageLevel { relation });
        match self.session.connection().analyze("the storage level", asked).await? {
            Analyzed::GetStorageLevel(answered::GetStorageLevel { storage_level: Some(level) }) => {
                Ok(StorageLevel::from_proto(level))
            }
            other => Err(Error::protocol(format!("asked for a storage level, answered {other:?}"))),
        }
    }

    /// Whether the rows are kept, or will be once they have been computed.
    pub async fn is_cached(&self) -> Result<bool, Error> {
        Ok(self.storage_level().await? != StorageLevel::NONE)
    }
}
