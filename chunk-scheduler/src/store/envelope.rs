//! What is around each saved value: whose it is, in which format, and a checksum.
//!
//! All numbers are little-endian: the magic `CHNK`, the version of this envelope (1 byte), whether the value is compressed
//! (1 byte), the world (8 bytes), the codec's format (4 bytes), the length of the encoded value (4 bytes), a CRC-32 (IEEE) of
//! the value's name, of everything before the checksum and of everything after it (4 bytes), and the encoded value, as an
//! LZ4 block where that is shorter.

use super::error::{StoreError, StoreErrorKind};

const MAGIC: [u8; 4] = *b"CHNK";
const VERSION: u8 = 1;
const HEADER: usize = 26;
/// An LZ4 block is at least a 255th of what it stands for, so a damaged length cannot ask for all memory.
const MOST_COMPRESSED: usize = 255;

/// Puts an encoded value into an envelope.
///
/// # Errors
///
/// If it has 4 GiB or more.
pub(super) fn seal(
    name: &str,
    world: u64,
    format: u32,
    encoded: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let Ok(len) = u32::try_from(encoded.len()) else {
        let message = format!("{} bytes are more than 4 GiB", encoded.len());
        return Err(StoreError::new(StoreErrorKind::Codec, message).of(name));
    };
    let compressed = lz4_flex::block::compress(encoded);
    let is_compressed = compressed.len() < encoded.len();
    let body = if is_compressed { &compressed } else { encoded };
    let mut sealed = Vec::with_capacity(HEADER + body.len());
    sealed.extend(MAGIC);
    sealed.extend([VERSION, u8::from(is_compressed)]);
    sealed.extend(world.to_le_bytes());
    sealed.extend(format.to_le_bytes());
    sealed.extend(len.to_le_bytes());
    let checksum = checksum(name, &sealed, body);
    sealed.extend(checksum.to_le_bytes());
    sealed.extend(body);
    Ok(sealed)
}

/// Takes the encoded value and its format out of an envelope.
///
/// # Errors
///
/// If it is damaged, of a newer version or of another world.
pub(super) fn open(name: &str, world: u64, sealed: &[u8]) -> Result<(u32, Vec<u8>), StoreError> {
    let error = |kind, message: &str| StoreError::new(kind, message).of(name);
    let damaged = |message: &str| error(StoreErrorKind::Damaged, message);
    let (Some(header), Some(body)) = (sealed.first_chunk::<HEADER>(), sealed.get(HEADER..)) else {
        let message = format!("{} bytes are no whole value", sealed.len());
        return Err(damaged(&message));
    };
    let (before, stored) = header.split_at(HEADER - 4);
    if before[..4] != MAGIC {
        return Err(damaged("it does not begin with CHNK"));
    }
    // Before the checksum, which a newer version may have elsewhere.
    if before[4] > VERSION {
        let (found, known) = (u32::from(before[4]), u32::from(VERSION));
        let message = "the format of its envelope";
        return Err(error(StoreErrorKind::Newer { found, known }, message));
    }
    if checksum(name, before, body).to_le_bytes() != *stored {
        return Err(damaged("its checksum is wrong"));
    }
    let number = |at: usize| {
        u32::from_le_bytes([before[at], before[at + 1], before[at + 2], before[at + 3]])
    };
    let found = u64::from(number(6)) | u64::from(number(10)) << 32;
    if found != world {
        let expected = world;
        return Err(error(StoreErrorKind::OtherWorld { found, expected }, ""));
    }
    let (format, len) = (number(14), number(18) as usize);
    let encoded = match before[5] {
        0 => body.to_vec(),
        _ if len > body.len().saturating_mul(MOST_COMPRESSED) => Vec::new(),
        _ => lz4_flex::block::decompress(body, len).map_err(|error| damaged(&error.to_string()))?,
    };
    match encoded.len() == len {
        true => Ok((format, encoded)),
        false => Err(damaged("its length is wrong")),
    }
}

fn checksum(name: &str, before: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for part in [name.as_bytes(), before, body] {
        hasher.update(part);
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(name: &str, world: u64, sealed: &[u8]) -> StoreErrorKind {
        open(name, world, sealed).expect_err("it is refused").kind
    }

    #[test]
    fn what_is_sealed_is_opened_under_its_name_and_in_its_world_alone() {
        for encoded in [vec![], vec![7], vec![1; 10_000], (0..=255).collect()] {
            let sealed = seal("a", 9, 3, &encoded).expect("it is short");
            assert!(sealed.len() <= HEADER + encoded.len());
            assert_eq!(open("a", 9, &sealed), Ok((3, encoded)));
            assert_eq!(kind("b", 9, &sealed), StoreErrorKind::Damaged);
            let other = StoreErrorKind::OtherWorld {
                found: 9,
                expected: 8,
            };
            assert_eq!(kind("a", 8, &sealed), other);
        }
    }

    #[test]
    fn no_value_that_was_cut_or_changed_anywhere_is_opened() {
        let sealed = seal("a", 9, 3, &[5; 100]).expect("it is short");
        for len in 0..sealed.len() {
            assert_eq!(kind("a", 9, &sealed[..len]), StoreErrorKind::Damaged);
        }
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut changed = sealed.clone();
                changed[at] ^= 1 << bit;
                assert!(open("a", 9, &changed).is_err(), "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn an_envelope_of_a_newer_version_is_not_taken_for_damage() {
        let mut sealed = seal("a", 9, 3, &[]).expect("it is short");
        sealed[4] = 2;
        let newer = StoreErrorKind::Newer { found: 2, known: 1 };
        assert_eq!(kind("a", 9, &sealed), newer);
    }
}
