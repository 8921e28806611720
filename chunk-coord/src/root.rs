//! Whole square roots.

/// Roots below this are read from a table: those of distances up to 127 chunks.
const TABLED: usize = 128 * 128;

/// Rows ask for several roots each, and the table answers in a few cycles where a root takes a few
/// dozen.
static ROOTS: [u8; TABLED] = {
    let mut roots = [0; TABLED];
    let mut root = 0;
    let mut square = 0;
    while square < TABLED {
        if (root + 1) * (root + 1) <= square {
            root += 1;
        }
        roots[square] = root as u8;
        square += 1;
    }
    roots
};

/// The largest whole number whose square is at most `square`.
#[inline]
pub(crate) fn root(square: u64) -> u32 {
    match ROOTS.get(square as usize) {
        Some(&root) if square < TABLED as u64 => u32::from(root),
        // The root of a 64-bit number has 32 bits.
        _ => square.isqrt() as u32,
    }
}

/// The smallest whole number whose square is at least `square`.
pub(crate) fn root_up(square: u64) -> u64 {
    let floor = u64::from(root(square));
    floor + u64::from(floor * floor < square)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_whole_on_both_sides_of_the_end_of_the_table() {
        for square in (0..3 * TABLED as u64).chain([u64::MAX - 1, u64::MAX]) {
            let floor = u64::from(root(square));
            assert!(floor * floor <= square);
            assert!(
                (floor + 1)
                    .checked_mul(floor + 1)
                    .is_none_or(|next| next > square)
            );
        }
        assert_eq!([0, 1, 2, 4, 5].map(root_up), [0, 1, 2, 2, 3]);
        assert_eq!(root_up(u64::MAX), 1 << 32);
    }
}
