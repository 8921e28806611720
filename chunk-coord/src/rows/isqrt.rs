//! Integer square roots.

/// Square roots below this are read from a table: those of distances up to 127 chunks.
const TABLE_LENGTH: usize = 128 * 128;

/// A walk takes several square roots for each row. Reading one costs a few cycles, computing it a few dozen.
static TABLE: [u8; TABLE_LENGTH] = {
    let mut table = [0; TABLE_LENGTH];
    let mut root = 0;
    let mut square = 0;
    while square < TABLE_LENGTH {
        if (root + 1) * (root + 1) <= square {
            root += 1;
        }
        table[square] = root as u8;
        square += 1;
    }
    table
};

/// The largest integer whose square is at most `square`.
#[inline]
pub(crate) fn isqrt(square: u64) -> u32 {
    match TABLE.get(square as usize) {
        Some(&root) if square < TABLE_LENGTH as u64 => u32::from(root),
        // The root of a 64-bit number has 32 bits.
        _ => square.isqrt() as u32,
    }
}

/// The smallest integer whose square is at least `square`.
pub(crate) fn isqrt_up(square: u64) -> u64 {
    let floor = u64::from(isqrt(square));
    floor + u64::from(floor * floor < square)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_exact_on_both_sides_of_the_end_of_the_table() {
        for square in (0..3 * TABLE_LENGTH as u64).chain([u64::MAX - 1, u64::MAX]) {
            let floor = u64::from(isqrt(square));
            assert!(floor * floor <= square);
            assert!(
                (floor + 1)
                    .checked_mul(floor + 1)
                    .is_none_or(|next| next > square)
            );
        }
        assert_eq!([0, 1, 2, 4, 5].map(isqrt_up), [0, 1, 2, 2, 3]);
        assert_eq!(isqrt_up(u64::MAX), 1 << 32);
    }
}
