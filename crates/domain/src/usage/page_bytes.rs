//! Pages as bytes: some 24 for an event of a small quantity.
//!
//! A first byte says the format (1). Then come the earliest moment and the number of entries as
//! varints, and each entry: 12 bytes of its id's hash, 6 of its content's digest, its moment after
//! the earliest as a varint, and its value: 0 for none, else 1 and its digits after the point,
//! followed by its digits as a signed varint.

use super::meter_event::{ContentDigest, EventHash};
use super::page::{PageEntry, UsagePage};
use super::quantity::Quantity;
use sha2::{Digest as _, Sha256};

/// Bytes that are no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPage {
    /// They are of another format.
    #[error("a page of format {0}, which this version does not know")]
    Format(u8),
    /// They end too early, go on too long, or hold what no page holds.
    #[error("a page that is not whole")]
    Broken,
}

impl UsagePage {
    /// As it is stored: one writing for each set.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// A name that only this set has: 32 hexadecimal digits.
    pub fn name(&self) -> String {
        let hash = Sha256::digest(self.to_bytes());
        let first: &[u8] = hash.first_chunk::<16>().map_or(&[], |first| first);
        first.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The page of stored bytes.
    ///
    /// # Errors
    /// [`BadPage`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadPage> {
        decode(bytes)
    }
}

fn encode(page: &UsagePage) -> Vec<u8> {
    let entries: Vec<(EventHash, PageEntry)> = page.all().collect();
    let earliest = entries.iter().map(|(_, entry)| entry.millisecond).min();
    let earliest = i128::from(earliest.unwrap_or_default());
    let mut bytes = vec![FORMAT];
    put_signed(&mut bytes, earliest);
    put_varint(
        &mut bytes,
        u128::try_from(entries.len()).unwrap_or_default(),
    );
    for (hash, entry) in &entries {
        bytes.extend_from_slice(&hash.0);
        bytes.extend_from_slice(&entry.content.0);
        let after = i128::from(entry.millisecond).saturating_sub(earliest);
        put_varint(&mut bytes, after.unsigned_abs());
        match entry.value.map(Quantity::mantissa) {
            None => bytes.push(0),
            Some((places, mantissa)) => {
                bytes.push(places.saturating_add(1));
                put_signed(&mut bytes, mantissa);
            }
        }
    }
    bytes
}

fn decode(bytes: &[u8]) -> Result<UsagePage, BadPage> {
    match bytes.first() {
        Some(&FORMAT) => {}
        Some(other) => return Err(BadPage::Format(*other)),
        None => return Err(BadPage::Broken),
    }
    let mut reader = PageReader {
        left: bytes.get(1..).unwrap_or_default(),
    };
    reader.page().ok_or(BadPage::Broken)
}

struct PageReader<'a> {
    left: &'a [u8],
}

impl PageReader<'_> {
    fn page(&mut self) -> Option<UsagePage> {
        let earliest = self.signed()?;
        let number = self.varint()?;
        let mut page = UsagePage::default();
        for _ in 0..number {
            let hash = EventHash(self.bytes()?);
            let content = ContentDigest(self.bytes()?);
            let after = i128::try_from(self.varint()?).ok()?;
            let millisecond = i64::try_from(earliest.checked_add(after)?).ok()?;
            let value = match self.byte()?.checked_sub(1) {
                None => None,
                Some(places) => Some(Quantity::from_mantissa(places, self.signed()?)?),
            };
            let entry = PageEntry {
                millisecond,
                value,
                content,
            };
            page.insert(hash, entry);
        }
        self.left.is_empty().then_some(page)
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, left) = self.left.split_first_chunk()?;
        self.left = left;
        Some(*bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        self.bytes::<1>().map(|[byte]| byte)
    }

    fn varint(&mut self) -> Option<u128> {
        let (mut value, mut shift) = (0_u128, 0_u32);
        loop {
            let byte = self.byte()?;
            let part = u128::from(byte & 0x7f);
            let moved = part.checked_shl(shift)?;
            if moved.checked_shr(shift)? != part {
                return None;
            }
            value |= moved;
            if byte & 0x80 == 0 {
                return Some(value);
            }
            shift = shift.checked_add(7)?;
        }
    }

    fn signed(&mut self) -> Option<i128> {
        let value = self.varint()?;
        let half = i128::try_from(value >> 1).ok()?;
        Some(if value & 1 == 0 { half } else { !half })
    }
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u128) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or_default();
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

/// Small numbers of either sign are short.
fn put_signed(bytes: &mut Vec<u8>, value: i128) {
    let doubled = (value << 1) ^ (value >> 127);
    put_varint(bytes, doubled.cast_unsigned());
}

const FORMAT: u8 = 1;
