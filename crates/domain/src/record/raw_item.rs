//! A wire item as an entry keeps it: packed, until somebody asks for its bytes.

use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use std::fmt;
use std::io::Read;
use std::sync::Arc;

/// A wire item, byte for byte. One that was read from the table stays packed until somebody asks
/// for it: a fold needs no wire item, and 64 KB of blanks take 80 bytes packed.
#[derive(Clone)]
pub struct RawItem(Form);

#[derive(Clone)]
enum Form {
    Plain(Arc<[u8]>),
    Packed(Arc<[u8]>),
}

/// The largest item that is unpacked: what an endpoint lets in, with room.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

impl RawItem {
    /// An item as the table keeps it: deflated.
    pub fn from_packed(packed: impl Into<Arc<[u8]>>) -> Self {
        Self(Form::Packed(packed.into()))
    }

    /// The item as the table keeps it. `None` when it can't be packed; we know of no such item.
    pub fn packed(&self) -> Option<Arc<[u8]>> {
        match &self.0 {
            Form::Packed(packed) => Some(packed.clone()),
            Form::Plain(bytes) => {
                let mut packed = Vec::new();
                let mut encoder = DeflateEncoder::new(&**bytes, Compression::best());
                encoder.read_to_end(&mut packed).ok()?;
                Some(packed.into())
            }
        }
    }

    /// Whether it is still as the table keeps it: nobody had to unpack it.
    pub fn is_packed(&self) -> bool {
        matches!(self.0, Form::Packed(_))
    }

    /// The bytes of the item. Those of one that can't be unpacked are given as they stand: nobody
    /// can read them, and they are not lost.
    pub fn bytes(&self) -> Arc<[u8]> {
        match &self.0 {
            Form::Plain(bytes) => bytes.clone(),
            Form::Packed(packed) => unpack(packed).unwrap_or_else(|| packed.clone()),
        }
    }
}

fn unpack(packed: &[u8]) -> Option<Arc<[u8]>> {
    let mut bytes = Vec::new();
    let mut decoder = DeflateDecoder::new(packed).take(MAX_BYTES);
    decoder.read_to_end(&mut bytes).ok()?;
    let whole = u64::try_from(bytes.len()).is_ok_and(|length| length < MAX_BYTES);
    whole.then(|| bytes.into())
}

impl Default for RawItem {
    fn default() -> Self {
        Self(Form::Plain(Arc::default()))
    }
}

impl From<Arc<[u8]>> for RawItem {
    fn from(bytes: Arc<[u8]>) -> Self {
        Self(Form::Plain(bytes))
    }
}

/// Two are equal when their bytes are, packed or not.
impl PartialEq for RawItem {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Form::Packed(packed), Form::Packed(others)) if packed == others => true,
            (Form::Plain(_) | Form::Packed(_), Form::Plain(_) | Form::Packed(_)) => {
                self.bytes() == other.bytes()
            }
        }
    }
}

impl Eq for RawItem {}

/// Without the bytes, which may be personal.
impl fmt::Debug for RawItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Packed or not, what is equal looks alike.
        write!(f, "RawItem({} bytes)", self.bytes().len())
    }
}

#[cfg(test)]
mod tests;
