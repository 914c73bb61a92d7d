//! Windows over the rows around each row.

use super::{Column, IntoColumn, Subqueries};
use crate::proto::{
    Expression,
    expression::{
        self, ExprType, SortOrder,
        window::{WindowFrame, window_frame, window_frame::frame_boundary::Boundary},
    },
};

/// Which rows a window function sees for each row: those equal in the partition columns, in an order,
/// within a frame.
///
/// ```
/// use spark_client::{Window, functions::{col, row_number}};
/// let latest = row_number().over(Window::partition_by(["id"]).order_by([col("lsn").desc()]));
/// # let _ = latest;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Window {
    partition: Vec<Expression>,
    order: Vec<SortOrder>,
    frame: Option<WindowFrame>,
    used: Subqueries,
}

/// One end of a frame.
///
/// ```
/// use spark_client::{Window, WindowBound, functions::avg};
/// let last_week = Window::ordered_by(["day"]).rows_between(WindowBound::Offset(-6), WindowBound::CurrentRow);
/// let moving = avg("amount").over(last_week);
/// # let _ = moving;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowBound {
    /// The first row of the partition as a lower bound, the last as an upper bound.
    Unbounded,
    /// The row itself.
    CurrentRow,
    /// Rows (or the order's value) before it when negative, after it when positive.
    Offset(i64),
}

impl Window {
    /// A window over the rows that are equal in these columns.
    pub fn partition_by(columns: impl IntoIterator<Item = impl IntoColumn>) -> Self {
        let mut window = Self::default();
        window.partition = window.used.expressions(columns);
        window
    }

    /// A window over all rows in an order.
    pub fn ordered_by(columns: impl IntoIterator<Item = impl IntoColumn>) -> Self {
        Self::default().order_by(columns)
    }

    /// Orders the rows of each partition.
    pub fn order_by(mut self, columns: impl IntoIterator<Item = impl IntoColumn>) -> Self {
        self.order = self.used.sort_orders(columns);
        self
    }

    /// A frame counted in rows.
    pub fn rows_between(self, lower: WindowBound, upper: WindowBound) -> Self {
        self.framed(window_frame::FrameType::Row, lower, upper)
    }

    /// A frame by the distance of the order's value.
    pub fn range_between(self, lower: WindowBound, upper: WindowBound) -> Self {
        self.framed(window_frame::FrameType::Range, lower, upper)
    }

    fn framed(mut self, unit: window_frame::FrameType, lower: WindowBound, upper: WindowBound) -> Self {
        self.frame = Some(WindowFrame {
            frame_type: unit as i32,
            lower: Some(Box::new(boundary(lower, unit))),
            upper: Some(Box::new(boundary(upper, unit))),
        });
        self
    }
}

fn boundary(bound: WindowBound, unit: window_frame::FrameType) -> window_frame::FrameBoundary {
    let boundary = match bound {
        WindowBound::Unbounded => Boundary::Unbounded(true),
        WindowBound::CurrentRow | WindowBound::Offset(0) => Boundary::CurrentRow(true),
        WindowBound::Offset(offset) => {
            // A row frame takes INTEGER, a range frame the type of the order's column.
            let value = match (unit, i32::try_from(offset)) {
                (window_frame::FrameType::Row, Ok(rows)) => crate::functions::lit(rows),
                _ => crate::functions::lit(offset),
            };
            Boundary::Value(Box::new(value.expression))
        }
    };
    window_frame::FrameBoundary { boundary: Some(boundary) }
}

impl Column {
    /// An aggregate or ranking function over a window.
    pub fn over(self, window: Window) -> Column {
        Column::over_parts(|used| {
            used.join(window.used);
            ExprType::Window(Box::new(expression::Window {
                window_function: used.boxed(self),
                partition_spec: window.partition,
                order_spec: window.order,
                frame_spec: window.frame.map(Box::new),
            }))
        })
    }
}
