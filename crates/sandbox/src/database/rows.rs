//! Rows, in SQLite in memory. Clones share them until one of them writes: then that one gets its own.
//!
//! Saved as one image of bytes, and as nothing where there is no table. A world that is loaded has the image, and opens
//! it when somebody asks.

use super::errors::SqlError;
use super::plain;
use crate::s3::Content;
use rusqlite::Connection;
use rusqlite::limits::Limit;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The largest value and row, in bytes.
const VALUE_MAX: i32 = 64 << 20;
/// The largest image of one cluster's rows, in pages of 4 KiB: 1 GiB.
const PAGES_MAX: u32 = 1 << 18;

#[derive(Clone, Default)]
pub struct Rows(Arc<Mutex<Kept>>);

#[derive(Default)]
enum Kept {
    #[default]
    Nothing,
    Image(Content),
    Open(Connection),
}

impl Rows {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Nobody panics while holding it; and if, the rows are as good as they were.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the rows something, and changes nothing but what is temporary.
    pub(super) fn read<T>(
        &self,
        ask: impl FnOnce(&mut Connection) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        ask(self.lock().open()?)
    }

    /// Changes the rows: all of it, or nothing if it fails.
    pub(super) fn write<T>(
        &mut self,
        change: impl FnOnce(&mut Connection) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        if Arc::strong_count(&self.0) > 1 {
            let own = self.lock().copy()?;
            *self = Rows(Arc::new(Mutex::new(own)));
        }
        let mut kept = self.lock();
        let connection = kept.open()?;
        connection.execute_batch("BEGIN")?;
        match change(connection) {
            Ok(value) => {
                connection.execute_batch("COMMIT")?;
                Ok(value)
            }
            Err(error) => {
                connection.execute_batch("ROLLBACK")?;
                Err(error)
            }
        }
    }

    /// The image, on its own, for whoever keeps large contents elsewhere ([`Content::set_aside`]).
    pub(crate) fn image_mut(&mut self) -> Option<&mut Content> {
        let image = self.lock().image()?;
        *self = Rows(Arc::new(Mutex::new(Kept::Image(image))));
        match Arc::get_mut(&mut self.0)?.get_mut() {
            Ok(Kept::Image(image)) => Some(image),
            _ => None,
        }
    }
}

impl Kept {
    fn open(&mut self) -> Result<&mut Connection, SqlError> {
        let connection = match self {
            Kept::Open(_) => None,
            Kept::Nothing => Some(connect(&[])?),
            Kept::Image(image) => Some(connect(image.bytes())?),
        };
        if let Some(connection) = connection {
            *self = Kept::Open(connection);
        }
        match self {
            Kept::Open(connection) => Ok(connection),
            _ => Err(SqlError::new(1105, "Unknown error: the database is not open")),
        }
    }

    fn copy(&mut self) -> Result<Kept, SqlError> {
        Ok(match self {
            Kept::Nothing => Kept::Nothing,
            Kept::Image(image) => Kept::Image(image.clone()),
            Kept::Open(connection) => {
                let image = connection.serialize("main")?;
                Kept::Open(connect(&image)?)
            }
        })
    }

    fn image(&mut self) -> Option<Content> {
        match self {
            Kept::Nothing => None,
            Kept::Image(image) => Some(image.clone()),
            Kept::Open(connection) => {
                let tables: i64 = connection
                    .query_row("SELECT count(*) FROM main.sqlite_schema", [], |row| row.get(0))
                    .ok()?;
                if tables == 0 {
                    return None;
                }
                connection.serialize("main").ok().map(|image| Content::new(image.to_vec()))
            }
        }
    }
}

fn connect(image: &[u8]) -> Result<Connection, SqlError> {
    let mut connection = Connection::open_in_memory()?;
    if !image.is_empty() {
        connection.deserialize_read_exact("main", image, image.len(), false)?;
    }
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_MAX)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.execute_batch(&format!(
        "PRAGMA max_page_count = {PAGES_MAX}; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = OFF;"
    ))?;
    plain::register(&connection)?;
    Ok(connection)
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rows")
    }
}

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.lock().image().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rows, D::Error> {
        let image = Option::<Content>::deserialize(deserializer)?;
        Ok(Rows(Arc::new(Mutex::new(image.map_or(Kept::Nothing, Kept::Image)))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(rows: &Rows) -> i64 {
        rows.read(|c| Ok(c.query_row("SELECT count(*) FROM t", [], |row| row.get(0))?)).unwrap()
    }

    #[test]
    fn who_writes_gets_rows_of_its_own() {
        let mut rows = Rows::default();
        assert_eq!(serde_json::to_string(&rows).unwrap(), "null");
        rows.write(|c| Ok(c.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)")?)).unwrap();
        let before = rows.clone();
        rows.write(|c| Ok(c.execute_batch("INSERT INTO t VALUES (2)")?)).unwrap();
        assert_eq!((count(&before), count(&rows)), (1, 2));
        let failed: Result<(), SqlError> = rows.write(|c| {
            c.execute_batch("INSERT INTO t VALUES (3)")?;
            Err(SqlError::new(1105, "no"))
        });
        assert!(failed.is_err() && count(&rows) == 2);
        let saved = serde_json::to_string(&rows).unwrap();
        let mut loaded: Rows = serde_json::from_str(&saved).unwrap();
        assert_eq!(count(&loaded), 2);
        loaded.write(|c| Ok(c.execute_batch("DELETE FROM t")?)).unwrap();
        assert_eq!((count(&loaded), count(&rows)), (0, 2));
        let mut aside = rows.clone();
        let image = aside.image_mut().unwrap();
        image.set_aside();
        assert!(!serde_json::to_string(&rows).unwrap().contains("sha256"));
        assert!(serde_json::to_string(&aside).unwrap().contains("sha256"));
    }
}
