use super::session::Work;
use crate::error::Error;

/// An order that isn't picked yet is cancelled: it and its lines are deleted.
#[derive(Debug)]
pub(crate) struct Cancel {
    pub(crate) order_id: i32,
}

impl Cancel {
    pub(crate) async fn run(&self, work: &mut Work<'_>) -> Result<(), Error> {
        work.run(
            "cannot delete order lines",
            "DELETE FROM sales.order_lines WHERE order_id = $1",
            &[&self.order_id],
        )
        .await?;
        work.run("cannot delete an order", "DELETE FROM sales.orders WHERE order_id = $1", &[&self.order_id])
            .await?;
        Ok(())
    }
}
