//! What values teach of columns that the catalog, read at another time, does not tell.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{TableName, TableShape};

/// What a column has to allow beyond its type in the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lesson {
    Null,
    /// A value of an enum.
    Label(String),
    /// PostgreSQL's texts, for values that have no form in the column's type.
    Text,
}

/// A column's name and type, and what it has to allow.
type Learned = (String, u32, Lesson);

/// What was learned of the columns of all tables; its copies share it, and it outlives a session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lessons(Arc<Mutex<HashMap<TableName, Vec<Learned>>>>);

impl Lessons {
    /// Takes note of lessons for columns of a table, by their places; whether one of them is new.
    pub(crate) fn note(&self, shape: &TableShape, lessons: &[(usize, Lesson)]) -> bool {
        let mut tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut is_new = false;
        for (index, lesson) in lessons {
            let Some(column) = shape.columns.get(*index) else { continue };
            let learned = (column.name.clone(), column.type_oid, lesson.clone());
            let known = tables.entry(shape.name.clone()).or_default();
            if !known.contains(&learned) {
                known.push(learned);
                is_new = true;
            }
        }
        is_new
    }

    /// Makes a shape allow what was learned of its table, as long as the columns' types are the same.
    pub(crate) fn apply(&self, shape: &mut TableShape) {
        let tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, type_oid, lesson) in tables.get(&shape.name).into_iter().flatten() {
            let same = |column: &crate::table::Column| column.name == *name && column.type_oid == *type_oid;
            if let Some(index) = shape.columns.iter().position(same) {
                shape.learn(index, lesson);
            }
        }
    }
}

impl TableShape {
    /// Makes a column allow this too.
    pub(crate) fn learn(&mut self, index: usize, lesson: &Lesson) {
        let Some(column) = self.columns.get_mut(index) else { return };
        match lesson {
            Lesson::Null => column.nullable = true,
            Lesson::Label(label) => column.kind.add_label(label),
            Lesson::Text => column.texts = column.mask.is_none(),
        }
    }

    /// The columns that null may be learned of: no row comes without its key.
    pub(crate) fn null_lessons(&self) -> Vec<(usize, Lesson)> {
        let columns = self.columns.iter().enumerate();
        let strict = columns.filter(|(index, column)| !column.nullable && !self.key.contains(index));
        strict.map(|(index, _)| (index, Lesson::Null)).collect()
    }

    /// The shape with null allowed wherever it can be: what a registry takes that wants older records to stay readable, after a
    /// column became NOT NULL, or came so without a default.
    pub(crate) fn with_nulls(&self) -> Self {
        let mut lenient = self.clone();
        for (index, lesson) in self.null_lessons() {
            lenient.learn(index, &lesson);
        }
        lenient
    }

    /// Takes over what was learned of the same columns before.
    pub(crate) fn keep_lessons(&mut self, before: &Self) {
        for (column, before) in self.columns.iter_mut().zip(&before.columns) {
            if column.type_oid != before.type_oid {
                continue;
            }
            // A column in which null was seen stays nullable.
            column.nullable |= before.nullable;
            column.texts |= before.texts;
            for label in before.kind.labels() {
                column.kind.add_label(label);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use lakepulse_types::AvroForm;

    use super::*;
    use crate::table::Column;

    fn shape() -> TableShape {
        let mood = AvroForm::Enum(vec!["ok".into()]);
        TableShape::new(
            TableName { schema: "s".into(), table: "t".into() },
            vec![
                Column::new("id", AvroForm::Int4, false),
                Column::new("moods", AvroForm::Array(Box::new(mood)), false),
            ],
            vec![0],
        )
    }

    #[test]
    fn what_was_learned_is_applied_to_later_shapes() {
        let lessons = Lessons::default();
        let learned = [(1, Lesson::Label("sad".into())), (1, Lesson::Text), (0, Lesson::Null)];
        assert!(lessons.note(&shape(), &learned));
        assert!(!lessons.clone().note(&shape(), &learned), "it is known already");
        let mut later = shape();
        lessons.apply(&mut later);
        assert_eq!(later.columns[1].kind.labels(), ["ok", "sad"]);
        assert!(later.columns[1].texts && later.columns[0].nullable && !later.columns[0].texts);
        let mut retyped = shape();
        retyped.columns[1].type_oid = 25;
        lessons.apply(&mut retyped);
        assert!(!retyped.columns[1].texts, "another type");
        let mut again = shape();
        again.keep_lessons(&later);
        assert_eq!(again, later);
    }
}
