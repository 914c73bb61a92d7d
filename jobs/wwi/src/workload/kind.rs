use serde::Serialize;

/// A kind of business transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    NewOrder,
    Pick,
    Invoice,
    PriceChange,
    CustomerChange,
    Payment,
    Cancel,
}

/// Of a hundred transactions, how many are of each kind.
pub(crate) const MIX: [(Kind, u32); 7] = [
    (Kind::NewOrder, 38),
    (Kind::Pick, 26),
    (Kind::Invoice, 22),
    (Kind::PriceChange, 3),
    (Kind::CustomerChange, 4),
    (Kind::Payment, 5),
    (Kind::Cancel, 2),
];
