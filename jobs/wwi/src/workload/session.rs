use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement, Transaction};

use super::cancel::Cancel;
use super::catalog::Catalog;
use super::customer::CustomerChange;
use super::invoice::Invoice;
use super::kind::{Kind, MIX};
use super::order::NewOrder;
use super::payment::Payment;
use super::pick::Pick;
use super::price::PriceChange;
use crate::error::{Error, statement};
use crate::seed::random::{Stream, stream};
use crate::source::Source;

/// A transaction with all its choices made, so that a retry does the same.
#[derive(Debug)]
pub(crate) enum Decision {
    NewOrder(NewOrder),
    Pick(Pick),
    Invoice(Invoice),
    PriceChange(PriceChange),
    CustomerChange(CustomerChange),
    Payment(Payment),
    Cancel(Cancel),
}

impl Decision {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::NewOrder(_) => Kind::NewOrder,
            Self::Pick(_) => Kind::Pick,
            Self::Invoice(_) => Kind::Invoice,
            Self::PriceChange(_) => Kind::PriceChange,
            Self::CustomerChange(_) => Kind::CustomerChange,
            Self::Payment(_) => Kind::Payment,
            Self::Cancel(_) => Kind::Cancel,
        }
    }
}

/// One connection with the orders that it has placed and not finished.
pub(crate) struct Session {
    client: Client,
    statements: HashMap<&'static str, Statement>,
    catalog: Arc<Catalog>,
    rng: ChaCha8Rng,
    placed: VecDeque<i32>,
    picked: VecDeque<i32>,
}

impl Session {
    pub(crate) async fn open(
        source: &Source,
        catalog: Arc<Catalog>,
        seed: u64,
        number: u32,
    ) -> Result<Self, Error> {
        Ok(Self {
            client: source.connect().await?,
            statements: HashMap::new(),
            catalog,
            rng: stream(seed, Stream::Workload, u64::from(number)),
            placed: VecDeque::new(),
            picked: VecDeque::new(),
        })
    }

    /// Chooses the next transaction. One that needs an order where none waits becomes a new order.
    pub(crate) fn decide(&mut self) -> Decision {
        let (rng, catalog) = (&mut self.rng, &*self.catalog);
        let mut roll = rng.random_range(0..MIX.iter().map(|(_, share)| share).sum());
        let kind = MIX
            .iter()
            .find(|(_, share)| {
                let hit = roll < *share;
                roll = roll.wrapping_sub(*share);
                hit
            })
            .map_or(Kind::NewOrder, |(kind, _)| *kind);
        let waiting = match kind {
            Kind::Pick | Kind::Cancel => self.placed.pop_front(),
            Kind::Invoice => self.picked.pop_front(),
            _ => None,
        };
        match (kind, waiting) {
            (Kind::Pick, Some(order_id)) => Decision::Pick(Pick { order_id, by: catalog.employee(rng) }),
            (Kind::Cancel, Some(order_id)) => Decision::Cancel(Cancel { order_id }),
            (Kind::Invoice, Some(order_id)) => {
                Decision::Invoice(Invoice { order_id, by: catalog.employee(rng) })
            }
            (Kind::PriceChange, _) => Decision::PriceChange(PriceChange::decide(catalog, rng)),
            (Kind::CustomerChange, _) => Decision::CustomerChange(CustomerChange::decide(catalog, rng)),
            (Kind::Payment, _) => {
                Decision::Payment(Payment { customer_id: catalog.payer(rng), by: catalog.employee(rng) })
            }
            _ => Decision::NewOrder(NewOrder::decide(catalog, rng)),
        }
    }

    /// Runs the transaction once.
    pub(crate) async fn attempt(&mut self, decision: &Decision) -> Result<(), Error> {
        let transaction = self.client.transaction().await.map_err(statement("BEGIN"))?;
        let mut work = Work { transaction, statements: &mut self.statements };
        match decision {
            Decision::NewOrder(order) => {
                let order_id = order.run(&mut work).await?;
                work.commit().await?;
                self.placed.push_back(order_id);
            }
            Decision::Pick(pick) => {
                pick.run(&mut work).await?;
                work.commit().await?;
                self.picked.push_back(pick.order_id);
            }
            Decision::Invoice(invoice) => {
                invoice.run(&mut work).await?;
                work.commit().await?;
            }
            Decision::PriceChange(change) => {
                change.run(&mut work).await?;
                work.commit().await?;
            }
            Decision::CustomerChange(change) => {
                change.run(&mut work).await?;
                work.commit().await?;
            }
            Decision::Payment(payment) => {
                payment.run(&mut work).await?;
                work.commit().await?;
            }
            Decision::Cancel(cancel) => {
                cancel.run(&mut work).await?;
                work.commit().await?;
            }
        }
        Ok(())
    }
}

/// A transaction under way, with the connection's prepared statements.
pub(crate) struct Work<'a> {
    transaction: Transaction<'a>,
    statements: &'a mut HashMap<&'static str, Statement>,
}

impl Work<'_> {
    /// Runs a statement, prepared the first time.
    pub(crate) async fn run(
        &mut self,
        what: &'static str,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let prepared = if let Some(prepared) = self.statements.get(sql) {
            prepared.clone()
        } else {
            let prepared = self.transaction.prepare(sql).await.map_err(statement(what))?;
            self.statements.insert(sql, prepared.clone());
            prepared
        };
        self.transaction.query(&prepared, parameters).await.map_err(statement(what))
    }

    async fn commit(self) -> Result<(), Error> {
        self.transaction.commit().await.map_err(statement("COMMIT"))
    }
}
